import { setImmediate } from "node:timers/promises";
import { createSemaphore } from "@/server/async/semaphore";
import { within } from "@/server/async/timeout";
import type { RejectedItem, TelemetryAnswer } from "@/server/contracts/telemetry";
import type { DecodeBounds, DecodeOutcome } from "@/server/domain/decode-message";
import type { DecodedMessage } from "@/server/domain/message";
import { DEAD_LETTER_REASONS, type DeadLetterReason } from "@/server/domain/reasons";
import { type EpochMs, TOPICS } from "@/server/domain/terms";
import { type EventLog, type LogRecord, LogUnavailableError, type RecordHeaders } from "@/server/ports/event-log";
import type { Admission, Judging, Verdict } from "./admission";
import type { IngestCounts } from "./ingest-rates";
import type { Pace } from "./pace";
import { IngestRefusedError } from "./refused";
import type { Sender } from "./sender";
import type { Share } from "./waiting-bytes";

/** A message in Fieldwatch's own shape, and what decoding finds in it. */
interface Item {
  readonly bytes: Uint8Array;
  readonly outcome: DecodeOutcome;
  /** Headers of its record alone, beside those of all. */
  readonly headers?: RecordHeaders;
}

/** Whose messages they are, and what becomes of those that aren't taken. */
interface Accepting {
  readonly sender: Sender;
  /** Headers of every record; null for none. */
  readonly headers: RecordHeaders | null;
  /** The most of them; left out: as many as any request may have. */
  readonly most?: number;
  /** Called with each item that is rejected. */
  readonly rejected?: (item: RejectedItem) => void;
  /** The door keeps and counts by itself what is rejected: nothing accepted is no error then, nor is nothing at all. */
  readonly keeping?: {
    /** Called when all are judged. @returns further records, which are appended with the accepted ones. */
    readonly records: () => readonly LogRecord[];
  };
}

export interface AcceptDeps {
  readonly eventLog: Pick<EventLog, "append">;
  /** The most messages of one request. */
  readonly maxMessages: number;
  /** The time the log may take before the sender is told to try again, in milliseconds. */
  readonly appendTimeoutMs: number;
  /** Bounds of event times, as of now. */
  readonly bounds: () => DecodeBounds;
  readonly admission: Pick<Admission, "of">;
  readonly pace: Pick<Pace, "spend">;
  /** Returns the counts of the present moment. */
  readonly counts: () => IngestCounts;
}

/**
 * Takes the messages of one request into the event log; every door ends here. They are made while they are judged, in turns, so that a large request
 * keeps nobody waiting. Resolves once the log holds the accepted ones durably; the others are named by their place. The share is released when
 * the log has answered, or on a refusal.
 * @throws IngestRefusedError when nothing was taken, LogUnavailableError when the log can't or doesn't answer: then all come again.
 */
export type Accept = (
  items: (bounds: DecodeBounds) => Iterable<Item>,
  how: Accepting,
  share: Pick<Share, "release">,
) => Promise<TelemetryAnswer>;

/** The time judging may keep pages, sockets and timers waiting, in milliseconds. */
const TURN_MS = 8;

