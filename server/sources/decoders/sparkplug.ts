import type { Delivery, Part } from "@/server/domain/mapping/delivery";
import type { Decoder } from "./decoder";
import { groupPoints, type Point } from "./points";
import { buildTree } from "./tree";
import { readProtobuf } from "./protobuf";
import { PAYLOAD, type SparkplugMetric, type SparkplugPayload } from "./sparkplug-types";

/** A metric as a birth certificate declares it: data may name it by its alias alone, and leave out its type and unit. */
export interface BornMetric {
  readonly name: string;
  /** Decimal; null if it has none. */
  readonly alias: string | null;
  /** Sparkplug's number of its type; null if the birth doesn't say. */
  readonly type: number | null;
  readonly unit: string | null;
}

/** What a Sparkplug payload says. */
export interface SparkplugDecoded {
  readonly parts: readonly Part[];
  /** The metrics with a name in this payload. Of a birth certificate: all that later data may refer to. */
  readonly births: readonly BornMetric[];
  /** 0 to 255; null if it has none. */
  readonly seq: number | null;
  /** The number of its death and birth: both have the same of one session; null if it has none. */
  readonly bdSeq: number | null;
  /** True if an alias is in none of the births: then its node should be asked for a rebirth. */
  readonly isBirthMissing: boolean;
}

const [INT64, DATE_TIME] = [4, 13];
/** Bits of the signed types; a value of theirs comes as an unsigned one. */
const SIGNED_BITS: Readonly<Record<number, number>> = { 1: 8, 2: 16, 3: 32, [INT64]: 64 };
/** Ignition's word for a value that is good. */
const GOOD = 192;

/**
 * Reads a Sparkplug B payload; `births` is what the latest birth of its device (or node) declared. Metrics of one time and unit become a part
 * `{group, node, device, time, unit, readings, other}`, `device` put together of group, node and device; null is a metric that says it has no value.
 * @throws UnreadableError
 */
export function decodeSparkplug(
  { body, beside }: Pick<Delivery, "body" | "beside">,
  births: readonly BornMetric[],
): SparkplugDecoded {
  const { metrics = [], seq, timestamp } = readProtobuf(body, PAYLOAD) as SparkplugPayload;
  const byAlias = new Map(births.flatMap((born) => (born.alias === null ? [] : [[born.alias, born]])));
  const byName = new Map(births.map((born) => [born.name, born]));
  const [, group, type, node, own] = (beside.topic ?? "").split("/");
  const device = [group, node, own].filter((level) => level !== undefined).join(".");
  const about = { group, type, node };
  const bdSeq = metrics.find(({ name }) => name === "bdSeq");
  const seqs = {
    seq: seq === undefined ? null : Number(seq),
    bdSeq: bdSeq === undefined ? null : Number(bdSeq.longValue ?? bdSeq.intValue ?? 0),
  };
  if (type === "NDEATH" || type === "DDEATH") {
    // A node's death was written when it connected: its broker alone knows when it died.
    const time = type === "DDEATH" ? (timestamp ?? null) : null;
    return { parts: [goodbyeOf({ ...about, device }, time)], births: [], ...seqs, isBirthMissing: false };
  }
  const born: BornMetric[] = [];
  const points: Point[] = [];
  const broken: Part[] = [];
  for (const metric of metrics) {
    const before = metric.name ? byName.get(metric.name) : byAlias.get(metric.alias ?? "");
    const name = metric.name || before?.name;
    if (name === undefined) {
      const alias = metric.alias === undefined ? "a metric" : `alias ${metric.alias}`;
      broken.push({
        path: alias,
        error: `${alias} has no name: no birth certificate of ${device || "its node"} that names it has come`,
      });
      continue;
    }
    const alias = metric.alias ?? null;
    const now = {
      name,
      alias,
      type: metric.datatype ?? before?.type ?? null,
      unit: unitOf(metric) ?? before?.unit ?? null,
    };
    if (metric.name) born.push(now);
    const time = metric.timestamp ?? timestamp ?? null;
    points.push(...pointsOf(metric, now, { device, time, about }));
  }
  return {
    parts: [...groupPoints(points), ...broken],
    births: born,
    ...seqs,
    isBirthMissing: broken.length > 0,
  };
}

