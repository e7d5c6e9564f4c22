import {
  decodeJson,
  type DecodeBounds,
  type DecodeOutcome,
  mapMessage,
  type MessageMapping,
  parseMessage,
} from "@/server/domain/message";
import { MESSAGE_LIMITS } from "@/server/domain/terms";

/** One message of a request: what goes to the log, and what decoding found. */
export interface Judged {
  readonly bytes: Uint8Array;
  readonly outcome: DecodeOutcome;
  /** False if its bytes are no JSON at all. */
  readonly isJson: boolean;
}

/**
 * Decodes one message as the worker will. In Fieldwatch's own shape it goes to the log byte for byte; a foreign one is
 * written anew in that shape.
 */
export function judgePayload(bytes: Uint8Array, mapping: MessageMapping | null, bounds: DecodeBounds): Judged {
  const parsed = parseMessage(bytes);
  if (!parsed.ok) return { bytes, outcome: parsed, isJson: parsed.reason !== "notJson" };
  if (mapping === null) return { bytes, outcome: decodeJson(parsed.json, bounds), isJson: true };
  const message = mapMessage(parsed.json, mapping);
  const outcome = decodeJson(message, bounds);
  if (!outcome.ok) return { bytes, outcome, isJson: true };
  const written = Buffer.from(textOf(message, outcome));
  return { bytes: written, outcome: fits(written) ? outcome : tooLarge(written), isJson: true };
}

const BEYOND = { "\u0000+": "1e999", "\u0000-": "-1e999" } as const;

/** The message as JSON, where numbers beyond a double stay so: JSON.stringify would make them null, and lose the fault. */
function textOf(message: unknown, outcome: DecodeOutcome): string {
  if (!outcome.ok || !outcome.message.refused.some(({ reason }) => reason === "notFinite"))
    return JSON.stringify(message);
  const text = JSON.stringify(message, (_key, value: unknown) =>
    value === Infinity ? "\u0000+" : value === -Infinity ? "\u0000-" : value,
  );
  return text.replaceAll(/"\\u0000([+-])"/g, (_all, sign: "+" | "-") => BEYOND[`\u0000${sign}`]);
}

function fits(bytes: Uint8Array): boolean {
  return bytes.byteLength <= MESSAGE_LIMITS.bytes;
}

function tooLarge(bytes: Uint8Array): DecodeOutcome {
  return { ok: false, reason: "tooLarge", detail: `${bytes.byteLength} bytes; the limit is ${MESSAGE_LIMITS.bytes}` };
}
