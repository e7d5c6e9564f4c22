import { writeJson } from "@/server/domain/json";
import { decodeJson, type DecodeBounds, type DecodeOutcome, parseMessage } from "@/server/domain/decode-message";
import { mapMessage, type MessageMapping } from "@/server/domain/message-mapping";
import { MESSAGE_LIMITS } from "@/server/domain/terms";
import { broken } from "./array-elements";
import type { Payloads } from "./payloads";

/** One message of a request: what goes to the log, and what decoding found. */
export interface Judged {
  readonly bytes: Uint8Array;
  readonly outcome: DecodeOutcome;
  /** False if its bytes are no JSON at all. */
  readonly isJson: boolean;
}

/**
 * Decodes the messages of a request, one after the other.
 * @throws IngestRefusedError where one that isn't JSON spoils all.
 */
export function* judgePayloads(
  { each, asOne }: Payloads,
  mapping: MessageMapping | null,
  bounds: DecodeBounds,
): Generator<Judged> {
  for (const payload of each) {
    const judged = judgePayload(payload, mapping, bounds);
    if (asOne && !judged.isJson && !judged.outcome.ok) throw broken(judged.outcome.detail);
    yield judged;
  }
}

/**
 * Decodes one message as the worker will. In Fieldwatch's own shape it goes to the log byte for byte; a foreign one is
 * written anew in that shape.
 */
export function judgePayload(bytes: Uint8Array, mapping: MessageMapping | null, bounds: DecodeBounds): Judged {
  const parsed = parseMessage(bytes);
  if (!parsed.ok) return { bytes, outcome: parsed, isJson: parsed.reason !== "notJson" };
  if (mapping === null) return { bytes, outcome: decodeJson(parsed, bounds), isJson: true };
  const message = mapMessage(parsed, mapping);
  const outcome = decodeJson(message, bounds);
  if (!outcome.ok) return { bytes, outcome, isJson: true };
  // Written anew it would say once what it says twice: only here it can be told.
  const twice = message.repeated?.find((names) => names.length === 2)?.[1];
  if (twice !== undefined) {
    const detail = `it says ${JSON.stringify(twice.slice(0, 80))} more than once`;
    return { bytes, outcome: { ok: false, reason: "notJson", detail, device: outcome.message.device }, isJson: true };
  }
  const written = Buffer.from(writeJson(message.json, message.tokens));
  return { bytes: written, outcome: fits(written) ? outcome : tooLarge(written), isJson: true };
}

function fits(bytes: Uint8Array): boolean {
  return bytes.byteLength <= MESSAGE_LIMITS.bytes;
}

function tooLarge(bytes: Uint8Array): DecodeOutcome {
  return { ok: false, reason: "tooLarge", detail: `${bytes.byteLength} bytes; the limit is ${MESSAGE_LIMITS.bytes}` };
}
