import {
  decodeJson,
  decodeMessage,
  type DecodeBounds,
  type DecodeOutcome,
  mapMessage,
  type MessageMapping,
} from "@/server/domain/message";
import { MESSAGE_LIMITS } from "@/server/domain/terms";
import { ProblemError } from "../problem";
import { arrayElements } from "./array-elements";

/** One message of a request: what goes to the log, and what decoding found. */
export interface Item {
  readonly bytes: Uint8Array;
  readonly outcome: DecodeOutcome;
}

export interface ItemOptions {
  /** Null: the messages are in Fieldwatch's own shape. */
  readonly mapping: MessageMapping | null;
  readonly bounds: DecodeBounds;
  readonly maxMessages: number;
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** The messages of an NDJSON body: each line that isn't blank. */
export function* ndjsonItems(body: Buffer, options: ItemOptions): Generator<Item> {
  let count = 0;
  for (let start = 0; start < body.length;) {
    const newline = body.indexOf(0x0a, start);
    const end = newline === -1 ? body.length : newline;
    const line = body.subarray(start, end > start && body[end - 1] === 0x0d ? end - 1 : end);
    start = end + 1;
    if (isBlank(line)) continue;
    if (++count > options.maxMessages) throw tooMany(options.maxMessages);
    yield options.mapping === null
      ? { bytes: line, outcome: decodeMessage(line, options.bounds) }
      : mappedLine(line, options.mapping, options.bounds);
  }
}

/**
 * The messages of a JSON body: the one it is, or each of an array. Each goes to the log as its own bytes of the body,
 * so that nothing of it (numbers beyond a double, say) is changed by writing it anew.
 */
export function* jsonItems(body: Buffer, { mapping, bounds, maxMessages }: ItemOptions): Generator<Item> {
  if (isBlank(body)) return;
  let json: unknown;
  try {
    json = JSON.parse(utf8.decode(body));
  } catch (error) {
    throw new ProblemError("unreadable-body", `The body is not UTF-8 JSON: ${(error as Error).message.slice(0, 200)}`);
  }
  if (!Array.isArray(json)) {
    yield toItem(body, json, mapping, bounds);
    return;
  }
  if (json.length > maxMessages) throw tooMany(maxMessages);
  let index = 0;
  for (const bytes of arrayElements(body)) yield toItem(bytes, json[index++], mapping, bounds);
}

function toItem(bytes: Uint8Array, json: unknown, mapping: MessageMapping | null, bounds: DecodeBounds): Item {
  if (bytes.byteLength > MESSAGE_LIMITS.bytes) return { bytes, outcome: tooLarge(bytes.byteLength) };
  return mapping === null ? { bytes, outcome: decodeJson(json, bounds) } : mapped(json, mapping, bounds);
}

function mappedLine(line: Buffer, mapping: MessageMapping, bounds: DecodeBounds): Item {
  let json: unknown;
  try {
    json = JSON.parse(utf8.decode(line));
  } catch {
    // Decoding finds the same and says it in its own words.
    return { bytes: line, outcome: decodeMessage(line, bounds) };
  }
  return toItem(line, json, mapping, bounds);
}

function mapped(json: unknown, mapping: MessageMapping, bounds: DecodeBounds): Item {
  const message = mapMessage(json, mapping);
  const outcome = decodeJson(message, bounds);
  const bytes = outcome.ok ? Buffer.from(written(message, outcome)) : new Uint8Array();
  return { bytes, outcome: bytes.byteLength > MESSAGE_LIMITS.bytes ? tooLarge(bytes.byteLength) : outcome };
}

const BEYOND = { "\u0000+": "1e999", "\u0000-": "-1e999" } as const;

/** The message as JSON, where numbers beyond a double stay so: JSON.stringify would make them null, and lose the fault. */
function written(message: unknown, outcome: DecodeOutcome): string {
  if (!outcome.ok || !outcome.message.refused.some(({ reason }) => reason === "notFinite"))
    return JSON.stringify(message);
  const text = JSON.stringify(message, (_key, value: unknown) =>
    value === Infinity ? "\u0000+" : value === -Infinity ? "\u0000-" : value,
  );
  return text.replaceAll(/"\\u0000([+-])"/g, (_all, sign: "+" | "-") => BEYOND[`\u0000${sign}`]);
}

function tooLarge(bytes: number): DecodeOutcome {
  return { ok: false, reason: "tooLarge", detail: `${bytes} bytes; the limit is ${MESSAGE_LIMITS.bytes}` };
}

function tooMany(maxMessages: number): ProblemError {
  return new ProblemError("too-many-messages", `The limit is ${maxMessages} messages in one request.`);
}

/** JSON's white space only. */
function isBlank(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d);
}
