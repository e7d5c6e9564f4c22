import { command } from "@/server/domain/fix";
import type { EpochMs } from "@/server/domain/terms";
import type { JobRow } from "./read";

/** A job's state, and where that is not well: why, and what to do. */
export interface JobState {
  readonly state: "running" | "retrying" | "failed" | "overdue" | "waiting" | "paused" | "scheduled" | "idle";
  readonly cause: string | null;
  readonly fix: string | null;
}

/** Workers look every second: after this long without one, none is there. */
const OVERDUE_MS = 60_000;

/** @param now by the clock that the rows' times are of, roughly. */
export function stateOf({ everyMs, paused, nextAt, current, last, name }: JobRow, now: EpochMs): JobState {
  const well = (state: JobState["state"]): JobState => ({ state, cause: null, fix: null });
  const noWorker = (since: EpochMs): JobState => ({
    state: "overdue",
    cause: `No worker has taken it for ${Math.round((now - since) / 60_000)} min.`,
    fix: `See whether a worker runs; start one with ${command`npm run worker`}.`,
  });
  if (current?.state === "running") return well("running");
  if (current) {
    const due = current.notBefore ?? current.createdAt;
    if (now - due > OVERDUE_MS) return noWorker(due);
    if (current.error === null) return well("waiting");
    const fix = "It is tried again by itself. Where an engine is away, its probe under Health says more.";
    return { state: "retrying", cause: current.error, fix };
  }
  if (!paused && nextAt !== null && now - nextAt > OVERDUE_MS) return noWorker(nextAt);
  if (last?.state === "failed") {
    const again = everyMs === null ? "start it again" : "run it again";
    const fix = `Mend what the cause names, then ${again}. The worker's log has more: look for ${command`"job":"${name}"`}.`;
    return { state: "failed", cause: last.error, fix };
  }
  if (everyMs === null) return well("idle");
  return well(paused ? "paused" : "scheduled");
}
