"use client";
import { useQuery } from "@tanstack/react-query";
import type { Job, JobRun } from "@/server/contracts/jobs";
import { jobRunsQuery } from "../queries/jobs";
import { Age } from "../ui/age";
import { Duration } from "../ui/quantity";
import { Loading } from "../ui/feedback";
import { StateMark } from "../ui/state-mark";
import classes from "./jobs.module.css";
import { progressOf, RUN_STATES, tookOf } from "./words";

/** A job's latest runs. */
export function Runs({ job: { name, title, counts } }: { job: Pick<Job, "name" | "title" | "counts"> }) {
  const { data, error } = useQuery(jobRunsQuery(name));
  if (!data) {
    return (
      <div className={classes.runs}>
        {error ? <p role="alert">{error.message}</p> : <Loading rows={2} label={`Loading the runs of ${title}`} />}
      </div>
    );
  }
  if (data.items.length === 0) return <p className={classes.runs}>It has not run yet.</p>;
  return (
    <ul className={classes.runs} aria-label={`Runs of ${title}`}>
      {data.items.map((run) => (
        <Run key={run.id} run={run} counts={counts} />
      ))}
    </ul>
  );
}

function Run({ run, counts }: { run: JobRun; counts: Job["counts"] }) {
  const [mark, word] = RUN_STATES[run.state];
  const took = tookOf(run);
  return (
    <li>
      <StateMark mark={mark} word={word} />
      <span>{run.trigger === "schedule" ? "When due" : "When asked for"}</span>
      <Age time={run.finishedAt ?? run.startedAt ?? run.createdAt} />
      <span>{took === null ? "" : <Duration text={took} />}</span>
      <span>{progressOf(run, counts)}</span>
      {run.error ? <p>{run.error}</p> : null}
    </li>
  );
}
