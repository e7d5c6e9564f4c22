import { readLabel } from "../label";
import { MESSAGE_LIMITS, type EpochMs } from "../terms";
import type { MappedMessage, MappedReading } from "./delivery";
import type { Field, NamedUnit } from "./fields";

/** What the messages of one device at one time have in common. */
export interface MessageHead {
  readonly device: string;
  readonly time: EpochMs;
  readonly timeFrom: "payload" | "arrival";
  readonly isAmbiguous: boolean;
  readonly isState: boolean;
  /** True if it says that the device is gone, and has no readings. */
  readonly isGoodbye: boolean;
  /** Members of the JSON after the readings, each with a comma before it. */
  readonly tail: string;
}

/** A message while readings are added to it. */
export interface Draft {
  readonly head: MessageHead;
  readonly readings: MappedReading[];
  /** The element that each metric comes from. */
  readonly metrics: Map<string, object>;
  values: string;
  units: string;
}

const utf8 = new TextEncoder();

/** Characters of readings and units in a message: of three bytes each they leave a fourth of the limit to all else. */
const MOST_CHARACTERS = Math.floor(MESSAGE_LIMITS.bytes / 4);

export function draftOf(head: MessageHead): Draft {
  return { head, readings: [], metrics: new Map(), values: "", units: "" };
}

/** True if the message can take one more, whose JSON has so many characters. */
export function hasRoom({ readings, values, units }: Draft, characters: number): boolean {
  return (
    readings.length < MESSAGE_LIMITS.readings &&
    (readings.length === 0 || values.length + units.length + characters <= MOST_CHARACTERS)
  );
}

/** Adds a reading; its metric isn't in the message yet. */
export function addReading(
  draft: Draft,
  field: Field,
  value: MappedReading["value"],
  json: string,
  unit: NamedUnit | null,
  path: string,
  element: object,
): void {
  draft.metrics.set(field.metric, element);
  draft.values += draft.values === "" ? field.json + json : `,${field.json}${json}`;
  const said = typeof value === "number" && !draft.head.isState ? unit : null;
  if (said !== null) draft.units += draft.units === "" ? field.json + said.json : `,${field.json}${said.json}`;
  draft.readings.push({ metric: field.metric, value, unit: said?.symbol ?? null, path });
}

/** Writes the message as the worker reads it: without spaces, in an order that it reads fastest. */
export function writeMessage({ head, readings, values, units }: Draft): MappedMessage {
  const { device, time, timeFrom, isAmbiguous, isState, isGoodbye, tail } = head;
  const said = units === "" ? "" : `,"units":{${units}}`;
  const mark = isAmbiguous ? ',"ambiguousTime":true' : "";
  const goodbye = timeFrom === "payload" ? '"gone":true' : '"gone":"arrived"';
  const content = isGoodbye ? goodbye : `"${isState ? "state" : "readings"}":{${values}}`;
  const text = `{"device":"${device}","time":"${new Date(time).toISOString()}",${content}${said}${tail}${mark}}`;
  return { bytes: utf8.encode(text), device, time, timeFrom, isAmbiguous, isState, isGoodbye, readings };
}

const BEFORE_TIME = '{"device":"","time":"'.length;

/** A message's JSON at another time; only for what {@link writeMessage} wrote. */
export function bytesAt({ bytes, device }: Pick<MappedMessage, "bytes" | "device">, time: EpochMs): Uint8Array {
  const moved = bytes.slice();
  moved.set(utf8.encode(new Date(time).toISOString()), BEFORE_TIME + device.length);
  return moved;
}

/**
 * Writes what a message says of its device besides its readings: site, type and labels.
 * @returns the members, each with a comma before it, and what can't be kept.
 */
export function writeTail(labels: readonly (readonly [key: string, text: string])[]): {
  readonly tail: string;
  readonly problems: readonly (readonly [key: string, problem: string])[];
} {
  let tail = "";
  let kept = "";
  const problems: [string, string][] = [];
  for (const [key, text] of labels) {
    const read = readLabel(text);
    if ("problem" in read) problems.push([key, read.problem]);
    else if (read.label === null) continue;
    else if (key === "site" || key === "type") tail += `,"${key}":${JSON.stringify(read.label)}`;
    else kept += `${kept === "" ? "" : ","}${JSON.stringify(key)}:${JSON.stringify(read.label)}`;
  }
  return { tail: kept === "" ? tail : `${tail},"labels":{${kept}}`, problems };
}
