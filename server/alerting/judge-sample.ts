import { isLate, isRest, step, type AlertState } from "@/server/domain/alerts/step";
import type { EpochMs } from "@/server/domain/terms";
import type { Sample } from "@/server/ports/commit-batch";
import { type Instance, setState, stateOf, type Watched } from "./watched";

/** A stretch of a series that has to be judged again. */
export interface Recheck {
  readonly deviceId: number;
  readonly metric: number;
  from: EpochMs;
  to: EpochMs;
}

/**
 * Judges new readings of one event time. The quiet ones, which are nearly all, cost two comparisons.
 * @param changed gets the instances whose stored state has to be written
 * @param late called with what came after its time was judged
 * @returns false when the device has a metric that wasn't known: then nothing was done.
 */
export function judgeSample(
  watched: Watched,
  sample: Sample,
  changed: Map<Instance, Watched>,
  late: (metric: number) => void,
): boolean {
  const { metrics, values, time } = sample;
  const { series } = watched;
  let isQuiet = true;
  for (let i = 0; i < metrics.length; i++) {
    const one = series.get(metrics[i]!);
    if (one === undefined) return false;
    if (one === null) continue;
    const value = values[i]!;
    if (one.busy > 0 || !(value >= one.low && value <= one.high) || time < one.time) isQuiet = false;
  }
  if (!isQuiet) judgeLoud(watched, sample, changed, late);
  for (let i = 0; i < metrics.length; i++) {
    const one = series.get(metrics[i]!);
    if (!one || time < one.time) continue;
    one.time = time;
    one.value = values[i]!;
  }
  return true;
}

function judgeLoud(
  watched: Watched,
  { metrics, values, time }: Sample,
  changed: Map<Instance, Watched>,
  late: (metric: number) => void,
): void {
  const touched = new Set<Instance>();
  for (let i = 0; i < metrics.length; i++) {
    const one = watched.series.get(metrics[i]!);
    if (!one) continue;
    const value = values[i]!;
    for (const { instance, band } of one.links) {
      const isLoud = instance.state !== null || band === null || !(value >= band[0] && value <= band[1]);
      if (!isLoud) continue;
      if (isLate(stateOf(instance, watched.series), time)) late(metrics[i]!);
      else touched.add(instance);
    }
  }
  for (const instance of touched) {
    const before = stateOf(instance, watched.series);
    const [state, events] = step(before, { kind: "reading", time, metrics, values }, instance.judged);
    settle(watched, instance, state, changed);
    if (events.length > 0) {
      instance.events.push(...events);
      changed.set(instance, watched);
    }
  }
}

/** States are stored when something of them changed, and now and then: what comes in between is read again after a restart. */
const KEEP_EVERY_MS = 600_000;

/** Remembers a state, and has it stored if it says more than the one that is. */
export function settle(watched: Watched, instance: Instance, state: AlertState, changed: Map<Instance, Watched>): void {
  setState(watched, instance, isRest(state) && state.fires.length > 0 ? { ...state, fires: [] } : state);
  const { kept } = instance;
  const isKept = isStored(instance, state);
  const hasChanged =
    kept === null
      ? isKept
      : !isKept ||
        kept.phase !== state.phase ||
        kept.episode?.startedAt !== state.episode?.startedAt ||
        (state.at ?? 0) - (kept.at ?? 0) >= KEEP_EVERY_MS;
  if (hasChanged) changed.set(instance, watched);
}

/** True if a state has a row. Normal ones have none, nor have devices that are heard of. */
export function isStored({ judged }: Pick<Instance, "judged">, state: AlertState): boolean {
  if (isRest(state)) return false;
  return judged.conditions.length > 0 || state.phase !== "pending" || state.fires.length > 0;
}
