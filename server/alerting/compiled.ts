import { type Bounds, type JudgedRule, quietBand } from "@/server/domain/alerts/condition";
import {
  type DeviceFacts,
  holdOf,
  judgedOf,
  type MetricFacts,
  oddnessOf,
  qualityOf,
  SCORE,
  silenceOf,
} from "@/server/domain/alerts/judged";
import type { ActiveRule } from "./active-rules";

/** Devices are compiled for anew when there are more kinds of them than this. */
const MOST_KINDS = 20_000;
/** Readings are looked back for values that still hold, so long at most. */
export const MOST_BACK_MS = 3_600_000;
const MINUTE = 60_000;

export interface DeviceRow {
  readonly id: number;
  readonly facts: DeviceFacts;
  readonly siteId: number | null;
  /** The usual time between its readings, in milliseconds; null: not known yet. */
  readonly gapMs: number | null;
  readonly metrics: readonly MetricFacts[];
}

/** A rule as it is judged for devices alike, or for one of their series. */
export interface Part {
  readonly rule: ActiveRule;
  readonly judged: JudgedRule;
  /** The metric's id; 0: of several, or of none. */
  readonly metric: number;
  /** For each metric that it is about: the values that change nothing while it is normal; null: there are none. */
  readonly bands: ReadonlyMap<number, Bounds | null>;
  /** Whether its state is more than the newest values. */
  readonly hasMemory: boolean;
  /** How far back readings may still count, in milliseconds. */
  readonly backMs: number;
}

/** What all devices of a kind are judged by. Series stand in columns: places[metric] is the column. */
export interface Compiled {
  readonly parts: readonly Part[];
  /** Those of them that watch for silence. */
  readonly silences: readonly Part[];
  /** Those whose state is more than the newest values. */
  readonly remembering: readonly Part[];
  /** By metric; -1: no rule watches it. One that is missing is new. */
  readonly places: ReadonlyMap<number, number>;
  /** By column: values in between change nothing while nothing of the series is under way. */
  readonly low: Float64Array;
  readonly high: Float64Array;
  readonly watching: readonly (readonly Part[])[];
  /** How far back readings may still count, in milliseconds. */
  readonly backMs: number;
  readonly metricNames: ReadonlyMap<number, string>;
  /** The metrics that a sample had last, and their columns: most have the same. */
  last: { readonly metrics: readonly number[]; readonly columns: readonly number[] } | null;
}

/** The columns of a sample's metrics; -1: no rule watches it. Null: one of them is new. */
export function columnsOf(compiled: Compiled, metrics: readonly number[]): readonly number[] | null {
  const { last, places } = compiled;
  if (last?.metrics === metrics) return last.columns;
  const columns: number[] = [];
  for (const metric of metrics) {
    const place = places.get(metric);
    if (place === undefined) return null;
    columns.push(place);
  }
  compiled.last = { metrics, columns };
  return columns;
}

/** The same for a device that has these metrics as well, which no rule watches. */
export function withUnwatched(compiled: Compiled, metrics: readonly number[]): Compiled {
  const fresh = metrics.filter((metric) => !compiled.places.has(metric));
  if (fresh.length === 0) return compiled;
  return {
    ...compiled,
    places: new Map([...compiled.places, ...fresh.map((metric) => [metric, -1] as const)]),
    last: null,
  };
}

/** Of what no rule watches. */
export const NOTHING: Compiled = compiledOf([], []);

/** Tells by what a device is judged. Devices alike share it. */
export type Compile = (device: Omit<DeviceRow, "id" | "siteId">) => Compiled;

/** Compiles rules for devices as they come: once for all that the rules can't tell apart. */
export function createCompile(rules: readonly ActiveRule[]): Compile {
  const told = whatTells(rules);
  const kinds = new Map<string, Compiled>();
  const partsOf = createPartsOf();
  return (device) => {
    const { facts, metrics } = device;
    const named = told.named(facts);
    const labels = told.labels.map((label) => (Object.hasOwn(facts.labels, label) ? facts.labels[label] : null));
    const hold = holdOf("auto", device.gapMs);
    const readings = metrics.map(({ id, name, min, max }) => `${id} ${name} ${min} ${max}`).join();
    const of = JSON.stringify([facts.site, facts.type, hold, labels, named, readings]);
    let kind = kinds.get(of);
    if (kind) return kind;
    if (kinds.size >= MOST_KINDS) kinds.clear();
    const own = new Set(named);
    const selecting = rules.filter((rule) => (told.byName.has(rule) ? own.has(rule.id) : rule.selects(facts)));
    kind = compiledOf(
      selecting.flatMap((rule) => partsOf(rule, device, readings)),
      metrics,
    );
    kinds.set(of, kind);
    return kind;
  };
}

