import { within } from "@/server/async/timeout";
import { decodeMessage, type DecodeBounds } from "@/server/domain/message";
import { markHeaders } from "@/server/domain/resend-mark";
import { siteHeaders } from "@/server/domain/site-mark";
import { TOPICS } from "@/server/domain/terms";
import type { DeadLetterChange, DeadLetters, KeptDeadLetter } from "@/server/ports/dead-letters";
import { type EventLog, type LogRecord, LogUnavailableError } from "@/server/ports/event-log";

/**
 * The age of a claim, in milliseconds, at which its message is in the log or never will be: whoever claims gives up
 * appending well before, so that a letter can be reclaimed without being sent twice.
 */
export const CLAIM_MS = 120_000;
/** The time after its claim by which the log is handed a message, in milliseconds; its answer takes far less than what is left. */
export const APPEND_WITHIN_MS = 30_000;

/** The longest a person waits for the log's answer, in milliseconds. */
const ANSWER_MS = 30_000;

/** A dead letter to send again. */
export interface Sending {
  readonly letter: KeptDeadLetter;
  /** The message to send instead of the letter's own bytes. */
  readonly edited: Uint8Array | null;
}

/**
 * Takes open dead letters for sending; each can be taken by one at a time.
 * @returns the records to append for those that were taken.
 */
export async function claim(
  deadLetters: Pick<DeadLetters, "change">,
  sendings: readonly Sending[],
  now: number,
  job?: string,
): Promise<readonly LogRecord[]> {
  const taken = await deadLetters.change(
    sendings.map(({ letter, edited }): DeadLetterChange => ({
      id: letter.id,
      from: ["open"],
      resends: letter.resends,
      to: "resending",
      sends: true,
      event: {
        time: now,
        kind: "sent",
        detail: edited === null ? "Sent again as it was" : "Sent again, edited",
        edited: edited !== null,
      },
      ...(job !== undefined && { job }),
    })),
  );
  return sendings.filter(({ letter }) => taken.has(letter.id)).map(recordOf);
}

/**
 * Sends one dead letter again.
 * @returns false when it is not open any more, or somebody else was first.
 * @throws LogUnavailableError when nobody knows whether the log has it: then it stays claimed until that is known.
 */
export async function sendOne(
  { deadLetters, eventLog }: { deadLetters: Pick<DeadLetters, "change">; eventLog: Pick<EventLog, "append"> },
  sending: Sending,
): Promise<boolean> {
  const claimedAt = Date.now();
  const records = await claim(deadLetters, [sending], claimedAt);
  if (records.length === 0) return false;
  const appended = eventLog.append(TOPICS.telemetry, records, claimedAt + APPEND_WITHIN_MS);
  await within(ANSWER_MS, appended, () => new LogUnavailableError("the log did not answer in time"));
  return true;
}

function recordOf({ letter, edited }: Sending): LogRecord {
  const value = edited ?? letter.raw;
  return {
    key: edited === null ? letter.device : (deviceIn(edited) ?? letter.device),
    value,
    headers: {
      ...markHeaders({ letter: letter.id, attempt: letter.resends + 1, edited: edited !== null }),
      ...(letter.senderSite !== null && siteHeaders(letter.senderSite)),
    },
  };
}

const ANY_TIME: DecodeBounds = { now: Number.MAX_SAFE_INTEGER, futureToleranceMs: 0, retentionMs: null };

/** Reads the device a message names, if it can be read. */
function deviceIn(message: Uint8Array): string | null {
  const outcome = decodeMessage(message, ANY_TIME);
  return outcome.ok ? outcome.message.device : (outcome.device ?? null);
}
