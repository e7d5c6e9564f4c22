import { within } from "@/server/async/timeout";
import { decodeMessage, type DecodeBounds } from "@/server/domain/decode-message";
import { markHeaders } from "@/server/domain/resend-mark";
import { siteHeaders } from "@/server/domain/site-mark";
import { OWN_SOURCE } from "@/server/domain/source";
import { sourceHeaders } from "@/server/domain/source-mark";
import { TOPICS } from "@/server/domain/terms";
import type { DeadLetterChange, DeadLetterEvent, DeadLetters, KeptDeadLetter } from "@/server/ports/dead-letters";
import { type EventLog, type LogRecord, LogUnavailableError } from "@/server/ports/event-log";
import { type Reread, type RereadDeliveries, stillRefused } from "./reread";

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

/** What became of dead letters that were to be sent. */
export interface Claimed {
  /** To append at first: whatever else a letter became. */
  readonly others: readonly LogRecord[];
  /** To append then, one for each letter that was taken: what becomes of it becomes of the letter. */
  readonly marked: readonly LogRecord[];
  /** The number of letters that are settled without a record: their mapping says that nothing of them is data. */
  readonly settled: number;
  /** Ids of letters that stay open, as they would be refused again. */
  readonly refused: readonly string[];
}

interface ClaimDeps {
  readonly deadLetters: Pick<DeadLetters, "change">;
  readonly reread: RereadDeliveries;
}

/** Takes open dead letters for sending; each can be taken by one at a time. Whole deliveries are read by their source's current mapping. */
export async function claim(
  { deadLetters, reread }: ClaimDeps,
  sendings: readonly Sending[],
  now: number,
  job?: string,
): Promise<Claimed> {
  const whole = sendings.filter(({ letter }) => letter.delivery !== null);
  const rereads = await reread(whole.map(({ letter, edited }) => ({ ...letter, raw: edited ?? letter.raw })));
  const ways = sendings.map((sending) => wayOf(sending, rereads.get(sending.letter.id)));
  const taken = await deadLetters.change(
    ways.map(({ sending: { letter, edited }, to, kind, detail }): DeadLetterChange => ({
      id: letter.id,
      from: ["open"],
      resends: letter.resends,
      to,
      ...(to === "resending" && { sends: true }),
      event: { time: now, kind, detail, edited: edited !== null },
      ...(job !== undefined && to !== "open" && { job }),
    })),
  );
  const mine = ways.filter(({ sending }) => taken.has(sending.letter.id));
  const records = mine.filter(({ to }) => to === "resending").map(({ sending, records }) => marked(sending, records));
  return {
    others: records.flatMap(([, ...others]) => others),
    marked: records.map(([first]) => first!),
    settled: mine.filter(({ to }) => to === "resent").length,
    refused: ways.filter(({ to }) => to === "open").map(({ sending }) => sending.letter.id),
  };
}

/** What is to be done with a letter. */
interface Way {
  readonly sending: Sending;
  readonly to: "resending" | "resent" | "open";
  readonly kind: DeadLetterEvent["kind"];
  readonly detail: string;
  readonly records: readonly LogRecord[];
}

function wayOf(sending: Sending, reread: Reread | undefined): Way {
  const { letter, edited } = sending;
  const sent = { sending, to: "resending", kind: "sent" } as const;
  const edition = edited === null ? "" : ", edited";
  if (letter.delivery === null)
    return {
      ...sent,
      detail: edited === null ? "Sent again as it was" : "Sent again, edited",
      records: [plain(sending)],
    };
  const why = stillRefused(letter.delivery.source, reread);
  if (why !== null) return { sending, to: "open", kind: "refused", detail: `Not sent: ${why}`, records: [] };
  const { records, version } = reread!;
  if (records.length > 0)
    return { ...sent, detail: `Sent again${edition}, read by version ${version} of the mapping`, records };
  return {
    ...{ sending, to: "resent", kind: "stored", records },
    detail: `Version ${version} of the mapping says that nothing of it is data`,
  };
}

/** The records of one letter, the mark on the first alone. */
function marked({ letter, edited }: Sending, [first, ...others]: readonly LogRecord[]): LogRecord[] {
  const mark = markHeaders({ letter: letter.id, attempt: letter.resends + 1, edited: edited !== null });
  return [{ ...first!, headers: { ...first!.headers, ...mark } }, ...others];
}

function plain({ letter, edited }: Sending): LogRecord {
  const { source, senderSite } = letter;
  return {
    key: edited === null ? letter.device : (deviceIn(edited) ?? letter.device),
    value: edited ?? letter.raw,
    headers: {
      ...(source !== null && source !== OWN_SOURCE && sourceHeaders(source, null)),
      ...(senderSite !== null && siteHeaders(senderSite)),
    },
  };
}

/**
 * Sends one dead letter again.
 * @returns false when it is not open any more, or somebody else was first.
 * @throws LogUnavailableError when nobody knows whether the log has it: then it stays claimed until that is known.
 */
export async function sendOne(
  { eventLog, ...deps }: ClaimDeps & { readonly eventLog: Pick<EventLog, "append"> },
  sending: Sending,
): Promise<boolean> {
  const claimedAt = Date.now();
  const { others, marked, settled } = await claim(deps, [sending], claimedAt);
  if (marked.length === 0) return settled > 0;
  const append = async () => {
    // Before the one that settles the letter: that tells that all is in the log.
    if (others.length > 0) await eventLog.append(TOPICS.telemetry, others, claimedAt + APPEND_WITHIN_MS);
    await eventLog.append(TOPICS.telemetry, marked, claimedAt + APPEND_WITHIN_MS);
  };
  await within(ANSWER_MS, append(), () => new LogUnavailableError("the log did not answer in time"));
  return true;
}

const ANY_TIME: DecodeBounds = { now: Number.MAX_SAFE_INTEGER, futureToleranceMs: 0, retentionMs: null };

/** Reads the device a message names, if it can be read. */
function deviceIn(message: Uint8Array): string | null {
  const outcome = decodeMessage(message, ANY_TIME);
  return outcome.ok ? outcome.message.device : (outcome.device ?? null);
}
