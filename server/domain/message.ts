import { type JsonReading, readJson, TooDeepError } from "./json";
import { type DeadLetterReason, type Refusal } from "./reasons";
import { DEVICE_LABELS, keyProblem } from "./device-labels";
import { readLabel, UNIT_LENGTH } from "./label";
import { type EpochMs, isName, MESSAGE_LIMITS, type MetricKind } from "./terms";
import { parseEventTime, timeProblem } from "./time";

/** Paths of a foreign message's device, time and readings, separated by dots. */
export interface MessageMapping {
  readonly device: string;
  readonly time: string;
  readonly readings: string;
}

/** Fieldwatch's own shape. */
export const CANONICAL_MAPPING: MessageMapping = { device: "device", time: "time", readings: "readings" };

export type ReadingValue = number | boolean;

/** The names of a message's readings and what they are. Messages alike may share one, by which they are told to be alike quickly. */
export interface Shape {
  readonly names: readonly string[];
  readonly kinds: readonly MetricKind[];
}

/** Numbers and booleans, which become series: values[i] is that of shape.names[i]. Columns, as an object a reading costs more than all that is done with it. */
export interface ReadingColumns {
  readonly shape: Shape;
  /** Booleans are 0 and 1. */
  readonly values: readonly number[];
}

/** A decoded message, with the outcome of every field. */
export interface DecodedMessage extends ReadingColumns {
  readonly device: string;
  readonly eventTime: EpochMs;
  /** The sender's own id, kept but not used to recognise repeats. */
  readonly id?: string;
  readonly site?: string;
  readonly type?: string;
  /** Names of the readings that no double holds as they were written: the nearest double is taken. */
  readonly rounded: readonly string[];
  /** Units that the sender says its readings are in, by metric. */
  readonly units?: ReadonlyMap<string, string>;
  /** Labels that the sender says its device has, by key. */
  readonly labels?: ReadonlyMap<string, string>;
  /** Values of unknown age, which make no readings: they are for the twin alone, where nothing of a known time is. */
  readonly state?: readonly (readonly [name: string, value: ReadingValue | string])[];
  /** Its sender's goodbye, and whether its time is the sender's (`told`) or that of its arrival; never with readings. */
  readonly gone?: "told" | "arrived";
  /** Strings, which stay in the message and the twin. */
  readonly texts: readonly (readonly [metric: string, text: string])[];
  /** Fields that cannot become a reading; the others are good all the same. */
  readonly refused: readonly (Refusal & { readonly field: string; readonly value: unknown })[];
  /** Faults of site, type, units and labels; the readings are good all the same. */
  readonly refusedLabels: readonly RefusedLabel[];
}

type RefusedLabel = Refusal & { readonly field: "site" | "type" | "units" | "labels"; readonly value: unknown };

export type DecodeOutcome =
  | { readonly ok: true; readonly message: DecodedMessage }
  | ({ readonly ok: false; /** The device, if it could be read. */ readonly device?: string } & Refusal);

/** True for a message that brings values of unknown age alone, or a goodbye: its device wasn't heard by it. */
export function isStateOnly({ state, gone, values, texts, refused }: DecodedMessage): boolean {
  return (state !== undefined || gone !== undefined) && values.length + texts.length + refused.length === 0;
}

/** The value of the `i`-th reading, as it was sent. */
export function readingAt({ shape, values }: ReadingColumns, i: number): ReadingValue {
  return shape.kinds[i] === "boolean" ? values[i] === 1 : values[i]!;
}

/** The readings, each with its name. */
export function readingsOf(columns: ReadingColumns): [metric: string, value: ReadingValue][] {
  return columns.shape.names.map((name, i) => [name, readingAt(columns, i)]);
}

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

/** Puts readings side by side. */
export function columnsOf(readings: readonly (readonly [metric: string, value: ReadingValue])[]): ReadingColumns {
  const shape = {
    names: readings.map(([name]) => name),
    kinds: readings.map(([, value]) => (typeof value === "boolean" ? "boolean" : "number")),
  } satisfies Shape;
  return { shape, values: readings.map(([, value]) => Number(value)) };
}

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

/** What a message says beside its readings. */
type MessageBeside = Pick<DecodedMessage, "site" | "type" | "units" | "labels">;