/** What of devices' names and labels rules look at. */
function whatTells(rules: readonly ActiveRule[]) {
  const byName = new Set<ActiveRule>();
  const byExactName = new Map<string, ActiveRule[]>();
  const byPattern: ActiveRule[] = [];
  const labels = new Set<string>();
  for (const rule of rules) {
    const of = "of" in rule.spec ? rule.spec.of : {};
    for (const label of Object.keys(of.labels ?? {})) labels.add(label);
    if (!of.devices && !of.without) continue;
    byName.add(rule);
    if (!of.devices || of.devices.some((name) => name.includes("*"))) byPattern.push(rule);
    else for (const name of new Set(of.devices)) byExactName.set(name, [...(byExactName.get(name) ?? []), rule]);
  }
  return {
    byName,
    labels: [...labels].sort(),
    /** The ids of the rules that go by names and select the device. */
    named: (facts: DeviceFacts): number[] =>
      [...byPattern, ...(byExactName.get(facts.name) ?? [])]
        .filter(({ selects }) => selects(facts))
        .map(({ id }) => id),
  };
}

/** Makes the parts of rules; kinds of devices with the same metrics and pace share them. */
function createPartsOf() {
  const made = new Map<ActiveRule, Map<string, readonly Part[]>>();
  /** @param readings tells metrics apart */
  return (
    rule: ActiveRule,
    { metrics, gapMs }: Pick<DeviceRow, "metrics" | "gapMs">,
    readings: string,
  ): readonly Part[] => {
    const { spec } = rule;
    if (spec.kind === "quality") return [partOf(rule, 0, qualityOf(spec))];
    if (spec.kind !== "silence" && spec.kind !== "condition" && spec.kind !== "oddness") return [];
    const key =
      spec.kind === "silence" ? "" : `${spec.kind === "condition" ? holdOf(spec.holds, gapMs) : 0} ${readings}`;
    let own = made.get(rule);
    if (!own) made.set(rule, (own = new Map()));
    let parts = own.get(key);
    if (!parts) {
      const judged =
        spec.kind === "silence"
          ? [{ metric: 0, rule: silenceOf(spec, 0) }]
          : spec.kind === "oddness"
            ? oddnessOf(spec, metrics)
            : judgedOf(spec, metrics, gapMs);
      own.set(key, (parts = judged.map((one) => partOf(rule, one.metric, one.rule))));
    }
    return parts;
  };
}

function partOf(rule: ActiveRule, metric: number, judged: JudgedRule): Part {
  // Of a score there are no readings.
  const conditions = judged.conditions.filter((one) => one.metric !== SCORE);
  const hasMemory = conditions.some(({ what }) => what !== "value");
  // A minute's value is known when it ends, and holds for another one.
  const minutes = hasMemory ? 3 * MINUTE : MINUTE;
  const bands = new Map<number, Bounds | null>();
  for (const { metric: of } of conditions)
    if (!bands.has(of)) bands.set(of, quietBand(conditions.filter((condition) => condition.metric === of)));
  const backMs = Math.max(0, ...conditions.map(({ holdMs }) => Math.min(holdMs, MOST_BACK_MS) + minutes));
  return { rule, judged, metric, bands, hasMemory, backMs };
}

function compiledOf(parts: readonly Part[], metrics: readonly MetricFacts[]): Compiled {
  const places = new Map(metrics.map(({ id }) => [id, -1]));
  const watching: Part[][] = [];
  for (const part of parts)
    for (const metric of part.bands.keys()) {
      const place = places.get(metric)!;
      if (place >= 0) watching[place]!.push(part);
      else places.set(metric, watching.push([part]) - 1);
    }
  const low = new Float64Array(watching.length).fill(-Infinity);
  const high = new Float64Array(watching.length).fill(Infinity);
  for (const { bands } of parts)
    for (const [metric, band] of bands) {
      const place = places.get(metric)!;
      low[place] = Math.max(low[place]!, band?.[0] ?? Infinity);
      high[place] = Math.min(high[place]!, band?.[1] ?? -Infinity);
    }
  return {
    ...{ parts, places, low, high, watching },
    silences: parts.filter(({ judged }) => judged.conditions.length === 0),
    remembering: parts.filter(({ hasMemory }) => hasMemory),
    backMs: Math.max(MINUTE, ...parts.map(({ backMs }) => backMs)),
    metricNames: new Map(metrics.map(({ id, name }) => [id, name])),
    last: null,
  };
}
