import type { Pool } from "pg";
import { findMoments, readingsAt } from "@/server/readings/moments";
import { counted } from "@/server/domain/counted";
import { DEAD_LETTER_REASONS } from "@/server/domain/reasons";
import { readMark, type ResendMark } from "@/server/domain/resend-mark";
import type {
  DeadLetter,
  DeadLetterChange,
  DeadLetterEvent,
  DeadLetters,
  KeptDeadLetter,
} from "@/server/ports/dead-letters";
import type { EnrichedMessage } from "@/server/ports/commit-batch";
import type { EnrichedBatch, SettlingBatch } from "../batch";
import { settle } from "../settlements";

/** The number of origins read at once; each comes with up to 64 KiB of message. */
const CHUNK = 100;

interface SettlementDeps {
  readonly pool: Pool;
  readonly deadLetters: Pick<DeadLetters, "find">;
}

interface SettleDeps {
  readonly deadLetters: Pick<DeadLetters, "change">;
}

/**
 * Finds the messages that are dead letters sent again, and what becomes of each. What is refused again goes on with the
 * history of the letter it comes from.
 */
export function createFindSettlements({ pool, deadLetters }: SettlementDeps) {
  return async (batch: EnrichedBatch): Promise<SettlingBatch> => {
    const told = new Map<number, ResendMark>();
    for (const { offset, headers } of batch.records) {
      const mark = readMark(headers);
      if (mark) told.set(offset, mark);
    }
    if (told.size === 0) return { ...batch, settlements: [] };
    const origins = await lettersOf(deadLetters, [...new Set([...told.values()].map(({ letter }) => letter))]);
    // A mark that names no letter, or a sending that never was, is somebody else's: the message is one like any other.
    const marks = new Map(
      [...told].filter(([, { letter, attempt }]) => attempt <= (origins.get(letter)?.resends ?? 0)),
    );
    if (marks.size === 0) return { ...batch, settlements: [] };

    const messages = new Map(
      batch.messages.flatMap((one) => (marks.has(one.record.offset) ? [[one.record.offset, one] as const] : [])),
    );
    const refused = new Map<number, DeadLetter[]>();
    for (const letter of batch.letters) {
      const { offset } = letter.position;
      if (marks.has(offset)) refused.set(offset, [...(refused.get(offset) ?? []), letter]);
    }
    const repeats = await repeatsOf(pool, [...messages.values()]);

    const settlements = new Map<string, DeadLetterChange>();
    const descended = new Map<DeadLetter, DeadLetter>();
    for (const [offset, mark] of marks) {
      const message = messages.get(offset);
      const again = refused.get(offset) ?? [];
      const event: DeadLetterEvent = {
        time: batch.processedTime,
        edited: mark.edited,
        ...outcomeOf(message, again, repeats.get(offset) ?? NOTHING_STORED),
      };
      for (const letter of again) {
        const history = [...(origins.get(mark.letter)?.history ?? []), event];
        descended.set(letter, { ...letter, resendOf: mark.letter, resends: mark.attempt, history });
      }
      // When a message is in the log twice, the second only brings repeats.
      if (settlements.has(mark.letter)) continue;
      settlements.set(mark.letter, {
        id: mark.letter,
        // Also when it was given up or taken back meanwhile: what was handled was handled.
        from: ["resending", "open", "discarded"],
        resends: mark.attempt,
        to: "resent",
        event,
        ...(event.kind === "refused" && again[0] && { resentAs: again[0].id }),
      });
    }
    const letters = batch.letters.map((letter) => descended.get(letter) ?? letter);
    return { ...batch, letters, settlements: [...settlements.values()] };
  };
}

/**
 * Says of each letter that was sent again what came of it, once that is committed. Never throws: the batch is through, and
 * what can't be told now is told by the job that looks after claims.
 */
export function createSettleResends({ pool, deadLetters }: Pick<SettlementDeps, "pool"> & SettleDeps) {
  return async ({ settlements }: SettlingBatch): Promise<void> => {
    if (settlements.length > 0) await settle(pool, deadLetters, settlements).catch(() => undefined);
  };
}

function outcomeOf(
  message: EnrichedMessage | undefined,
  again: readonly DeadLetter[],
  { repeats, conflicts }: Stored,
): Pick<DeadLetterEvent, "kind" | "detail"> {
  const first = again[0];
  if (first && (message === undefined || message.metrics.length + message.texts.length === 0)) {
    const more = again.length > 1 ? `, and ${again.length - 1} more` : "";
    return { kind: "refused", detail: `${DEAD_LETTER_REASONS[first.reason].title}: ${first.detail}${more}` };
  }
  const readings = message?.metrics.length ?? 0;
  const texts = message?.texts.length ?? 0;
  const parts = [
    `${counted(readings - repeats - conflicts, "reading")} stored`,
    counted(repeats, "repeat"),
    ...(conflicts > 0 ? [`${counted(conflicts, "conflict")} with another value, which stays`] : []),
    ...(texts > 0 ? [`${counted(texts, "text")} kept`] : []),
    ...(again.length > 0 ? [`${counted(again.length, "field")} refused again`] : []),
  ];
  return { kind: "stored", detail: parts.join(", ") };
}

/** Reads those of the letters that exist. */
async function lettersOf(
  deadLetters: Pick<DeadLetters, "find">,
  ids: readonly string[],
): Promise<ReadonlyMap<string, KeptDeadLetter>> {
  const letters = new Map<string, KeptDeadLetter>();
  for (let at = 0; at < ids.length; at += CHUNK) {
    const some = await deadLetters.find({ sites: "all", ids: ids.slice(at, at + CHUNK), limit: CHUNK });
    for (const letter of some) letters.set(letter.id, letter);
  }
  return letters;
}

/** The number of a message's readings that are already stored, with the same value and with another. */
interface Stored {
  readonly repeats: number;
  readonly conflicts: number;
}

const NOTHING_STORED: Stored = { repeats: 0, conflicts: 0 };

/** Counts what is already stored of each message, by its offset. The transaction has the last word. */
async function repeatsOf(pool: Pool, messages: readonly EnrichedMessage[]): Promise<ReadonlyMap<number, Stored>> {
  const samples = messages.flatMap(({ record, deviceId, message, metrics, values }) =>
    metrics.length === 0 ? [] : [{ deviceId, time: message.eventTime, metrics, values, offset: record.offset }],
  );
  if (samples.length === 0) return new Map();
  const stored = await findMoments(pool, samples);
  return new Map(
    samples.map((sample) => {
      const holder = stored.get(sample);
      const there = holder && readingsAt(holder);
      let [repeats, conflicts] = [0, 0];
      for (const [i, metric] of sample.metrics.entries()) {
        const kept = there?.get(metric);
        if (kept === sample.values[i]) repeats++;
        else if (kept !== undefined) conflicts++;
      }
      return [sample.offset, { repeats, conflicts }];
    }),
  );
}
