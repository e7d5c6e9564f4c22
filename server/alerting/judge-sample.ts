import { isLate, isRest, type AlertState } from "@/server/domain/alerts/state";
import { step } from "@/server/domain/alerts/step";
import type { EpochMs } from "@/server/domain/terms";
import type { Sample } from "@/server/ports/commit-batch";
import { columnsOf } from "./compiled";
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
  late: (metric: number, sample: Sample) => void,
): boolean {
  const { metrics, values, time } = sample;
  const { newest, compiled } = watched;
  const columns = columnsOf(compiled, metrics);
  if (columns === null) return false;
  const { low, high } = compiled;
  let isQuiet = watched.busy === 0;
  for (let i = 0; i < columns.length && isQuiet; i++) {
    const column = columns[i]!;
    if (column >= 0 && !(values[i]! >= low[column]! && values[i]! <= high[column]!)) isQuiet = false;
  }
  if (!isQuiet) judgeLoud(watched, sample, columns, changed, late);
  for (let i = 0; i < columns.length; i++) {
    const column = columns[i]!;
    if (column < 0 || time < newest[column]!) continue;
    newest[column] = time;
    newest[low.length + column] = values[i]!;
  }
  return true;
}

function judgeLoud(
  watched: Watched,
  sample: Sample,
  columns: readonly number[],
  changed: Map<Instance, Watched>,
  late: (metric: number, sample: Sample) => void,
): void {
  const { metrics, values, time } = sample;
  const touched = new Set<Instance>();
  const touch = (instance: Instance, metric: number) => {
    if (!isLate(stateOf(instance, watched), time)) return void touched.add(instance);
    late(metric, sample);
    watched.forgetNormal(instance);
  };
  for (const instance of watched.remembered) {
    if (instance.state === null) continue;
    for (const { metric } of instance.judged.conditions) if (metrics.includes(metric)) touch(instance, metric);
  }
  const { low, high, watching } = watched.compiled;
  for (let i = 0; i < columns.length; i++) {
    const [column, value] = [columns[i]!, values[i]!];
    if (column < 0 || (value >= low[column]! && value <= high[column]!)) continue;
    for (const part of watching[column]!) {
      const band = part.bands.get(metrics[i]!) ?? null;
      if (band === null || !(value >= band[0] && value <= band[1])) touch(watched.instanceOf(part), metrics[i]!);
    }
  }
  for (const instance of touched) {
    const before = stateOf(instance, watched);
    const [state, events] = step(before, { kind: "reading", time, metrics, values }, instance.judged);
    settle(watched, instance, state, changed);
    if (events.length > 0) {
      instance.events.push(...events);
      changed.set(instance, watched);
    }
    if (!changed.has(instance)) watched.forgetNormal(instance);
  }
}

/** States are stored when something of them changed, and now and then: what comes in between is read again after a restart. */
const KEEP_EVERY_MS = 600_000;
/** The figures of what fires are shown as those of now: they are stored this often, by the time of the readings. */
const SHOW_EVERY_MS = 15_000;
/** Figures alone make no batch write more than so many: where a whole fleet fires, those left over are written by the next ones. */
const MOST_SHOWN = 500;

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
        (kept.episode?.noDataSince == null) !== (state.episode?.noDataSince == null) ||
        (state.at ?? 0) - (kept.at ?? 0) >= KEEP_EVERY_MS ||
        (changed.size < MOST_SHOWN && showsOld(kept, state));
  if (hasChanged) changed.set(instance, watched);
}

/** True where the alert of a state shows figures that aren't those of now any more. */
function showsOld(kept: AlertState, { phase, at, episode }: AlertState): boolean {
  if ((phase !== "firing" && phase !== "recovering") || (at ?? 0) - (kept.at ?? 0) < SHOW_EVERY_MS) return false;
  return episode?.lastValue !== kept.episode?.lastValue || episode?.worstValue !== kept.episode?.worstValue;
}

/** True if a state has a row. Normal ones have none, nor have devices that are heard of. */
export function isStored({ judged }: Pick<Instance, "judged">, state: AlertState): boolean {
  if (isRest(state)) return false;
  return judged.conditions.length > 0 || state.phase !== "pending" || state.fires.length > 0;
}
