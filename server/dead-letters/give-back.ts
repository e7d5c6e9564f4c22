import { type EpochMs, PIPELINE_GROUP, TOPICS } from "@/server/domain/terms";
import type { DeadLetterChange, DeadLetters, KeptDeadLetter } from "@/server/ports/dead-letters";
import type { EventLog } from "@/server/ports/event-log";
import { CLAIM_MS } from "./send";

/** Letters looked at together. */
const CHUNK = 200;

export interface GiveBackDeps {
  readonly deadLetters: Pick<DeadLetters, "find" | "change">;
  readonly eventLog: Pick<EventLog, "describe">;
  readonly now: () => EpochMs;
  readonly claimMs?: number;
}

/** Up to where the log must have been handled before claims made before `before` may be given back. */
interface Mark {
  readonly cluster: string;
  readonly ends: ReadonlyMap<number, number>;
  readonly before: EpochMs;
}

/**
 * Opens letters again that were claimed but never came into the log, because who claimed them was killed in between. Call it
 * again and again. A letter is given back only when everything the log held well after the claim has been handled: a message
 * that is in the log, however long it waits there, is never sent a second time. @returns how many were given back.
 */
export function createGiveBack({ deadLetters, eventLog, now, claimMs = CLAIM_MS }: GiveBackDeps) {
  let mark: Mark | null = null;

  return async (): Promise<number> => {
    const before = now() - claimMs;
    if (mark === null && !(await anyClaimed(before))) return 0;
    const { cluster, partitions } = await eventLog.describe(TOPICS.telemetry, PIPELINE_GROUP);
    const known = mark;
    const isOther =
      known?.cluster !== cluster || partitions.some(({ partition, end }) => end < endIn(known, partition));
    mark = known === null || isOther ? { cluster, ends: endsOf(partitions), before } : known;
    const reached = mark;
    if (!partitions.every(({ partition, start, committed }) => (committed ?? start) >= endIn(reached, partition)))
      return 0;
    mark = null;
    return giveBack(reached.before);
  };

  async function anyClaimed(before: EpochMs): Promise<boolean> {
    for await (const letters of claimed()) if (letters.some((letter) => isBefore(letter, before))) return true;
    return false;
  }

  async function giveBack(before: EpochMs): Promise<number> {
    let count = 0;
    for await (const letters of claimed()) {
      const changes = letters
        .filter((letter) => isBefore(letter, before))
        .map(({ id, replays }): DeadLetterChange => {
          const detail = "It did not reach the event log; it can be sent again";
          return {
            id,
            from: ["replaying"],
            replays,
            to: "open",
            event: { time: now(), kind: "restored", detail, edited: false },
          };
        });
      count += (await deadLetters.change(changes)).size;
    }
    return count;
  }

  async function* claimed(): AsyncGenerator<readonly KeptDeadLetter[]> {
    let last: KeptDeadLetter | undefined;
    do {
      const found = await deadLetters.find({
        status: "replaying",
        limit: CHUNK,
        ...(last && { after: { ingestTime: last.ingestTime, id: last.id } }),
      });
      if (found.length > 0) yield found;
      last = found.length === CHUNK ? found.at(-1) : undefined;
    } while (last);
  }
}

function isBefore({ changedAt }: KeptDeadLetter, before: EpochMs): boolean {
  return changedAt !== null && changedAt <= before;
}

function endsOf(partitions: readonly { readonly partition: number; readonly end: number }[]): Map<number, number> {
  return new Map(partitions.map(({ partition, end }) => [partition, end]));
}

function endIn(mark: Mark | null, partition: number): number {
  return mark?.ends.get(partition) ?? 0;
}
