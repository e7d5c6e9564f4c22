import { type Bounds, type JudgedRule, quietBand, UNSEEN } from "@/server/domain/alerts/condition";
import { type DeviceFacts, judgedOf, type MetricFacts, silenceOf } from "@/server/domain/alerts/judged";
import { type AlertEvent, type AlertState, restState } from "@/server/domain/alerts/step";
import type { EpochMs } from "@/server/domain/terms";
import type { ActiveRule } from "./active-rules";

/** One rule for one device, or one of its series. */
export interface Instance {
  readonly rule: ActiveRule;
  readonly judged: JudgedRule;
  /** The metric's id; 0: of several, or of none. */
  readonly metric: number;
  /** What it is about that is no device: the name of an engine or a source. */
  readonly subject?: string;
  /** Null: it is normal, and the values of its series say the rest. */
  state: AlertState | null;
  /** The state as it is stored; null: it isn't. */
  kept: AlertState | null;
  /** It was missed while it was live. */
  readonly late?: true;
  /** The alert of its site that it is beneath. */
  parent?: string;
  /** What was decided in the transaction under way. */
  events: AlertEvent[];
}

/** A series that rules watch. */
interface Series {
  /** Its newest reading. */
  time: EpochMs;
  value: number;
  /** Values in between change nothing while nothing of it is under way. */
  low: number;
  high: number;
  busy: number;
  readonly links: { readonly instance: Instance; readonly band: Bounds | null }[];
}

/** A device as it is remembered for being judged. */
export interface Watched {
  /** 0: it is no device but a site. */
  readonly id: number;
  readonly facts: DeviceFacts;
  readonly siteId: number | null;
  /** The mark it has in the database if nothing has changed it since. */
  mark: number;
  rulesEpoch: number;
  /** By metric; null: no rule watches it. One that is missing is new. */
  readonly series: Map<number, Series | null>;
  readonly instances: readonly Instance[];
  /** Those of them that watch for silence. */
  readonly silences: readonly Instance[];
  readonly metricNames: ReadonlyMap<number, string>;
}

export interface DeviceRow {
  readonly id: number;
  readonly facts: DeviceFacts;
  readonly siteId: number | null;
  /** The usual time between its readings, in milliseconds; null: not known yet. */
  readonly gapMs: number | null;
  readonly metrics: readonly MetricFacts[];
}

/** Prepares a device for being judged by the rules that select it. All is normal, and nothing was read yet. */
export function watch(device: DeviceRow, rules: readonly ActiveRule[], rulesEpoch: number): Watched {
  const instances: Instance[] = [];
  const series = new Map<number, Series | null>(device.metrics.map(({ id }) => [id, null]));
  for (const rule of rules) {
    if (!rule.selects(device.facts)) continue;
    const { spec } = rule;
    if (spec.kind === "silence")
      instances.push({ rule, judged: silenceOf(spec, 0), metric: 0, state: null, kept: null, events: [] });
    if (spec.kind !== "condition") continue;
    for (const { metric, rule: judged } of judgedOf(spec, device.metrics, device.gapMs))
      instances.push({ rule, judged, metric, state: null, kept: null, events: [] });
  }
  for (const instance of instances) {
    const { conditions } = instance.judged;
    for (const metric of new Set(conditions.map((condition) => condition.metric))) {
      const one = series.get(metric) ?? {
        time: -Infinity,
        value: 0,
        low: -Infinity,
        high: Infinity,
        busy: 0,
        links: [],
      };
      series.set(metric, one);
      const band = quietBand(conditions.filter((condition) => condition.metric === metric));
      one.links.push({ instance, band });
      one.low = Math.max(one.low, band?.[0] ?? Infinity);
      one.high = Math.min(one.high, band?.[1] ?? -Infinity);
    }
  }
  const { id, facts, siteId } = device;
  const metricNames = new Map(device.metrics.map((metric) => [metric.id, metric.name]));
  const silences = instances.filter(({ judged }) => judged.conditions.length === 0);
  return { id, facts, siteId, mark: -1, rulesEpoch, series, instances, silences, metricNames };
}

/** The state of an instance, whether or not it was worth remembering. */
export function stateOf({ state, judged }: Instance, series: Watched["series"]): AlertState {
  if (state !== null) return state;
  let at: EpochMs | null = null;
  const seen = judged.conditions.map(({ metric }) => {
    const { time, value } = series.get(metric)!;
    if (time > (at ?? -Infinity)) at = time;
    // NaN: the newest is older than what was read.
    return Number.isNaN(value) || time === -Infinity ? UNSEEN : { ...UNSEEN, time, value };
  });
  return { ...restState(judged, seen), at };
}

/** True for those whose state is more than the newest values. */
export function hasMemory({ conditions }: JudgedRule): boolean {
  return conditions.some(({ what }) => what !== "value");
}

/** Sets where an instance stands; what is normal is forgotten. */
export function setState(watched: Watched, instance: Instance, state: AlertState): void {
  const isNormal = state.phase === "normal" && state.fires.length === 0 && !hasMemory(instance.judged);
  const before = instance.state !== null;
  instance.state = isNormal ? null : state;
  const change = Number(!isNormal) - Number(before);
  if (change === 0) return;
  for (const metric of new Set(instance.judged.conditions.map((condition) => condition.metric)))
    watched.series.get(metric)!.busy += change;
}
