import type { JobHealth } from "@/server/contracts/health";
import { Age } from "../ui/age";
import { useClock } from "../ui/clock";
import { formatUntil } from "../ui/format";
import { JobMark } from "../ui/state-mark";
import { CauseAndFix } from "./advice";
import classes from "./health.module.css";

/**
 * Every job with its last and its next run; those that are not well first, with why and what to do.
 * @param props.told the cause that is told above already.
 */
export function JobRuns({ jobs, told }: { jobs: readonly JobHealth[]; told: string | null }) {
  const isWell = ({ cause }: JobHealth) => (cause === null ? 1 : 0);
  const sorted = jobs.toSorted((a, b) => isWell(a) - isWell(b));
  return (
    <ul className={classes.probes} aria-label="Jobs">
      {sorted.map((job) => (
        <JobRun key={job.name} job={job} isTold={job.cause === told} />
      ))}
    </ul>
  );
}

function JobRun({ job, isTold }: { job: JobHealth; isTold: boolean }) {
  const { name, title, state, cause, fix, commands, lastRun, nextRun } = job;
  const next = useClock((now) => (nextRun === null ? "" : formatUntil(Date.parse(nextRun) - now)));
  return (
    <li className={classes.job} data-job={name} data-state={state}>
      <span>
        <JobMark state={state} />
      </span>
      <h3>{title}</h3>
      <div className={classes.found}>
        {isTold ? null : <CauseAndFix cause={cause} fix={fix} commands={commands} of={title} />}
      </div>
      <span className={classes.time}>
        {lastRun ? (
          <>
            <small>{lastRun.outcome}</small> <Age time={lastRun.endedAt} />
          </>
        ) : (
          "has not run yet"
        )}
      </span>
      <span className={classes.time}>
        {next ? (
          <>
            <small>next</small> {next}
          </>
        ) : null}
      </span>
    </li>
  );
}