/** Reads what a message says beside its readings; what can't be kept goes to `refusedLabels`. */
export function readBeside(json: object, refusedLabels: RefusedLabel[]): MessageBeside | null {
  let kept: { -readonly [Member in keyof MessageBeside]: MessageBeside[Member] } | null = null;
  for (const field of ["site", "type"] as const) {
    const value = own(json, field);
    if (value === undefined) continue;
    const read = readLabel(value);
    if ("problem" in read)
      refusedLabels.push({
        field,
        value,
        ...refusal("badLabel", `${field} is ${describe(value)}; it ${read.problem}`),
      });
    else if (read.label !== null) (kept ??= {})[field] = read.label;
  }
  for (const [field, readText] of TEXTS_BY_NAME) {
    const value = own(json, field);
    if (value === undefined || value === null) continue;
    const { texts, problem } = readTexts(field, value, readText);
    if (problem !== null) refusedLabels.push({ field, value, ...refusal("badLabel", problem) });
    if (texts.size > 0) (kept ??= {})[field] = texts;
  }
  return kept;
}

/** Reads one text of a member that is an object of texts: what is kept of it, null for nothing, or what is wrong. */
type ReadText = (name: string, value: unknown) => ReturnType<typeof readLabel>;

const TEXTS_BY_NAME: readonly (readonly [field: "units" | "labels", read: ReadText])[] = [
  ["units", (_, value) => readLabel(value, UNIT_LENGTH)],
  [
    "labels",
    (key, value) => {
      const problem = keyProblem(key);
      return problem === null ? readLabel(value) : { problem: `has a name that ${problem}` };
    },
  ],
];
const WHAT_OF = { units: "the unit of", labels: "the label" } as const;

/** Reads an object of texts: those that can be kept, and the first problem of the others. */
function readTexts(field: "units" | "labels", said: unknown, read: ReadText) {
  const texts = new Map<string, string>();
  let problem: string | null = isObject(said) ? null : `${field} is ${describe(said)}, not an object`;
  for (const [name, value] of isObject(said) ? Object.entries(said) : []) {
    const text = read(name, value);
    if ("problem" in text) problem ??= `${WHAT_OF[field]} ${describe(name)} is ${describe(value)}; it ${text.problem}`;
    else if (text.label === null) continue;
    else if (field === "labels" && texts.size >= DEVICE_LABELS.most)
      problem ??= `there are more than ${DEVICE_LABELS.most} labels; ${describe(name)} is not kept`;
    else texts.set(name, text.label);
  }
  return { texts, problem };
}

/**
 * Brings a foreign message into Fieldwatch's own shape: the three mapped values are placed under `device`,
 * `time` and `readings`; every other top-level field stays. What is missing stays missing, for decoding to name.
 */
export function mapMessage(reading: JsonReading, mapping: MessageMapping): JsonReading {
  const { json, tokens } = reading;
  if (!isObject(json)) return reading;
  const mapped = {
    device: at(json, mapping.device),
    time: at(json, mapping.time),
    readings: at(json, mapping.readings),
  };
  const taken = new Set([mapping.device, mapping.time, mapping.readings, "device", "time", "readings"]);
  const rest = Object.entries(json).filter(([key]) => !taken.has(key) && key !== "__proto__");
  const message = { ...mapped, ...Object.fromEntries(rest) };
  const written = tokens.get(json);
  const repeated = reading.repeated?.flatMap((names) => mappedNames(names, json, mapping)) ?? NONE;
  return {
    json: message,
    tokens: written ? new Map(tokens).set(message, written) : tokens,
    ...(repeated.length > 0 && { repeated }),
  };
}

/** Where in a mapped message a member is that comes again, if it is the device, the time, or in the readings. */
function mappedNames(names: readonly string[], json: object, mapping: MessageMapping): string[][] {
  return (["device", "time", "readings"] as const).flatMap((part) => {
    const path = Object.hasOwn(json, mapping[part]) ? [mapping[part]] : mapping[part].split(".");
    const shared = path.slice(0, names.length);
    return shared.every((name, i) => names[i] === name) ? [[part, ...names.slice(path.length)]] : [];
  });
}

/** Words a value briefly, for a person to read. */
function describe(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  if (typeof value === "object") return "an object";
  if (typeof value === "string") return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value);
  return String(value);
}

function refusal(reason: DeadLetterReason, detail: string): Refusal {
  return { reason, detail };
}

function refuse(reason: DeadLetterReason, detail: string, device?: string): DecodeOutcome {
  return { ok: false, reason, detail, ...(device === undefined ? {} : { device }) };
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function own(object: object, key: string): unknown {
  return Object.hasOwn(object, key) ? (object as Record<string, unknown>)[key] : undefined;
}

function at(json: object, path: string): unknown {
  // A field may itself contain dots; the plain key wins over the path.
  if (Object.hasOwn(json, path)) return own(json, path);
  let value: unknown = json;
  for (const key of path.split(".")) {
    if (typeof value !== "object" || value === null) return undefined;
    value = own(value, key);
  }
  return value;
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
