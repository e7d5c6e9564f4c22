"use client";
import { Button } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { Job as JobView } from "@/server/contracts/jobs";
import { counted } from "@/server/domain/counted";
import { useMayEverywhere } from "../queries/access";
import { changeJob, JOBS, stopJobRun } from "../queries/jobs";
import { Age } from "../ui/age";
import { useClock } from "../ui/clock";
import { Copyable } from "../ui/feedback";
import { Link } from "../ui/link";
import { formatUntil } from "../ui/format";
import { JobMark } from "../ui/state-mark";
import classes from "./jobs.module.css";
import { Runs } from "./runs";
import { fixParts, intervalOf, placeOf, progressOf, RUN_STATES } from "./words";

/** One job: how it is, its last and its next run, and what can be done with it. */
export function Job({ job }: { job: JobView }) {
  const [isOpen, setOpen] = useState(false);
  const { name, title, about, state, cause, fix } = job;
  return (
    <li className={classes.job} data-job={name} data-state={state}>
      <span className={classes.state}>
        <JobMark state={state} />
      </span>
      <div className={classes.what}>
        <h2>
          <button type="button" aria-expanded={isOpen} onClick={() => setOpen((was) => !was)} title="Show its runs">
            {title}
          </button>
        </h2>
        <p>{about}</p>
      </div>
      <LastRun job={job} />
      <NextRun job={job} />
      <Actions job={job} />
      {cause !== null || fix !== null ? (
        <div className={classes.advice} role={state === "failed" ? "alert" : undefined}>
          {cause ? <p>{cause}</p> : null}
          {fix
            ? fixParts(fix).map(({ text, isCommand }, i) =>
                isCommand ? (
                  <Copyable key={i} text={text} label={`Copy the fix for ${title}`} />
                ) : (
                  <p key={i}>{text}</p>
                ),
              )
            : null}
        </div>
      ) : null}
      {isOpen ? <Runs job={job} /> : null}
    </li>
  );
}

function LastRun({ job }: { job: JobView }) {
  const { current, last, title, unfinished } = job;
  if (current) {
    const progress = progressOf(current, job.counts);
    const { done, total } = current;
    return (
      <div className={classes.run}>
        <span>{unfinished > 1 ? `${counted(unfinished, "run")} under way` : RUN_STATES[current.state][1]}</span>
        <small>{progress}</small>
        {total !== null && total > 0 ? (
          <span
            className={classes.track}
            role="progressbar"
            aria-label={title}
            aria-valuemin={0}
            aria-valuemax={total}
            aria-valuenow={Math.min(done, total)}
            aria-valuetext={progress}
          >
            <i style={{ width: `${Math.min(1, done / total) * 100}%` }} />
          </span>
        ) : null}
      </div>
    );
  }
  if (!last) return <div className={classes.run}>Has not run yet</div>;
  return (
    <div className={classes.run}>
      <span>
        {RUN_STATES[last.state][1]} <Age time={last.finishedAt ?? last.createdAt} />
      </span>
      <small>{progressOf(last, job.counts)}</small>
    </div>
  );
}

function NextRun({ job }: { job: JobView }) {
  const { nextRun, current } = job;
  const at = current?.retryAt ?? (current ? null : nextRun);
  const wait = useClock((now) => (at === null ? "" : formatUntil(Date.parse(at) - now)));
  return (
    <div className={classes.run}>
      <span>{at === null ? "" : `${current ? "Again" : "Next"} ${wait ?? ""}`}</span>
      <small>{intervalOf(job)}</small>
    </div>
  );
}

function Actions({ job: { name, title, current, everySeconds, state, unfinished } }: { job: JobView }) {
  const queries = useQueryClient();
  const mayOperate = useMayEverywhere("operate");
  const onSettled = () => queries.invalidateQueries({ queryKey: [JOBS] });
  const change = useMutation({
    mutationFn: (action: "run" | "pause" | "resume") => changeJob(name, action),
    onSettled,
  });
  const stop = useMutation({ mutationFn: (id: string) => stopJobRun(name, id), onSettled });
  const trouble = change.error ?? stop.error;
  const isRunning = current?.state === "running" || current?.state === "stopping";
  const button = { size: "compact-xs", variant: "default" } as const;
  if (everySeconds === null) {
    const place = placeOf({ name });
    return (
      <div className={classes.actions}>
        {unfinished === 0 ? null : <span>{counted(unfinished, "run")}</span>}
        {place && (
          <Button {...button} component={Link} href={place.href}>
            {place.title}
          </Button>
        )}
      </div>
    );
  }
  if (!mayOperate) return <div className={classes.actions} />;
  return (
    <div className={classes.actions}>
      {isRunning ? (
        <Button
          {...button}
          disabled={current.state === "stopping"}
          loading={stop.isPending}
          aria-label={`Stop ${title}`}
          onClick={() => stop.mutate(current.id)}
        >
          Stop
        </Button>
      ) : (
        <Button
          {...button}
          loading={change.isPending && change.variables === "run"}
          aria-label={`Run now: ${title}`}
          onClick={() => change.mutate("run")}
        >
          Run now
        </Button>
      )}
      <Button
        {...button}
        loading={change.isPending && change.variables !== "run"}
        aria-label={`${state === "paused" ? "Resume" : "Pause"} ${title}`}
        onClick={() => change.mutate(state === "paused" ? "resume" : "pause")}
      >
        {state === "paused" ? "Resume" : "Pause"}
      </Button>
      {trouble ? (
        <p role="alert" className={classes.trouble}>
          {trouble.message}
        </p>
      ) : null}
    </div>
  );
}
