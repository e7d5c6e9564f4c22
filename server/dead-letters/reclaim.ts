import { setTimeout as delay } from "node:timers/promises";
import type { JobContext } from "@/server/postgres/job";
import { type EpochMs, PIPELINE_GROUP, TOPICS } from "@/server/domain/terms";
import type { DeadLetterChange, DeadLetters, KeptDeadLetter } from "@/server/ports/dead-letters";
import type { EventLog } from "@/server/ports/event-log";

/** The number of letters looked at together. */
const CHUNK = 200;

export interface ReclaimDeps {
  readonly deadLetters: Pick<DeadLetters, "find" | "change">;
  readonly eventLog: Pick<EventLog, "describe">;
  /** Records outcomes on letters where a worker that was killed could not. */
  readonly settleLeft: () => Promise<void>;
  readonly now: () => EpochMs;
  /** The age a claim must have, in milliseconds. */
  readonly claimMs: number;
  /** Interval between looks at how far the log is handled, in milliseconds. */
  readonly lookMs: number;
}

/**
 * Opens letters again that were claimed but never reached the log, because whoever claimed them was killed in between. A
 * letter is reclaimed only when everything the log held well after the claim has been handled: a message that is in the
 * log, however long it waits there, is never sent a second time.
 */
export async function reclaimLetters(deps: ReclaimDeps, ctx: Pick<JobContext, "signal" | "note">): Promise<void> {
  const { deadLetters, eventLog, settleLeft, now, claimMs, lookMs } = deps;
  await settleLeft();
  const before = now() - claimMs;
  if (!(await anyClaimed())) return;
  let mark = await ends();
  while (!isHandled(mark.partitions, await ends())) {
    await ctx.note({ done: 0 });
    await delay(lookMs, undefined, { signal: ctx.signal });
    // It is another log: what the old one held is not handled any more, what this one holds must be.
    const found = await ends();
    const isOther =
      found.cluster !== mark.cluster ||
      found.partitions.some(({ partition, end }) => end < endIn(mark.partitions, partition));
    if (isOther) mark = found;
  }

  // Letters that were handled meanwhile did reach the log.
  await settleLeft();
  let done = 0;
  for await (const letters of claimed()) {
    const changes = letters.filter(isOld).map(({ id, resends }): DeadLetterChange => {
      const detail = "It did not reach the event log; it can be sent again";
      const event = { time: now(), kind: "restored", detail, edited: false } as const;
      return { id, from: ["resending"], resends, to: "open", event };
    });
    done += (await deadLetters.change(changes)).size;
    await ctx.note({ done });
  }

  function ends() {
    return eventLog.describe(TOPICS.telemetry, PIPELINE_GROUP);
  }

  function isOld({ changedAt }: KeptDeadLetter): boolean {
    return changedAt !== null && changedAt <= before;
  }

  async function anyClaimed(): Promise<boolean> {
    for await (const letters of claimed()) if (letters.some(isOld)) return true;
    return false;
  }

  async function* claimed(): AsyncGenerator<readonly KeptDeadLetter[]> {
    let last: KeptDeadLetter | undefined;
    do {
      ctx.signal.throwIfAborted();
      const found = await deadLetters.find({
        sites: "all",
        status: "resending",
        limit: CHUNK,
        ...(last && { after: { ingestTime: last.ingestTime, id: last.id } }),
      });
      if (found.length > 0) yield found;
      last = found.length === CHUNK ? found.at(-1) : undefined;
    } while (last);
  }
}

type Ends = readonly { readonly partition: number; readonly end: number }[];

function isHandled(
  mark: Ends,
  { partitions }: { readonly partitions: readonly { partition: number; start: number; committed: number | null }[] },
): boolean {
  return partitions.every(({ partition, start, committed }) => (committed ?? start) >= endIn(mark, partition));
}

function endIn(mark: Ends, partition: number): number {
  return mark.find((one) => one.partition === partition)?.end ?? 0;
}
