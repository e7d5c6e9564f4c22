import type { JsonReading, NumberTokens } from "@/server/domain/json";
import { type Decoder, readTree, textOf, UnreadableError } from "./decoder";
import { EXPORT_METRICS } from "./otlp-types";
import { type BrokenPoint, groupPoints, type Point } from "./points";
import { readProtobuf } from "./protobuf";
import { seriesOf } from "./series";

type Tree = Readonly<Record<string, unknown>>;

/** The bit of a point's flags that says: there is no value. */
const NO_VALUE = 1;

/** Where a metric keeps its points, and what each has besides a single number; those that count have 0 where they say nothing. */
const KINDS: Readonly<Record<string, { readonly counts: boolean }>> = {
  ...{ gauge: { counts: false }, sum: { counts: false } },
  ...{ histogram: { counts: true }, exponentialHistogram: { counts: true }, summary: { counts: true } },
};
const SUMS = ["sum", "min", "max"];
/** What is read of a point, of a metric and of its data; everything else is told beside the readings. */
const READ_OF_POINT = new Set([
  ...["attributes", "timeUnixNano", "flags", "asDouble", "asInt", "count", "quantileValues"],
  ...SUMS,
]);
const READ_OF_METRIC = new Set(["name", "unit", ...Object.keys(KINDS)]);
const READ_OF_DATA = new Set(["dataPoints"]);

/**
 * Metrics of OpenTelemetry (OTLP 1.x, ExportMetricsServiceRequest), JSON or protobuf by content type. A gauge or sum is a reading; a histogram
 * or summary is readings `.count`, `.sum`, `.min`, `.max`, `.quantile.0.99`. Buckets and all else that is no value of its own stand in `other`, for a mapping to leave out or
 * to take. Values of a point's attributes are part of the name.
 */
export const decodeOtlp: Decoder = (delivery, mapping) => {
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
  return groupPoints(pointsOf(treesOf(resources), reading.tokens, mapping?.allTags));
};

function* pointsOf(
  resources: readonly Tree[],
  tokens: NumberTokens,
  allTags?: boolean,
): Generator<Point | BrokenPoint> {
  for (const resource of resources) {
    const attributes = attributesOf(isTree(resource.resource) ? resource.resource.attributes : undefined);
    const ofResource = { resource: attributes };
    for (const scope of treesOf(resource.scopeMetrics)) {
      const isNamed = isTree(scope.scope) && Object.keys(scope.scope).length > 0;
      const about = isNamed ? { ...ofResource, scope: scope.scope } : ofResource;
      for (const metric of treesOf(scope.metrics)) yield* ofMetric(metric, attributes, about, tokens, allTags);
    }
  }
}

function* ofMetric(
  metric: Tree,
  resource: Tree,
  about: object,
  tokens: NumberTokens,
  allTags?: boolean,
): Generator<Point | BrokenPoint> {
  const path = nameOf(metric);
  const kind = Object.keys(KINDS).find((one) => isTree(metric[one]));
  if (kind === undefined) {
    yield { path, error: `it is none of ${Object.keys(KINDS).join(", ")}` };
    return;
  }
  const data = metric[kind] as Tree;
  let isFirst = true;
  for (const point of treesOf(data.dataPoints)) {
    // What is said of all its points is told once.
    const more = isFirst ? { ...others(metric, READ_OF_METRIC), ...others(data, READ_OF_DATA) } : {};
    isFirst = false;
    yield* valuesOf(metric, point, KINDS[kind]!.counts, more, resource, about, tokens, allTags);
  }
}

function* valuesOf(
  metric: Tree,
  point: Tree,
  counts: boolean,
  more: Tree,
  resource: Tree,
  about: object,
  tokens: NumberTokens,
  allTags?: boolean,
): Generator<Point | BrokenPoint> {
  const path = nameOf(metric);
  const { device, series } = seriesOf(path, attributesOf(point.attributes), resource, allTags);
  const digits = digitsOf(point, "timeUnixNano", tokens);
  const time = digits === null || digits === "0" ? null : digits;
  const unit = unitOf(metric.unit);
  const told = { device, time, about, path };
  for (const [member, json] of Object.entries({ ...more, ...others(point, READ_OF_POINT) }))
    yield { ...told, series: `${series}.${member}`, unit, value: { json }, isReading: false };
  if ((Number(point.flags ?? 0) & NO_VALUE) !== 0) {
    yield { ...told, series, unit, value: { json: "no recorded value" }, isReading: false };
    return;
  }
  const found: [string, string | null, Value][] = [];
  const add = (name: string, of: string | null, value: Value | null) => value !== null && found.push([name, of, value]);
  if (counts) add(`${series}.count`, null, valueOf(point, "count", tokens) ?? ZERO);
  else add(series, unit, valueOf(point, "asDouble", tokens) ?? valueOf(point, "asInt", tokens));
  for (const member of SUMS) add(`${series}.${member}`, unit, valueOf(point, member, tokens));
  for (const at of treesOf(point.quantileValues))
    add(`${series}.quantile.${String(at.quantile ?? 0)}`, unit, valueOf(at, "value", tokens) ?? ZERO);
  if (found.length === 0) yield { path, error: "a point of it has neither asDouble nor asInt" };
  for (const [name, of, value] of found) {
    if ("number" in value) yield { ...told, series: name, unit: of, value, isReading: true };
    else if (NO_NUMBERS.has(String(value.json))) yield { ...told, series: name, unit: of, value, isReading: false };
    else yield { path, error: `${name} is ${JSON.stringify(value.json)?.slice(0, 80)}, which is no number` };
  }
}

type Value = Point["value"];
const ZERO: Value = { number: "0" };
/** What there is instead of a number, as JSON of protobuf and JavaScript write it. */
const NO_NUMBERS = new Set(["NaN", "Infinity", "-Infinity"]);

function nameOf({ name }: Tree): string {
  return typeof name === "string" ? name : "";
}

function others(tree: Tree, read: ReadonlySet<string>): Tree {
  return Object.fromEntries(Object.entries(tree).filter(([member]) => !read.has(member)));
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
