import type { JsonReading } from "../json";
import type { ReadingValue } from "../message";
import type { DeadLetterReason } from "../reasons";
import type { EpochMs } from "../terms";

/** What came through a door at once, before anybody understood it. */
export interface Delivery {
  readonly body: Uint8Array;
  readonly arrived: EpochMs;
  /** What came beside the body. */
  readonly beside: Beside;
}

/** What a door knows beside the bytes; kept with a dead letter, so that a later mapping reads the same. JSON as it is. */
export interface Beside {
  readonly contentType: string | null;
  /** MQTT's, or null. */
  readonly topic: string | null;
  /** True for a copy that an MQTT broker kept, which may be of any age; false for what is published to us, even if the sender asks that it be kept. */
  readonly retained: boolean;
  /** Levels of the address after the source's name. */
  readonly path: readonly string[];
  readonly query: Readonly<Record<string, string>>;
  /** Those a mapping may read (never credentials), names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly kafka: {
    readonly topic: string;
    readonly key: string | null;
    readonly headers: Readonly<Record<string, string>>;
    readonly timestamp: EpochMs;
  } | null;
}

/** What came beside a body of which nothing is known. */
export const NOTHING_BESIDE: Beside = {
  contentType: null,
  topic: null,
  retained: false,
  path: [],
  query: {},
  headers: {},
  kafka: null,
};

/** What a decoder made of a delivery: the whole payload, or a line, record or point of it. `each` of a mapping may split it further. */
export type Part = WholePart | BrokenPart;

/** A part that could be read. */
export interface WholePart {
  /** A tree of objects, arrays and scalars; numbers keep the digits they were written with. */
  readonly value: JsonReading;
  /** Its place in the payload, for people: "" is all of it, "line 3". */
  readonly path: string;
  /** What a decoder knows of it that isn't in the tree; a mapping's templates read it as `{part.name}`. */
  readonly beside: Readonly<Record<string, string>>;
}

/** A part that couldn't be read: it is refused as `unreadable`, and the others are taken. */
interface BrokenPart {
  readonly path: string;
  /** What is wrong with it, for a person. */
  readonly error: string;
}

/** What a mapping made of one delivery. */
export interface Mapped {
  readonly messages: readonly MappedMessage[];
  /** What was meant as data and can't be read. One of a part or element that is refused whole has the path of that. */
  readonly refused: readonly MappingRefusal[];
  /** How many values and whole parts were left out by each rule, as far as a mapping looks at them: nothing outside its readings' roots. */
  readonly ignored: ReadonlyMap<IgnoreRule, number>;
  /** Each leaf of each part once; null unless an explanation was asked for. */
  readonly leaves: readonly Leaf[] | null;
}

/** A leaf, and what became of it. */
export interface Leaf {
  readonly path: string;
  readonly as: "reading" | "device" | "time" | "unit" | "label" | "ignored" | "refused";
  /** The metric, the rule that ignores it, or why it is refused; empty for what is used otherwise. */
  readonly why: string;
}

/**
 * Why something is no data. `when`: a condition doesn't hold · `outside`: not under a root of readings, nor named otherwise · `include`, `exclude`: by
 * name · `arrays`: in a list where those are dropped · `depth`: deeper than is flattened · `null`, `empty`: no value · `absent`: a value
 * that stands for none · `unused`: named as a device, time, unit or label, of which another was taken · `noValues`: a part of which
 * nothing was left.
 */
export type IgnoreRule =
  | "when"
  | "outside"
  | "include"
  | "exclude"
  | "arrays"
  | "depth"
  | "null"
  | "empty"
  | "absent"
  | "unused"
  | "noValues";

/** One message in Fieldwatch's own shape, ready for the log, and what it says. */
export interface MappedMessage {
  /** Its JSON, as the worker will decode it. At most MESSAGE_LIMITS.readings readings; a part with more becomes several. */
  readonly bytes: Uint8Array;
  readonly device: string;
  readonly time: EpochMs;
  readonly timeFrom: "payload" | "arrival";
  /** True for a local time in an hour that its zone has twice: read by the order of arrival, and marked in the message. */
  readonly isAmbiguous: boolean;
  /** True for values that make no reading: a retained message of unknown age. */
  readonly isState: boolean;
  /** True for a goodbye, which has no readings. */
  readonly isGoodbye: boolean;
  readonly readings: readonly MappedReading[];
}

export interface MappedReading {
  readonly metric: string;
  /** After conversion. Text stays in the message and the twin. */
  readonly value: ReadingValue | string;
  /** Symbol of the canonical unit; a unit that isn't known as it was written; null: nobody said. */
  readonly unit: string | null;
  /** Where it was in the payload. */
  readonly path: string;
}

export interface MappingRefusal {
  readonly path: string;
  readonly reason: "unreadable" | DeadLetterReason;
  readonly detail: string;
}
