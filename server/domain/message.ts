import type { Refusal } from "./reasons";
import type { EpochMs, MetricKind } from "./terms";

/** The value of a reading. */
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

/** A fault of what a message says beside its readings. */
export type RefusedLabel = Refusal & { readonly field: "site" | "type" | "units" | "labels"; readonly value: unknown };

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

/** Puts readings side by side. */
export function columnsOf(readings: readonly (readonly [metric: string, value: ReadingValue])[]): ReadingColumns {
  const shape = {
    names: readings.map(([name]) => name),
    kinds: readings.map(([, value]) => (typeof value === "boolean" ? "boolean" : "number")),
  } satisfies Shape;
  return { shape, values: readings.map(([, value]) => Number(value)) };
}