/** What can be read of a payload alone, by the names that are in it. */
export const decodeSparkplugAlone: Decoder = (delivery) => decodeSparkplug(delivery, []).parts;

/** The death of each of these devices or nodes, named `group/node/device` or `group/node`, as parts without a time. */
export function goodbyesOf(owns: readonly string[]): Part[] {
  return owns.map((own) => {
    const [group, node] = own.split("/");
    return goodbyeOf({ group, type: "NDEATH", node, device: own.split("/").join(".") }, null);
  });
}

function goodbyeOf(about: Readonly<Record<string, string | undefined>>, time: string | null): Part {
  const tree = buildTree();
  return { value: tree.done({ ...about, ...(time !== null && { time }) }), path: about.device ?? "", beside: {} };
}

function* pointsOf(
  metric: SparkplugMetric,
  { name, type, unit }: BornMetric,
  of: Pick<Point, "device" | "time" | "about">,
): Generator<Point> {
  const told = { ...of, series: name, unit, path: name };
  const { templateValue: template } = metric;
  if (template !== undefined && !metric.isNull) {
    // A definition says what instances look like; its values are none.
    for (const member of template.isDefinition ? [] : (template.metrics ?? [])) {
      const born = {
        name: `${name}/${member.name ?? ""}`,
        alias: null,
        type: member.datatype ?? null,
        unit: unitOf(member),
      };
      yield* pointsOf(member, born, { ...of, time: member.timestamp ?? of.time });
    }
    return;
  }
  const quality = propertyOf(metric, ["Quality"])?.intValue;
  const value = valueOf(metric, type);
  if (quality !== undefined && quality !== GOOD)
    yield { ...told, value: { json: `quality ${quality}` }, isReading: false };
  else if (value === null)
    yield {
      ...told,
      value: { json: metric.datasetValue === undefined ? "no reading" : "a data set" },
      isReading: false,
    };
  else yield { ...told, value, isReading: true };
}

/** Null for what is no reading: bytes, sets of data, arrays. */
function valueOf(metric: SparkplugMetric, type: number | null): Point["value"] | null {
  if (metric.isNull) return { json: null };
  const { intValue, longValue, floatValue, doubleValue, booleanValue, stringValue } = metric;
  const integer = longValue ?? intValue;
  if (integer !== undefined && type === DATE_TIME) return { json: dateOf(Number(integer)) };
  if (integer !== undefined) {
    const bits = type === null ? undefined : SIGNED_BITS[type];
    return { number: String(bits === undefined ? integer : BigInt.asIntN(bits, BigInt(integer))) };
  }
  const real = doubleValue ?? (floatValue === undefined ? undefined : shortest(floatValue));
  if (real !== undefined) return Number.isFinite(real) ? { number: String(real) } : { json: real };
  if (booleanValue !== undefined) return { json: booleanValue };
  return stringValue === undefined ? null : { json: stringValue };
}

/** A float of 32 bits as whoever wrote it meant it: 21.3 is not 21.299999237060547. */
function shortest(float: number): number {
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(float.toPrecision(digits));
    if (Math.fround(short) === float) return short;
  }
  return float;
}

function dateOf(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? String(ms) : date.toISOString();
}

function unitOf(metric: SparkplugMetric): string | null {
  return propertyOf(metric, ["engUnit", "Engineering Units", "unit", "units"])?.stringValue || null;
}

function propertyOf({ properties }: SparkplugMetric, names: readonly string[]) {
  const at = properties?.keys?.findIndex((key) => names.includes(key)) ?? -1;
  return at === -1 ? undefined : properties?.values?.[at];
}
