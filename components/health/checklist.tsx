"use client";
import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import type { HealthAnswer } from "@/server/contracts/health";
import { applyToPipeline } from "../live/apply";
import { useConnectionPhase, useLive, useRoom } from "../live/provider";
import { useMay, useMayEverywhere } from "../queries/access";
import { pipelineQuery } from "../queries/pipeline";
import { adviceOn } from "../queries/request";
import { setupQuery } from "../queries/setup";
import { Failure, Loading } from "../ui/feedback";
import { formatDuration } from "../ui/format";
import { useKept } from "../ui/kept";
import { Duration } from "../ui/quantity";
import { type Mark, MarkShape, StateMark } from "../ui/state-mark";
import { firstMessage } from "../ui/first-message";
import { CauseAndFix } from "./advice";
import { checklist, type ChecklistStep, isComplete, type StepState } from "./checklist-steps";
import classes from "./checklist.module.css";
import { ProbeMessage } from "./probe-message";
import { useFirstFrame } from "./use-first-frame";
import { useTestMessage } from "./use-test-message";

const STATES: Record<StepState, readonly [Mark, string]> = {
  done: ["ok", "Done"],
  waiting: ["unknown", "To do"],
  failing: ["failing", "Failing"],
  unknown: ["unknown", "Unknown"],
};

/** Shows what stands between a fresh start and readings on the screen. `health` is null while the server doesn't answer. */
export function Checklist({ health }: { health: HealthAnswer | null }) {
  const live = useLive();
  const overview = pipelineQuery(live);
  const pipeline = useQuery(overview);
  useRoom("overview", overview.queryKey, applyToPipeline);
  const setup = useQuery({ ...setupQuery(), enabled: useMayEverywhere("administer") });
  const mayOperate = useMay("operate");
  const test = useTestMessage();
  const frame = useFirstFrame();
  const isConnected = useConnectionPhase() !== "reconnecting";
  const [kept, keep] = useKept("fieldwatch.checklist");
  const [wasComplete, keepComplete] = useKept("fieldwatch.checklist.complete");
  const section = useArrival();

  const isLoading = pipeline.isPending || setup.isLoading || test.followed === undefined;
  const steps = checklist({
    ...{ health, frame, isConnected, maySend: mayOperate },
    totals: pipeline.data && !pipeline.error ? pipeline.data.totals : null,
    attempt: setup.data?.attempts.find(({ outcome }) => outcome === "done" || outcome === "warned") ?? null,
    followed: health === null ? null : (test.followed ?? null),
    firstMessage: firstMessage(),
  });
  const done = steps.filter(({ state }) => state === "done").length;
  const isAllDone = !isLoading && isComplete(steps);
  useEffect(() => {
    if (isAllDone) keepComplete("yes");
  }, [isAllDone, keepComplete]);
  // Once complete, the checklist stays one line even when something fails later: the probes below tell that.
  const isOpen = kept === null ? wasComplete === null : kept === "open";
  const next = steps.find(({ state }) => state !== "done");

  return (
    <section id="checklist" ref={section} tabIndex={-1} className={classes.checklist} aria-label="First-run checklist">
      <div className={classes.head}>
        <h2>First-run checklist</h2>
        {isLoading ? null : (
          <p className={classes.sum}>
            <StateMark
              mark={next ? (steps.some(({ state }) => state === "failing") ? "failing" : "unknown") : "ok"}
              word={`${done} of ${steps.length} done`}
            />
            {next && !isOpen ? <span>Next: {next.title}</span> : null}
          </p>
        )}
        <div className={classes.actions}>
          {mayOperate ? (
            <Button
              size="xs"
              variant={isOpen && next ? "filled" : "default"}
              loading={test.isSending}
              onClick={() => {
                test.send();
                keep("open");
              }}
            >
              Send a test message
            </Button>
          ) : null}
          <Button
            size="xs"
            variant="default"
            aria-expanded={isOpen}
            aria-controls={isLoading ? undefined : "checklist-steps"}
            onClick={() => keep(isOpen ? "folded" : "open")}
          >
            {isOpen ? "Fold" : "Show"}
          </Button>
        </div>
      </div>
      {test.error ? (
        <Failure what="The test message could not be sent" why={test.error.message} advice={adviceOn(test.error)} />
      ) : null}
      {isLoading && isOpen ? <Loading rows={8} height={32} label="Loading the checklist" /> : null}
      {isOpen && !isLoading ? (
        <ol className={classes.steps} id="checklist-steps">
          {steps.map((step, i) => (
            <Step key={step.key} step={step} number={i + 1} isNext={step === next}>
              {step.key === "round-trip" && test.followed && health !== null ? (
                <ProbeMessage followed={test.followed} seen={test.seen} />
              ) : null}
            </Step>
          ))}
        </ol>
      ) : null}
    </section>
  );
}

interface StepProps {
  step: ChecklistStep;
  number: number;
  isNext: boolean;
  children: React.ReactNode;
}

function Step({ step, number, isNext, children }: StepProps) {
  const { key, title, state, found, tookMs, ...advice } = step;
  const [mark, word] = STATES[state];
  // The way of the message tells its cause itself.
  const hasOwn = key === "round-trip" && children !== null && state !== "waiting";
  return (
    <li className={classes.step} data-step={key} data-state={state} data-next={isNext || undefined}>
      <span className={classes.state}>
        <MarkShape mark={mark} />
        {word}
      </span>
      <div className={classes.what}>
        <h3>
          {number}. {title}
        </h3>
        <p>{found}</p>
        {hasOwn ? null : <CauseAndFix {...advice} of={title} isTrouble={state !== "waiting"} />}
        {children}
      </div>
      <span className={classes.took}>
        {state !== "done" || tookMs === null ? null : <Duration text={formatDuration(tookMs)} />}
      </span>
    </li>
  );
}

/** Scrolls to the checklist for those who come by a link to it: it is drawn only after the page has loaded. */
function useArrival() {
  const section = useRef<HTMLElement>(null);
  useEffect(() => {
    const arrive = () => {
      if (window.location.hash !== "#checklist") return;
      section.current?.scrollIntoView({ block: "start" });
      section.current?.focus({ preventScroll: true });
    };
    arrive();
    window.addEventListener("hashchange", arrive);
    return () => window.removeEventListener("hashchange", arrive);
  }, []);
  return section;
}
