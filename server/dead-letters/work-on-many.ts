import { setTimeout as delay } from "node:timers/promises";
import { isRetryable } from "@/server/postgres/error-classes";
import type { JobContext } from "@/server/postgres/job";
import type { Sites } from "@/server/domain/access";
import type { DeadLetterReason } from "@/server/domain/reasons";
import { type EpochMs, PIPELINE_GROUP, TOPICS } from "@/server/domain/terms";
import type { DeadLetterChange, DeadLetterQuery, DeadLetters, KeptDeadLetter } from "@/server/ports/dead-letters";
import type { EventLog, LogRecord } from "@/server/ports/event-log";
import type { RereadDeliveries } from "./reread";
import { APPEND_WITHIN_MS, claim } from "./send";

/** The number of letters discarded or restored at a time. */
const CHUNK = 500;
/** The most letters sent at a time. */
const SEND_CHUNK = 250;
const RETRY_MS = 1000;

/** The job's name; each of its runs is one piece of work on many letters. */
export const DEAD_LETTERS_JOB = "dead-letters";

/** A run's task: its `params`. */
export interface WorkOnMany {
  readonly action: "resend" | "discard" | "restore";
  /** Only letters of devices that are at one of these when it comes to them; runs of earlier versions were for all. */
  readonly sites?: Sites;
  /** A device or field of null must be unknown. */
  readonly filter: {
    readonly reason?: DeadLetterReason;
    readonly device?: string | null;
    readonly field?: string | null;
    readonly source?: string;
  };
  /** Only letters the log took by then. */
  readonly until: EpochMs;
  /** The most letters sent a second. */
  readonly perSecond: number;
}

/** A run's counts besides how many letters it has dealt with: its `cursor`. */
export interface WorkOnManyOutcome {
  /** The number of letters somebody else had taken meanwhile. */
  readonly skipped: number;
  /** The outcome of a resend, once it is through. */
  readonly stored?: number;
  readonly refused?: number;
}

export interface WorkDeps {
  readonly deadLetters: Pick<DeadLetters, "find" | "change" | "count">;
  readonly eventLog: Pick<EventLog, "append" | "describe">;
  readonly reread: RereadDeliveries;
  /** Interval between looks at what is still on its way, in milliseconds. */
  readonly lookMs: number;
}

/** Does what is left of a run, however far it is. A resend is done when everything it sent has been handled. */
export async function workOnMany(deps: WorkDeps, ctx: JobContext): Promise<void> {
  const { deadLetters, eventLog } = deps;
  const { signal } = ctx;
  const { id } = ctx.run;
  const work = ctx.run.params as WorkOnMany;
  const { action, until, perSecond } = work;
  const resends = action === "resend";
  const query: DeadLetterQuery = {
    ...work.filter,
    sites: work.sites ?? "all",
    until,
    status: action === "restore" ? "discarded" : "open",
    limit: resends ? Math.min(SEND_CHUNK, Math.ceil(perSecond / 4)) : CHUNK,
  };
  // While the log is away nothing is claimed: it could only be reclaimed.
  if (resends) await eventLog.describe(TOPICS.telemetry, PIPELINE_GROUP);
  let moved = await movedBy(deps, id, action);
  let { skipped } = (ctx.run.cursor ?? { skipped: 0 }) as WorkOnManyOutcome;
  /** Letters that stay open, as they would be refused again: each is tried once. */
  const again = new Set<string>();
  const note = (outcome: Omit<WorkOnManyOutcome, "skipped"> = {}) =>
    ctx.note({ done: moved + skipped + again.size, cursor: { skipped, ...outcome } satisfies WorkOnManyOutcome });
  let after: KeptDeadLetter | undefined;
  /** True if nothing of it was on its way before the last search from the top. */
  let quiet = false;
  /** True if this search has found something to do. */
  let isFound = false;
  let sendAt = performance.now();

  for (;;) {
    await note();
    const found = await deadLetters.find({ ...query, ...(after && { after }) });
    const letters = found.filter(({ id: letter }) => !again.has(letter));
    if (found.length === 0) {
      const wasFound = isFound;
      after = undefined;
      isFound = false;
      // Once more from the top: meanwhile letters may have been reclaimed.
      if (wasFound) continue;
      if (quiet) break;
      else if (!resends || (await deadLetters.count({ sites: "all", job: id, status: "resending" })).resending === 0)
        quiet = true;
      else await delay(deps.lookMs, undefined, { signal });
      continue;
    }
    after = found.at(-1);
    if (letters.length === 0) continue;
    quiet = false;
    isFound = true;
    let some: number;
    if (resends) {
      const now = performance.now();
      if (sendAt > now) await delay(sendAt - now, undefined, { signal });
      sendAt = Math.max(sendAt, now) + (letters.length * 1000) / perSecond;
      signal.throwIfAborted();
      const claimedAt = Date.now();
      const sendings = letters.map((letter) => ({ letter, edited: null }));
      const claimed = await claim(deps, sendings, claimedAt, id);
      await appendUntil(eventLog, claimed.others, claimedAt + APPEND_WITHIN_MS, signal);
      await appendUntil(eventLog, claimed.marked, claimedAt + APPEND_WITHIN_MS, signal);
      for (const letter of claimed.refused) again.add(letter);
      some = claimed.marked.length + claimed.settled;
      skipped -= claimed.refused.length;
    } else {
      some = (await deadLetters.change(letters.map((letter) => changeOf(letter, action, id)))).size;
    }
    moved += some;
    skipped += letters.length - some;
  }
  if (!resends) return;
  const { resent, refused } = await deadLetters.count({ sites: "all", job: id });
  moved = await movedBy(deps, id, action);
  await note({ stored: resent - refused, refused: refused + again.size });
}

/** Appends, again and again while the log refuses, but never after the deadline: the letters may then be reclaimed. */
async function appendUntil(
  eventLog: Pick<EventLog, "append">,
  records: readonly LogRecord[],
  deadline: EpochMs,
  signal: AbortSignal,
): Promise<void> {
  if (records.length === 0) return;
  for (;;) {
    try {
      return await eventLog.append(TOPICS.telemetry, records, deadline);
    } catch (error) {
      if (!isRetryable(error) || Date.now() + RETRY_MS > deadline) throw error;
      await delay(RETRY_MS, undefined, { signal });
    }
  }
}

function changeOf({ id, resends }: KeptDeadLetter, action: WorkOnMany["action"], job: string): DeadLetterChange {
  const time = Date.now();
  const [from, to, kind, detail] =
    action === "restore"
      ? (["discarded", "open", "restored", "Taken back by a job on many"] as const)
      : (["open", "discarded", "discarded", "Given up by a job on many"] as const);
  return { id, from: [from], resends, to, event: { time, kind, detail, edited: false }, job };
}

/** Counts the letters the run has moved; those it sent that were reclaimed are to be sent once more. */
async function movedBy(
  { deadLetters }: Pick<WorkDeps, "deadLetters">,
  id: string,
  action: WorkOnMany["action"],
): Promise<number> {
  const { open, resending, resent, discarded } = await deadLetters.count({ sites: "all", job: id });
  return resending + resent + discarded + (action === "resend" ? 0 : open);
}
