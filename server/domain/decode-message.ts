import { describe, isObject, own } from "./json-values";
import { type JsonReading, readJson, TooDeepError } from "./json";
import { columnsOf, type DecodedMessage, type ReadingValue, type RefusedLabel } from "./message";
import { type DeadLetterReason, type Refusal, refusal } from "./reasons";
import { readBeside } from "./said-beside";
import { type EpochMs, isName, MESSAGE_LIMITS } from "./terms";
import { parseEventTime, timeProblem } from "./time";

/** A message, or why it is none. */
export type DecodeOutcome =
  | { readonly ok: true; readonly message: DecodedMessage }
  | ({ readonly ok: false; /** The device, if it could be read. */ readonly device?: string } & Refusal);

/** The settings of decoding. */
export interface DecodeBounds {
  /** The current time. */
  readonly now: EpochMs;
  /** The furthest an event time may be ahead of `now`, in milliseconds. */
  readonly futureToleranceMs: number;
  /** The furthest an event time may be behind `now`, in milliseconds; null keeps everything. */
  readonly retentionMs: number | null;
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** Decodes the bytes of one message in Fieldwatch's own shape. Never throws: bad data is a value. */
export function decodeMessage(bytes: Uint8Array, bounds: DecodeBounds): DecodeOutcome {
  const parsed = parseMessage(bytes);
  return parsed.ok ? decodeJson(parsed, bounds) : parsed;
}

/**
 * Reads the bytes of one message, in whatever shape, as JSON; NaN and Infinity as bare words, which Python and others write,
 * cost only their own field. Never throws: bad data is a value.
 */
export function parseMessage(
  bytes: Uint8Array,
): ({ readonly ok: true } & JsonReading) | ({ readonly ok: false } & Refusal) {
  if (bytes.byteLength > MESSAGE_LIMITS.bytes)
    return { ok: false, ...refusal("tooLarge", `${bytes.byteLength} bytes; the limit is ${MESSAGE_LIMITS.bytes}`) };
  try {
    return { ok: true, ...readJson(utf8.decode(bytes), MOST_PARSED_DEPTH) };
  } catch (error) {
    if (error instanceof TooDeepError)
      return { ok: false, ...refusal("tooDeep", `nested more than ${MESSAGE_LIMITS.depth} deep`) };
    const why =
      bytes.byteLength === 0 ? "the message is empty" : `cannot be read: ${(error as Error).message.slice(0, 200)}`;
    return { ok: false, ...refusal("notJson", why) };
  }
}

/** Decodes one parsed message in Fieldwatch's own shape. Never throws: bad data is a value. */
export function decodeJson({ json, tokens, repeated = NONE }: JsonReading, bounds: DecodeBounds): DecodeOutcome {
  if (!isObject(json)) return refuse("notJson", `expected a JSON object, got ${describe(json)}`);
  if (isDeeperThan(json, MESSAGE_LIMITS.depth))
    return refuse("tooDeep", `nested more than ${MESSAGE_LIMITS.depth} deep`);
  const twice = repeated.find(([name, ...others]) => others.length === 0 && PARTS.has(name!));
  if (twice !== undefined) return refuse("notJson", `it says "${twice[0]}" more than once`);

  const device = own(json, "device");
  if (device === undefined || device === null || device === "") return refuse("noDevice", 'there is no "device"');
  if (!isName(device)) return refuse("badDevice", `${describe(device)} cannot name a device`);

  const rawTime = own(json, "time");
  if (rawTime === undefined || rawTime === null || rawTime === "")
    return refuse("noTime", 'there is no "time"', device);
  const eventTime = parseEventTime(rawTime);
  if (eventTime === null) return refuse("badTime", `${describe(rawTime)} ${timeProblem(rawTime)}`, device);
  const wrongTime = judgeTime(eventTime, bounds);
  if (wrongTime !== null) return { ok: false, ...wrongTime, device };

  const readings = own(json, "readings");
  const said = GOODBYES.get(own(json, "gone"));
  const state = own(json, "state");
  const fields: Fields = { values: [], texts: [], rounded: [], refused: [] };
  if (isObject(state)) {
    const problem = readFields(state, tokens, repeatedIn("state", repeated), fields);
    if (problem !== null) return { ok: false, ...problem, device };
  }
  const kept = isObject(state) ? [...fields.values.splice(0), ...fields.texts.splice(0)] : [];
  fields.rounded.length = 0;
  if (readings === undefined || readings === null) {
    if (kept.length === 0 && said === undefined) return refuse("noReadings", 'there are no "readings"', device);
  } else {
    if (!isObject(readings)) return refuse("noReadings", `"readings" is ${describe(readings)}, not an object`, device);
    const problem = readFields(readings, tokens, repeatedIn("readings", repeated), fields);
    if (problem !== null) return { ok: false, ...problem, device };
  }
  const { values, texts, rounded, refused } = fields;
  // Whoever brings readings isn't gone.
  const gone = values.length + texts.length + refused.length === 0 ? said : undefined;
  if (values.length + texts.length + refused.length + kept.length === 0 && gone === undefined)
    return refuse("noReadings", '"readings" has no value', device);

  const refusedLabels: RefusedLabel[] = [];
  const message: DecodedMessage = { device, eventTime, ...columnsOf(values), rounded, texts, refused, refusedLabels };
  const id = own(json, "id");
  const hasId = typeof id === "string" && id.length <= 256;
  return {
    ok: true,
    message: Object.assign(
      message,
      hasId ? { id } : null,
      kept.length > 0 ? { state: kept } : null,
      gone === undefined ? null : { gone },
      readBeside(json, refusedLabels),
    ),
  };
}

/** What `gone` may be in a message; anything else is no goodbye. */
const GOODBYES: ReadonlyMap<unknown, "told" | "arrived"> = new Map<unknown, "told" | "arrived">([
  [true, "told"],
  ["arrived", "arrived"],
]);

/** The fields of a message as they are read. */
interface Fields {
  readonly values: [string, ReadingValue][];
  readonly texts: [string, string][];
  readonly rounded: string[];
  readonly refused: DecodedMessage["refused"][number][];
}

const NONE: readonly never[] = [];
/** Members of a message that may be there once. */
const PARTS: ReadonlySet<string> = new Set(["device", "time", "readings", "state"]);

/** The names that come again in a member of a message. */
function repeatedIn(part: string, repeated: readonly (readonly string[])[]): readonly (string | undefined)[] {
  return repeated.length === 0
    ? NONE
    : repeated.flatMap(([first, name, ...deeper]) => (first === part && deeper.length === 0 ? [name] : []));
}

/** Adds the members of readings or state to `fields`; none of those that come again, as nobody knows which is meant. @returns why there are too many of them, or null. */
function readFields(
  readings: object,
  tokens: JsonReading["tokens"],
  repeated: readonly (string | undefined)[],
  fields: Fields,
): Refusal | null {
  const { values, texts, rounded, refused } = fields;
  const names = Object.keys(readings);
  if (names.length > MESSAGE_LIMITS.readings)
    return refusal("tooManyReadings", `${names.length} readings; the limit is ${MESSAGE_LIMITS.readings}`);
  const written = tokens.get(readings);
  for (const field of names) {
    const value = (readings as Record<string, unknown>)[field];
    // Null is a device's way to say "none right now": no reading, and no fault either.
    if (value === null && !repeated.includes(field)) continue;
    if (repeated.includes(field))
      refused.push({
        field,
        value,
        ...refusal("badValue", `${describe(field)} is there more than once, last as ${describe(value)}`),
      });
    else if (!isName(field))
      refused.push({ field, value, ...refusal("badName", `${describe(field)} cannot name a metric`) });
    else if (typeof value === "boolean") values.push([field, value]);
    else if (typeof value === "string") texts.push([field, value]);
    else if (typeof value !== "number")
      refused.push({ field, value, ...refusal("badValue", `${field} is ${describe(value)}`) });
    else if (!Number.isFinite(value))
      refused.push({
        field,
        value,
        ...refusal("notFinite", `${field} is ${(written?.get(field) ?? String(value)).slice(0, 80)}`),
      });
    else {
      values.push([field, value]);
      if (written?.has(field)) rounded.push(field);
    }
  }
  return null;
}

const YEAR_MS = 365 * 86_400_000;

/** Why readings of this event time can't be taken; null if they can. */
export function judgeTime(eventTime: EpochMs, bounds: DecodeBounds): Refusal | null {
  if (eventTime > bounds.now + bounds.futureToleranceMs)
    return refusal("futureTime", `${new Date(eventTime).toISOString()} is ahead of the clock here`);
  if (bounds.retentionMs !== null && eventTime < bounds.now - bounds.retentionMs) {
    // 0, or the time since it began: what a device sends that doesn't know the time.
    const why = eventTime < YEAR_MS ? ": the clock of its sender isn't set" : "";
    return refusal("tooOld", `${new Date(eventTime).toISOString()} is older than the retention${why}`);
  }
  return null;
}

function refuse(reason: DeadLetterReason, detail: string, device?: string): DecodeOutcome {
  return { ok: false, reason, detail, ...(device === undefined ? {} : { device }) };
}

/** Goes no deeper than the limit, so that a hostile depth cannot exhaust the stack. */
function isDeeperThan(parent: object, limit: number): boolean {
  if (limit === 0) return true;
  for (const key in parent) {
    const child = (parent as Record<string, unknown>)[key];
    if (typeof child === "object" && child !== null && isDeeperThan(child, limit - 1)) return true;
  }
  return false;
}

/** The depth past which text isn't parsed at all; between the limit and this, parsing tells what else is known of the message. */
const MOST_PARSED_DEPTH = 2 * MESSAGE_LIMITS.depth;
