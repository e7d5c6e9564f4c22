/**
 * The words of Fieldwatch, used everywhere: code, tables, routes and screens.
 *
 * - device: a thing that reports, at a site.
 * - metric: a named quantity with a unit, a kind (number or boolean) and a valid range.
 * - message: one JSON telemetry event as received.
 * - reading: one value of one metric of one device at one event time.
 * - rollup: count, sum, min, max, first and last of a series in one minute or one hour.
 * - twin: a device's latest known state.
 * - dead letter: a message, or one field of a message, that could not become a reading.
 * - replay: a recording sent into Fieldwatch. resend: a dead letter sent again.
 * - event log: the partitioned log messages wait in, which can be read again. Its lag is in messages and in seconds;
 *   unknown lag is null, never 0.
 * - event time (the device's clock), ingest time (when the log took the message) and processed time
 *   (when the worker handled it) are three different things. All are UTC.
 */

/** A moment as whole milliseconds since 1970-01-01T00:00:00Z. */
export type EpochMs = number;

/**
 * What a metric's values are: boolean (stored as 0 and 1) while only booleans have come, number from the first number on.
 * Strings are not metrics; they stay in the message and the twin, and have a history of their own (text-runs.ts).
 */
export type MetricKind = "number" | "boolean";

/** A message's place in an event log, and in which epoch of that log. */
export interface MessagePosition {
  /** Identity of the log: cluster, topic and epoch, as made by {@link logIdentity}. */
  readonly log: string;
  readonly partition: number;
  readonly offset: number;
}

/**
 * Writes the identity of one epoch of one topic of one cluster. The epoch grows when the topic was recreated, so a
 * position can never be mistaken for one of another cluster or of an earlier epoch of the topic.
 */
export function logIdentity(cluster: string, topic: string, epoch: number): string {
  return `${cluster}/${topic}/${epoch}`;
}

/** Matches the names of devices and metrics. */
export const NAME_PATTERN = /^[A-Za-z0-9_.:-]{1,128}$/;

/** Names that would collide with the language's own object members, or mean another place in an address. */
const RESERVED_NAMES = new Set(["__proto__", "constructor", "prototype", ".", ".."]);

/** An ending that makes the address of a page one of the data behind it. */
const RESERVED_ENDING = ".rsc";

/** True if `name` may name a device or a metric. */
export function isName(name: unknown): name is string {
  return (
    typeof name === "string" && NAME_PATTERN.test(name) && !RESERVED_NAMES.has(name) && !name.endsWith(RESERVED_ENDING)
  );
}

/** Bounds of one message. */
export const MESSAGE_LIMITS = {
  /** Bytes of one message as JSON text. */
  bytes: 64 * 1024,
  /** Entries of `readings`. */
  readings: 64,
  /** Nesting depth of objects and arrays. */
  depth: 16,
} as const;

/** Bounds of one twin: one must not grow without end when its device keeps making up names. */
export const TWIN_LIMITS = {
  fields: 256,
  /** UTF-16 units of a string; the rest of a longer one is only in the message. */
  textLength: 1024,
} as const;

/** The topics, with their defaults; partitions and retention come from config. */
export const TOPICS = {
  telemetry: "iot.telemetry",
  alerts: "iot.alerts",
  live: "iot.live",
} as const;

/** The consumer group of all pipeline workers. */
export const PIPELINE_GROUP = "fieldwatch-pipeline";