export function createAccept(deps: AcceptDeps): Accept {
  const { eventLog, maxMessages, appendTimeoutMs, bounds, counts, admission, pace } = deps;
  // Requests being judged take turns: a hundred large ones would each keep everybody waiting in every round.
  const turns = createSemaphore(1);

  async function judge(items: Parameters<Accept>[0], how: Accepting) {
    const judging = await admission.of(how.sender);
    await turns.acquire();
    try {
      return await judgeInTurns(items, how, judging);
    } finally {
      turns.release();
    }
  }

  async function judgeInTurns(
    items: Parameters<Accept>[0],
    { headers, sender, rejected: heard, keeping, most = maxMessages }: Accepting,
    judging: Judging,
  ) {
    const taken: Taken[] = [];
    const unsure: { readonly place: number; readonly message: DecodedMessage }[] = [];
    const rejected = createRejections(heard);
    const settle = (place: number, verdict: Verdict) => {
      const one = taken[place]!;
      if (verdict.ok) {
        const all = together(headers, verdict.headers, one.headers);
        one.record = { key: one.device, value: one.bytes, ...(all && { headers: all }) };
      } else rejected.add({ index: one.index, reason: verdict.reason, detail: verdict.detail }, verdict.retryAt);
    };
    let index = 0;
    let turn = performance.now();
    for (const { bytes, outcome, headers: own = null } of items(bounds())) {
      if (index === most)
        throw new IngestRefusedError("too-many-messages", `The limit is ${most} messages in one request.`);
      if (outcome.ok) {
        const { message } = outcome;
        const place = taken.push({ index, device: message.device, bytes, headers: own, record: null }) - 1;
        const verdict = judging.look(message);
        if (verdict === null) unsure.push({ place, message });
        else settle(place, verdict);
      } else rejected.add({ index, reason: outcome.reason, detail: outcome.detail });
      index++;
      if (performance.now() - turn < TURN_MS) continue;
      turns.release();
      await setImmediate();
      await turns.acquire();
      turn = performance.now();
    }
    if (index === 0 && !keeping) throw new IngestRefusedError("empty-request", "Send at least one message.");
    pace.spend(sender.use, { messages: index });
    if (unsure.length > 0) {
      // Not in its turn: it waits for the database.
      turns.release();
      try {
        const verdicts = await judging.ask(unsure.map(({ message }) => message));
        verdicts.forEach((verdict, i) => settle(unsure[i]!.place, verdict));
      } finally {
        await turns.acquire();
      }
    }
    const records = taken.flatMap(({ record }) => record ?? []);
    if (records.length === 0 && !keeping) {
      countRejected(rejected);
      throw nothingAccepted(rejected);
    }
    return { records, rejected };
  }

  async function append(records: readonly LogRecord[]): Promise<void> {
    if (records.length > 0) await eventLog.append(TOPICS.telemetry, records);
  }

  function countRejected({ sums }: Rejections): void {
    const { rejected } = counts();
    for (const [reason, count] of sums) rejected.set(reason, (rejected.get(reason) ?? 0) + count);
  }

  return async (items, how, share) => {
    const { records, rejected, kept } = await judge(items, how)
      .then((judged) => ({ ...judged, kept: how.keeping?.records() ?? [] }))
      .catch((error: unknown) => {
        share.release();
        throw error;
      });
    // The share is held for as long as the log is at it, however long after the sender was told.
    const appended = append([...records, ...kept]).finally(() => share.release());
    await within(appendTimeoutMs, appended, () => new LogUnavailableError("the log did not answer in time"));
    // Only now: a request that failed comes again, and its rejected messages with it.
    if (!how.keeping) countRejected(rejected);
    counts().accepted += records.length;
    return { accepted: records.length, ...rejected.told() };
  };
}

/** A message that can be read, on its way to the log. */
interface Taken {
  readonly index: number;
  readonly device: string;
  readonly bytes: Uint8Array;
  readonly headers: RecordHeaders | null;
  /** Null unless its sender may send it. */
  record: LogRecord | null;
}

/** Headers from several places as one; the same object where there is but one. */
function together(...parts: readonly (RecordHeaders | null)[]): RecordHeaders | null {
  const some = parts.filter((part) => part !== null);
  return some.length > 1 ? Object.assign({}, ...some) : (some[0] ?? null);
}

/** Rejected items of one request: the first of them are told one by one, so that the answer to nonsense is not larger than it. */
interface Rejections {
  /** @param retryAt when it would be taken, if that is known. */
  add(item: RejectedItem, retryAt?: EpochMs | null): void;
  /** The number of items, by reason. */
  readonly sums: ReadonlyMap<DeadLetterReason, number>;
  /** The earliest time at which one of them would be taken; null if none. */
  retryAt(): EpochMs | null;
  told(): Pick<TelemetryAnswer, "rejected" | "rejectedMore">;
}

const MOST_TOLD = 100;

function createRejections(heard?: (item: RejectedItem) => void): Rejections {
  const first: RejectedItem[] = [];
  let earliest: EpochMs | null = null;
  const sums = new Map<DeadLetterReason, number>();
  const more: Partial<Record<DeadLetterReason, number>> = {};
  return {
    sums,
    retryAt: () => earliest,
    add(item, retryAt = null) {
      heard?.(item);
      if (retryAt !== null) earliest = Math.min(earliest ?? Infinity, retryAt);
      sums.set(item.reason, (sums.get(item.reason) ?? 0) + 1);
      if (first.length < MOST_TOLD) first.push(item);
      else more[item.reason] = (more[item.reason] ?? 0) + 1;
    },
    // What the catalog had to be asked about comes after the others.
    told: () => ({
      rejected: first.sort((a, b) => a.index - b.index),
      ...(Object.keys(more).length > 0 && { rejectedMore: more }),
    }),
  };
}

function nothingAccepted(rejections: Rejections): IngestRefusedError {
  const told = rejections.told();
  const { reason, detail } = told.rejected[0]!;
  const count = [...rejections.sums.values()].reduce((sum, each) => sum + each, 0);
  const all = `All ${count} rejected; the first: ${reason}: ${detail}.`;
  const retryAt = rejections.retryAt();
  if (rejections.sums.size === 1 && reason === "notAllowed")
    return new IngestRefusedError("not-allowed", all, { members: told });
  if (rejections.sums.size === 1 && reason === "tooManyNew" && retryAt !== null) {
    const retryAfterSeconds = Math.max(1, Math.ceil((retryAt - Date.now()) / 1000));
    return new IngestRefusedError("too-many-new", all, { members: told, retryAfterSeconds });
  }
  return new IngestRefusedError("nothing-accepted", `${all} ${DEAD_LETTER_REASONS[reason].fix}`, { members: told });
}
