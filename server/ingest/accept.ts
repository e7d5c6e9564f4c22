import { setImmediate } from "node:timers/promises";
import { createSemaphore } from "@/server/async/semaphore";
import { within } from "@/server/async/timeout";
import type { RejectedItem, TelemetryAnswer } from "@/server/contracts/telemetry";
import type { DecodeBounds, MessageMapping } from "@/server/domain/message";
import type { DeadLetterReason } from "@/server/domain/reasons";
import { runHeaders } from "@/server/domain/replay-run";
import { TOPICS } from "@/server/domain/terms";
import { type EventLog, type LogRecord, LogUnavailableError } from "@/server/ports/event-log";
import { broken } from "./array-elements";
import { judgePayload } from "./judge-payload";
import type { IngestCounts } from "./ingest-rates";
import type { Payloads } from "./payloads";
import { IngestRefusedError } from "./refused";
import type { Share } from "./waiting-bytes";

/** A sender, and how its messages are read. */
interface Source {
  /** Null: its messages are in Fieldwatch's own shape. */
  readonly mapping: MessageMapping | null;
  /** The run of a replay the messages belong to; null if they don't. */
  readonly run: string | null;
  /** The one device it may speak for; null: any. */
  readonly device: string | null;
}

export interface AcceptDeps {
  readonly eventLog: Pick<EventLog, "append">;
  /** The most messages of one request. */
  readonly maxMessages: number;
  /** The time the log may take before the sender is told to try again, in milliseconds. */
  readonly appendTimeoutMs: number;
  /** Bounds of event times, as of now. */
  readonly bounds: () => DecodeBounds;
  /** Returns the counts of the present moment. */
  readonly counts: () => IngestCounts;
}

/**
 * Takes the messages of one request into the event log; every door ends here. Resolves once the log holds the accepted ones
 * durably; the others are named by their place. The share is released when the log has answered, or on a refusal.
 * @throws IngestRefusedError when nothing was taken, LogUnavailableError when the log can't or doesn't answer: then all come again.
 */
export type Accept = (payloads: Payloads, source: Source, share: Share) => Promise<TelemetryAnswer>;

/** The time judging may keep pages, sockets and timers waiting, in milliseconds. */
const TURN_MS = 8;
/** Requests being judged take turns, one at a time: a hundred large ones would each keep everybody waiting in every round. */
const NEVER = new AbortController().signal;

export function createAccept({ eventLog, maxMessages, appendTimeoutMs, bounds, counts }: AcceptDeps): Accept {
  const turns = createSemaphore(1);

  async function judge(payloads: Payloads, source: Source) {
    await turns.acquire(NEVER);
    try {
      return await judgeInTurns(payloads, source);
    } finally {
      turns.release();
    }
  }

  async function judgeInTurns({ each, asOne }: Payloads, { mapping, run, device }: Source) {
    const records: LogRecord[] = [];
    const rejected = createRejections();
    const asOf = bounds();
    const tagged = run === null ? {} : { headers: runHeaders(run) };
    let index = 0;
    let turn = performance.now();
    for (const payload of each) {
      if (index === maxMessages)
        throw new IngestRefusedError("too-many-messages", `The limit is ${maxMessages} messages in one request.`);
      const { bytes, outcome, isJson } = judgePayload(payload, mapping, asOf);
      if (outcome.ok && device !== null && outcome.message.device !== device)
        rejected.add({ index, reason: "notAllowed", detail: `this key speaks for ${device} alone` });
      else if (outcome.ok) records.push({ key: outcome.message.device, value: bytes, ...tagged });
      else if (asOne && !isJson) throw broken(outcome.detail);
      else rejected.add({ index, reason: outcome.reason, detail: outcome.detail });
      index++;
      if (performance.now() - turn < TURN_MS) continue;
      turns.release();
      await setImmediate();
      await turns.acquire(NEVER);
      turn = performance.now();
    }
    if (index === 0) throw new IngestRefusedError("empty-request", "Send at least one message.");
    if (records.length === 0) {
      countRejected(rejected);
      throw nothingAccepted(rejected);
    }
    return { records, rejected };
  }

  function countRejected({ sums }: Rejections): void {
    const { rejected } = counts();
    for (const [reason, count] of sums) rejected.set(reason, (rejected.get(reason) ?? 0) + count);
  }

  return async (payloads, source, share) => {
    const { records, rejected } = await judge(payloads, source).catch((error: unknown) => {
      share.release();
      throw error;
    });
    // The share is held for as long as the log is at it, however long after the sender was told.
    const appended = eventLog.append(TOPICS.telemetry, records).finally(() => share.release());
    await within(appendTimeoutMs, appended, () => new LogUnavailableError("the log did not answer in time"));
    // Only now: a request that failed comes again, and its rejected messages with it.
    countRejected(rejected);
    counts().accepted += records.length;
    return { accepted: records.length, ...rejected.told() };
  };
}

/** Rejected items of one request: the first of them are told one by one, so that the answer to nonsense is not larger than it. */
interface Rejections {
  add(item: RejectedItem): void;
  /** The number of items, by reason. */
  readonly sums: ReadonlyMap<DeadLetterReason, number>;
  told(): Pick<TelemetryAnswer, "rejected" | "rejectedMore">;
}

const MOST_TOLD = 100;

function createRejections(): Rejections {
  const first: RejectedItem[] = [];
  const sums = new Map<DeadLetterReason, number>();
  const more: Partial<Record<DeadLetterReason, number>> = {};
  return {
    sums,
    add(item) {
      sums.set(item.reason, (sums.get(item.reason) ?? 0) + 1);
      if (first.length < MOST_TOLD) first.push(item);
      else more[item.reason] = (more[item.reason] ?? 0) + 1;
    },
    told: () => ({ rejected: first, ...(Object.keys(more).length > 0 && { rejectedMore: more }) }),
  };
}

function nothingAccepted(rejections: Rejections): IngestRefusedError {
  const told = rejections.told();
  const { reason, detail } = told.rejected[0]!;
  const count = [...rejections.sums.values()].reduce((sum, each) => sum + each, 0);
  return new IngestRefusedError("nothing-accepted", `All ${count} rejected; the first: ${reason}: ${detail}.`, {
    members: told,
  });
}
