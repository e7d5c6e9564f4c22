import type { DeviceState } from "@/server/contracts/devices";
import type { ProbeStatus } from "@/server/contracts/health";
import type { Job } from "@/server/contracts/jobs";
import classes from "./ui.module.css";

/** The meaning of a state to a person; every page shows it by the same shape, word and color. */
export type Mark = "ok" | "warning" | "failing" | "unknown" | "stale" | "acknowledged";

const SHAPES: Record<Mark, React.ReactNode> = {
  acknowledged: (
    <g stroke="currentColor" strokeWidth="1.2" fill="none" strokeLinejoin="round" strokeLinecap="round">
      <path d="M2.2 8.8h7.6c-.9-.8-1.1-1.7-1.1-3.6 0-1.9-1-3.2-2.7-3.2S3.3 3.3 3.3 5.2c0 1.9-.2 2.8-1.1 3.6ZM5 10.6h2" />
      <path d="M1 11 11 1" />
    </g>
  ),
  ok: <circle cx="6" cy="6" r="4" fill="currentColor" />,
  warning: <path d="M6 1 11.4 11H.6Z" fill="currentColor" />,
  failing: <path d="M3.7.5h4.6l3.2 3.2v4.6l-3.2 3.2H3.7L.5 8.3V3.7Z" fill="currentColor" />,
  unknown: <circle cx="6" cy="6" r="3.8" fill="none" stroke="currentColor" strokeWidth="1.5" />,
  stale: (
    <g stroke="currentColor" strokeWidth="1.2" fill="none">
      <circle cx="6" cy="6" r="4.4" />
      <path d="M2.5 7.5 7.5 2.5M3.6 9.3 9.3 3.6M6 10.3 10.3 6" />
    </g>
  ),
};

/** The shape alone, for beside a word that is already there. */
export function MarkShape({ mark }: { mark: Mark }) {
  return (
    <svg className={classes.shape} data-mark={mark} viewBox="0 0 12 12" width="12" height="12" aria-hidden="true">
      {SHAPES[mark]}
    </svg>
  );
}

/** Shape, word and color of a state. */
export function StateMark({ mark, word, title }: { mark: Mark; word: string; title?: string }) {
  return (
    <span className={classes.mark} data-mark={mark} title={title}>
      <MarkShape mark={mark} />
      {word}
    </span>
  );
}

const DEVICE: Record<DeviceState, readonly [Mark, string, string]> = {
  live: ["ok", "Live", "Heard from lately"],
  stale: ["stale", "Stale", "Overdue"],
  silent: ["warning", "Silent", "Long overdue"],
  new: ["unknown", "New", "Discovered, nothing stored yet"],
};

/** The state of a device. @param isGone true if it is silent by a goodbye */
export function DeviceMark({ state, isGone = false }: { state: DeviceState; isGone?: boolean }) {
  const [mark, word, title] = DEVICE[state];
  return <StateMark mark={mark} word={word} title={isGone ? "It said goodbye, or its node did for it" : title} />;
}

const PROBE: Record<ProbeStatus, readonly [Mark, string]> = {
  pass: ["ok", "OK"],
  warn: ["warning", "Warning"],
  fail: ["failing", "Failing"],
  unknown: ["unknown", "Unknown"],
};

const JOB: Record<Job["state"], readonly [Mark, string]> = {
  running: ["ok", "Running"],
  retrying: ["warning", "Retrying"],
  failed: ["failing", "Failed"],
  overdue: ["warning", "Overdue"],
  waiting: ["unknown", "Waiting"],
  paused: ["stale", "Paused"],
  scheduled: ["ok", "Scheduled"],
  idle: ["unknown", "On request"],
};

/** The state of a job. */
export function JobMark({ state }: { state: Job["state"] }) {
  const [mark, word] = JOB[state];
  return <StateMark mark={mark} word={word} />;
}

/** The mark that stands for a probe's status. */
export function probeMark(status: ProbeStatus): Mark {
  return PROBE[status][0];
}

/** The status of a probe. */
export function ProbeMark({ status }: { status: ProbeStatus }) {
  const [mark, word] = PROBE[status];
  return <StateMark mark={mark} word={word} />;
}
