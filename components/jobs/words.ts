import type { Job, JobRun } from "@/server/contracts/jobs";
import { formatDuration, formatSeconds, formatTotal } from "../ui/format";
import type { Mark } from "../ui/state-mark";

/** Words and marks of a run's states. */
export const RUN_STATES: Record<JobRun["state"], readonly [Mark, string]> = {
  waiting: ["unknown", "Waiting"],
  running: ["ok", "Running"],
  stopping: ["stale", "Stopping"],
  done: ["ok", "Done"],
  stopped: ["stale", "Stopped"],
  failed: ["failing", "Failed"],
};

/** "Every 10 min" */
export function intervalOf({ everySeconds }: Pick<Job, "everySeconds">): string {
  return everySeconds === null ? "When asked for" : `Every ${formatSeconds(everySeconds)}`;
}

/** The page where people ask for a job that doesn't run by itself; undefined for one that nobody asks for. */
export function placeOf({ name }: Pick<Job, "name">): { readonly title: string; readonly href: string } | undefined {
  return name === "dead-letters" ? { title: "Dead letters", href: "/dead-letters" } : undefined;
}

/** Says how far a run is: "1,200 of 5,000 hours merged", "1,200 hours merged so far", "nothing to do". */
export function progressOf(
  { state, done, total }: Pick<JobRun, "state" | "done" | "total">,
  counts: Job["counts"],
): string {
  const unit = counts === null ? "" : ` ${(total ?? done) === 1 ? counts.one : counts.many}`;
  if (total !== null) return `${formatTotal(done)} of ${formatTotal(total)}${unit}`;
  if (state === "running" || state === "stopping") return `${formatTotal(done)}${unit} so far`;
  if (state === "done" && done === 0) return "nothing to do";
  return `${formatTotal(done)}${unit}`;
}

/** Says how long a run took; null until it has ended. */
export function tookOf({ startedAt, finishedAt }: Pick<JobRun, "startedAt" | "finishedAt">): string | null {
  if (startedAt === null || finishedAt === null) return null;
  return formatDuration(Math.max(1, Date.parse(finishedAt) - Date.parse(startedAt)));
}

/** A fix in its parts: words, and what can be copied. */
export function fixParts(fix: string): { readonly text: string; readonly isCommand: boolean }[] {
  return fix
    .split("`")
    .map((text, i) => ({ text: text.trim(), isCommand: i % 2 === 1 }))
    .filter(({ text }) => text !== "" && text !== ".");
}
