"use client";
import { Button } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { DeadLetterJob } from "@/server/contracts/dead-letters";
import { counted } from "@/server/domain/counted";
import { useMay } from "../queries/access";
import { DEAD_LETTERS, isUnderWay, jobsQuery, stopJob } from "../queries/dead-letters";
import { Age } from "../ui/age";
import { useNow } from "../ui/clock";
import { MarkShape } from "../ui/state-mark";
import { actionWord, progressOf, stateOf, type WantedJob } from "./job-words";
import classes from "./jobs.module.css";
import { filterWords } from "./view";

/** Time for which an ended job stays among the running ones, so that it is seen, in milliseconds. */
const FRESH_MS = 2 * 60_000;

/** The jobs on many dead letters, whoever began them: those that run, and those that ran lately. */
export function Jobs({ onWant }: { onWant: (job: WantedJob) => void }) {
  const { data } = useQuery(jobsQuery());
  const [isOpen, setOpen] = useState(false);
  const now = useNow(5000);
  const jobs = data?.items ?? [];
  if (jobs.length === 0) return null;
  const isShown = (job: DeadLetterJob) =>
    isUnderWay(job) || (job.finishedAt !== null && now > 0 && now - Date.parse(job.finishedAt) < FRESH_MS);
  const shown = jobs.filter((job) => isOpen || isShown(job));
  const older = jobs.length - jobs.filter(isShown).length;
  return (
    <section className={classes.jobs} aria-label="Work on many">
      {shown.length > 0 ? (
        <ul data-all={isOpen || undefined}>
          {shown.map((job) => (
            <Job key={job.id} job={job} onWant={onWant} />
          ))}
        </ul>
      ) : null}
      {older > 0 ? (
        <button type="button" className={classes.more} aria-expanded={isOpen} onClick={() => setOpen((was) => !was)}>
          {isOpen ? "Hide earlier jobs" : `${counted(older, "earlier job")}`}
        </button>
      ) : null}
    </section>
  );
}

/** Splits the bar into parts: stored, refused again, and everything else that was done. */
function partsOf({ action, total, done, stored, refused }: DeadLetterJob) {
  const shareOf = (count: number) => Math.max(0, Math.min(1, count / Math.max(1, total)));
  if (action !== "resend") return [{ part: "done", share: total === 0 ? 1 : shareOf(done) }];
  return [
    { part: "stored", share: shareOf(stored) },
    { part: "refused", share: shareOf(refused) },
    { part: "done", share: shareOf(done - stored - refused) },
  ];
}

function Job({ job, onWant }: { job: DeadLetterJob; onWant: (job: WantedJob) => void }) {
  const queries = useQueryClient();
  const mayOperate = useMay("operate");
  const stop = useMutation({
    mutationFn: () => stopJob(job.id),
    onSettled: () => queries.invalidateQueries({ queryKey: [DEAD_LETTERS] }),
  });
  const isActive = job.status === "waiting" || job.status === "running";
  const state = stateOf(job);
  const words = filterWords(job.filter);
  const progress = progressOf(job);
  return (
    <li data-job={job.id} data-status={job.status}>
      <span className={classes.what}>
        {job.status === "failed" ? <MarkShape mark="failing" /> : null}
        <b>{actionWord(job)}</b> <span title={words}>{words}</span>
      </span>
      <span
        className={classes.track}
        role="progressbar"
        aria-label={`${actionWord(job)} ${words}`}
        aria-valuemin={0}
        aria-valuemax={job.total}
        aria-valuenow={job.done}
        aria-valuetext={progress}
      >
        {partsOf(job).map(({ part, share }) => (
          <i key={part} data-part={part} style={{ width: `${share * 100}%` }} />
        ))}
      </span>
      <span className={classes.figures} title={progress}>
        {progress}
        {state ? <em> · {state}</em> : null}
      </span>
      <span className={classes.end}>
        {isActive ? (
          mayOperate && (
            <Button size="compact-xs" variant="default" loading={stop.isPending} onClick={() => stop.mutate()}>
              Stop
            </Button>
          )
        ) : (
          <>
            {mayOperate && job.action === "discard" && job.done > job.skipped ? (
              <Button
                size="compact-xs"
                variant="default"
                onClick={() => onWant({ action: "restore", filter: job.filter })}
              >
                Restore…
              </Button>
            ) : null}
            {job.finishedAt ? <Age time={job.finishedAt} /> : null}
          </>
        )}
      </span>
      {stop.error ? (
        <p role="alert" className={classes.trouble}>
          It may not have stopped: {stop.error.message}
        </p>
      ) : null}
    </li>
  );
}
