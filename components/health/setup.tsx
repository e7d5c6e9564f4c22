"use client";
import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { SetupAttemptView, SetupOutcome } from "@/server/contracts/setup";
import { useMayEverywhere } from "../queries/access";
import { setupQuery } from "../queries/setup";
import { MayNot } from "../shell/may-not";
import { NotYet } from "../shell/not-yet";
import { Age } from "../ui/age";
import { Empty } from "../ui/feedback";
import { formatDuration } from "../ui/format";
import { Duration } from "../ui/quantity";
import { Section } from "../ui/section";
import { type Mark, StateMark } from "../ui/state-mark";
import { Waterfall } from "../ui/waterfall";
import { CauseAndFix } from "./advice";
import classes from "./setup.module.css";

const OUTCOMES: Record<SetupOutcome, readonly [Mark, attempt: string, step: string]> = {
  done: ["ok", "Started", "done"],
  warned: ["warning", "Started without something", "without it"],
  failed: ["failing", "Failed", "failed"],
  stopped: ["unknown", "Stopped by its user", "stopped"],
  brokenOff: ["stale", "Broken off", "broken off"],
  running: ["unknown", "Starting", "under way"],
};

/** Attempts listed before "show all". */
const FEW = 5;

/** The recorded starts, for those who may see them. */
export function SetupAttempts() {
  if (useMayEverywhere("administer")) return <Attempts />;
  return (
    <Section title="Starts">
      <MayNot what="Seeing how each start went" permission="administer" atAllSites />
    </Section>
  );
}

/** Every recorded start: how it went, how long each step took, and why it failed. */
function Attempts() {
  const { data, error, refetch, isFetching } = useQuery(setupQuery());
  const [showsAll, setShowsAll] = useState(false);
  const attempts = data?.attempts ?? [];
  const shown = showsAll ? attempts : attempts.slice(0, FEW);
  return (
    <Section
      title="Starts"
      aside={
        attempts.length > FEW ? (
          <Button size="compact-xs" variant="default" onClick={() => setShowsAll(!showsAll)} aria-expanded={showsAll}>
            {showsAll ? "Show fewer" : `Show all ${attempts.length}`}
          </Button>
        ) : null
      }
    >
      {data ? (
        attempts.length === 0 ? (
          <Empty>
            No start is recorded in this data folder: npm start records each, roles that are started alone don&apos;t.
          </Empty>
        ) : (
          <ul className={classes.attempts}>
            {shown.map((attempt, i) => (
              <Attempt key={attempt.id} attempt={attempt} isLatest={i === 0} />
            ))}
          </ul>
        )
      ) : (
        <NotYet
          what="the starts"
          error={error}
          onRetry={() => void refetch()}
          isRetrying={isFetching}
          rows={2}
          height={36}
        />
      )}
    </Section>
  );
}

function Attempt({ attempt, isLatest }: { attempt: SetupAttemptView; isLatest: boolean }) {
  const [choice, setChoice] = useState<boolean | null>(null);
  const { id, startedAt, durationMs, outcome, version, node, what, steps, ...advice } = attempt;
  const isOpen = choice ?? isLatest;
  const [mark, word] = OUTCOMES[outcome];
  const last = steps.findLast((step) => step.durationMs === null);
  return (
    <li className={classes.attempt} data-outcome={outcome}>
      <div className={classes.line}>
        <StateMark mark={mark} word={word} />
        <span className={classes.about}>
          <Age time={startedAt} />
          {outcome === "brokenOff" && last ? <span>during {last.name}</span> : null}
          {what ? <strong>{what}</strong> : null}
        </span>
        <span className={classes.versions}>
          {[version && `Fieldwatch ${version}`, node && `Node ${node}`].filter(Boolean).join(", ")}
        </span>
        <span className={classes.total}>
          {durationMs === null ? <em>unknown</em> : <Duration text={formatDuration(durationMs)} />}
        </span>
        <Button
          size="compact-xs"
          variant="subtle"
          aria-expanded={isOpen}
          aria-controls={`start-${id}`}
          onClick={() => setChoice(!isOpen)}
        >
          {isOpen ? "Fold" : "Steps"}
        </Button>
      </div>
      {outcome === "failed" ? (
        <div className={classes.why}>
          <CauseAndFix cause={advice.cause} fix={advice.fix} commands={advice.commands} of="this start" />
        </div>
      ) : null}
      {isOpen ? (
        <div className={classes.steps} id={`start-${id}`}>
          <Waterfall rows={rowsOf(attempt)} label="Steps of this start" />
        </div>
      ) : null}
    </li>
  );
}

function rowsOf({ startedAt, outcome: whole, cause: wholeCause, steps }: SetupAttemptView) {
  const start = Date.parse(startedAt);
  return steps.map(({ name, startedAt: from, durationMs, outcome, cause, fix, commands }) => {
    const [mark, , word] = OUTCOMES[outcome];
    const begins = Date.parse(from) - start;
    const isTold = whole === "failed" && cause === wholeCause;
    return {
      ...{ key: name, mark, word, title: name.charAt(0).toUpperCase() + name.slice(1) },
      span: durationMs === null ? null : { from: begins, to: begins + durationMs },
      figure: durationMs === null ? word : <Duration text={formatDuration(durationMs)} />,
      note: cause && !isTold ? <CauseAndFix cause={cause} fix={fix} commands={commands} of={name} /> : undefined,
    };
  });
}
