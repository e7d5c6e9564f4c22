import { setTimeout as delay } from "node:timers/promises";
import type { Pool } from "pg";
import { type DeadLetterJobRow, endDeadLetterJob, noteJobProgress } from "./dead-letter-jobs";
import { isRetryable } from "@/server/postgres/error-classes";
import { PIPELINE_GROUP, TOPICS } from "@/server/domain/terms";
import type { DeadLetterChange, DeadLetterQuery, DeadLetters, KeptDeadLetter } from "@/server/ports/dead-letters";
import type { EventLog, LogRecord } from "@/server/ports/event-log";
import { APPEND_WITHIN_MS, claim } from "./send";

/** Letters discarded or restored at a time. */
const CHUNK = 500;
/** Letters sent at a time, at most. */
const SEND_CHUNK = 250;
const RETRY_MS = 1000;

export interface WorkDeps {
  readonly pool: Pool;
  readonly deadLetters: Pick<DeadLetters, "find" | "change" | "count">;
  readonly eventLog: Pick<EventLog, "append" | "describe">;
  /** How long to wait between two looks at what is still on its way, in milliseconds. */
  readonly lookMs: number;
}

/**
 * Does what is left of a job, wherever it stands. A replay is done when everything it sent has been handled. Returns early
 * when it is stopped; throws when `signal` aborts or an engine is away: then it is to be called again.
 */
export async function workOnJob(deps: WorkDeps, job: DeadLetterJobRow, signal: AbortSignal): Promise<void> {
  const { pool, deadLetters, eventLog } = deps;
  const { id, action, until } = job;
  const replays = action === "replay";
  const query: DeadLetterQuery = {
    ...job.filter,
    until,
    status: action === "restore" ? "discarded" : "open",
    limit: replays ? Math.min(SEND_CHUNK, Math.ceil(job.perSecond / 4)) : CHUNK,
  };
  // While the log is away nothing is claimed: it could only be given back.
  if (replays) await eventLog.describe(TOPICS.telemetry, PIPELINE_GROUP);
  let done = await changedBy(deps, job);
  let { skipped } = job;
  let after: KeptDeadLetter | undefined;
  /** Nothing of it was on its way before the last search. */
  let quiet = false;
  let sendAt = performance.now();

  while (await noteJobProgress(pool, id, { done, skipped })) {
    signal.throwIfAborted();
    const letters = await deadLetters.find({ ...query, ...(after && { after }) });
    if (letters.length === 0) {
      // Once more from the top: meanwhile letters may have been given back.
      if (after !== undefined) after = undefined;
      else if (quiet) {
        if (replays) await noteJobProgress(pool, id, { done: await changedBy(deps, job), skipped });
        await endDeadLetterJob(pool, id, "done");
        return;
      } else if (!replays || (await deadLetters.count({ job: id, status: "replaying" })).replaying === 0) quiet = true;
      else await delay(deps.lookMs, undefined, { signal });
      continue;
    }
    quiet = false;
    after = letters.at(-1);
    let moved: number;
    if (replays) {
      const now = performance.now();
      if (sendAt > now) await delay(sendAt - now, undefined, { signal });
      sendAt = Math.max(sendAt, now) + (letters.length * 1000) / job.perSecond;
      const claimedAt = Date.now();
      const records = await claim(
        deadLetters,
        letters.map((letter) => ({ letter, edited: null })),
        claimedAt,
        id,
      );
      await appendUntil(eventLog, records, claimedAt + APPEND_WITHIN_MS, signal);
      moved = records.length;
    } else moved = (await deadLetters.change(letters.map((letter) => changeOf(letter, job)))).size;
    done += moved;
    skipped += letters.length - moved;
  }
}

/** Appends, again and again while the log refuses: a message that is in it twice only counts as repeats. */
async function appendUntil(
  eventLog: Pick<EventLog, "append">,
  records: readonly LogRecord[],
  deadline: number,
  signal: AbortSignal,
): Promise<void> {
  if (records.length === 0) return;
  for (;;) {
    try {
      return await eventLog.append(TOPICS.telemetry, records);
    } catch (error) {
      if (!isRetryable(error) || Date.now() + RETRY_MS > deadline) throw error;
      await delay(RETRY_MS, undefined, { signal });
    }
  }
}

function changeOf({ id, replays }: KeptDeadLetter, job: DeadLetterJobRow): DeadLetterChange {
  const time = Date.now();
  const [from, to, kind, detail] =
    job.action === "restore"
      ? (["discarded", "open", "restored", "Taken back by a job on many"] as const)
      : (["open", "discarded", "discarded", "Given up by a job on many"] as const);
  return { id, from: [from], replays, to, event: { time, kind, detail, edited: false }, job: job.id };
}

/** Letters the job has moved; those it sent that were given back are to be sent once more. */
async function changedBy({ deadLetters }: WorkDeps, { id, action }: DeadLetterJobRow): Promise<number> {
  const { open, replaying, replayed, discarded } = await deadLetters.count({ job: id });
  return replaying + replayed + discarded + (action === "replay" ? 0 : open);
}
