import type { JsonReading, NumberTokens } from "@/server/domain/json";
import { type Decoder, readTree, textOf, UnreadableError } from "./decoder";
import { EXPORT_METRICS } from "./otlp-types";
import { groupPoints, type Point } from "./points";
import { readProtobuf } from "./protobuf";
import { seriesOf } from "./series";

type Tree = Readonly<Record<string, unknown>>;

/** The bit of a point's flags that says: there is no value. */
const NO_VALUE = 1;

/** What a point tells besides a single number, by its member; those of `other` are no readings. */
const SUMS = ["sum", "min", "max"];
const OTHER = ["bucketCounts", "explicitBounds", "scale", "zeroCount", "positive", "negative"];

/**
 * Metrics of OpenTelemetry (OTLP 1.x, ExportMetricsServiceRequest), JSON or protobuf by content type. A gauge or sum is a reading; a histogram
 * or summary is readings `.count`, `.sum`, `.min`, `.max`, `.quantile.0.99`, and its buckets are told but are none. Values of a point's attributes are part of the name.
 */
export const decodeOtlp: Decoder = (delivery) => {
  const type = (delivery.beside.contentType ?? "").toLowerCase();
  const isJson = type.includes("json") || (!type.includes("protobuf") && delivery.body[0] === 0x7b);
  const reading: JsonReading = isJson
    ? readTree(textOf(delivery))
    : { json: readProtobuf(delivery.body, EXPORT_METRICS), tokens: new Map() };
  const resources = isTree(reading.json) ? reading.json.resourceMetrics : undefined;
  if (resources !== undefined && !Array.isArray(resources)) throw new UnreadableError('"resourceMetrics" is no array');
  // A request of no metrics is none of ours to refuse: exporters send it.
  if (resources === undefined && (!isTree(reading.json) || Object.keys(reading.json).length > 0))
    throw new UnreadableError('there is no "resourceMetrics"');
  return groupPoints(pointsOf(treesOf(resources), reading.tokens));
};

function* pointsOf(resources: readonly Tree[], tokens: NumberTokens): Generator<Point> {
  for (const resource of resources) {
    const attributes = attributesOf(isTree(resource.resource) ? resource.resource.attributes : undefined);
    const about = { resource: attributes };
    for (const scope of treesOf(resource.scopeMetrics))
      for (const metric of treesOf(scope.metrics))
        for (const kind of ["gauge", "sum", "histogram", "exponentialHistogram", "summary"]) {
          const data = metric[kind];
          if (!isTree(data)) continue;
          for (const point of treesOf(data.dataPoints)) yield* valuesOf(metric, point, attributes, about, tokens);
        }
  }
}

function* valuesOf(metric: Tree, point: Tree, resource: Tree, about: object, tokens: NumberTokens): Generator<Point> {
  const name = typeof metric.name === "string" ? metric.name : "";
  const { device, series } = seriesOf(name, attributesOf(point.attributes), resource);
  const digits = digitsOf(point, "timeUnixNano", tokens);
  const time = digits === null || digits === "0" ? null : digits;
  const unit = unitOf(metric.unit);
  const told = { device, time, about, path: name };
  const flags = Number(point.flags ?? 0);
  if ((flags & NO_VALUE) !== 0) {
    yield { ...told, series, unit: null, value: { json: "no recorded value" }, isReading: false };
    return;
  }
  const number = valueOf(point, "asDouble", tokens) ?? valueOf(point, "asInt", tokens);
  if (number !== null) yield { ...told, series, unit, value: number, isReading: "number" in number };
  const count = valueOf(point, "count", tokens);
  if (count !== null) yield { ...told, series: `${series}.count`, unit: null, value: count, isReading: true };
  for (const member of SUMS) {
    const value = valueOf(point, member, tokens);
    if (value !== null) yield { ...told, series: `${series}.${member}`, unit, value, isReading: "number" in value };
  }
  for (const at of treesOf(point.quantileValues)) {
    const value = valueOf(at, "value", tokens) ?? { number: "0" };
    yield {
      ...told,
      series: `${series}.quantile.${String(at.quantile ?? 0)}`,
      unit,
      value,
      isReading: "number" in value,
    };
  }
  for (const member of OTHER)
    if (point[member] !== undefined)
      yield { ...told, series: `${series}.${member}`, unit: null, value: { json: point[member] }, isReading: false };
}

/** "1" and what stands in braces ("{requests}") count things: no unit. */
function unitOf(unit: unknown): string | null {
  return typeof unit !== "string" || unit === "" || unit === "1" || /^\{.*\}$/.test(unit) ? null : unit;
}

/** A number as its digits, text of digits included; NaN and the infinities, which JSON of protobuf has as text, as they are. */
function valueOf(tree: Tree, member: string, tokens: NumberTokens): Point["value"] | null {
  const value = tree[member];
  if (value === undefined || value === null) return null;
  const digits = digitsOf(tree, member, tokens);
  return digits === null ? { json: value } : { number: digits };
}

function digitsOf(tree: Tree, member: string, tokens: NumberTokens): string | null {
  const value = tree[member];
  if (typeof value === "string") return /^-?\d+(?:\.\d+)?(?:e[-+]?\d+)?$/i.test(value) ? value : null;
  if (typeof value !== "number" || !Number.isFinite(value)) return null;
  return tokens.get(tree)?.get(member) ?? String(value);
}

function attributesOf(attributes: unknown): Tree {
  return Object.fromEntries(treesOf(attributes).map(({ key, value }) => [String(key), anyValue(value)]));
}

function anyValue(value: unknown): unknown {
  if (!isTree(value)) return null;
  if (isTree(value.arrayValue)) return treesOf(value.arrayValue.values).map(anyValue);
  if (isTree(value.kvlistValue)) return attributesOf(value.kvlistValue.values);
  const bytes = value.bytesValue;
  if (bytes instanceof Uint8Array) return Buffer.from(bytes).toString("base64");
  return value.stringValue ?? value.boolValue ?? value.intValue ?? value.doubleValue ?? bytes ?? null;
}

function treesOf(value: unknown): readonly Tree[] {
  return Array.isArray(value) ? value.filter(isTree) : [];
}

function isTree(value: unknown): value is Tree {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
