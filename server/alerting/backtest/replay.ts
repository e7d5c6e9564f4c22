import {
  type Bounds,
  type JudgedCondition,
  type JudgedRule,
  quietBand,
  verdictOf,
} from "@/server/domain/alerts/condition";
import type { EpochMs } from "@/server/domain/terms";
import type { FoundEpisode } from "./episodes";
import type { HourPart } from "@/server/ports/reading-blocks";
import type { Column } from "./history";
import { createMachine, type Machine } from "./machine";

const HOUR = 3_600_000;
/** Readings asked for at once, about; of hours of which nobody knows, a day's. */
const MOST_ASKED = 50_000;
const MOST_HOURS = 24;

/** A stretch whose readings are needed, [from, to). */
export interface Need {
  readonly from: EpochMs;
  readonly to: EpochMs;
}

/** What came of a series, or of several metrics of a device. */
export interface Replayed {
  readonly episodes: FoundEpisode[];
  /** Hours that had readings which are not kept any more: whether anything was in them can't be told. */
  readonly unknownHours: number;
}

/** Asks for readings where they are needed, and gets their columns by metric. */
export type Replay<Found = Replayed> = Generator<Need, Found, ReadonlyMap<number, Column>>;

/** Which of its hours an instance has to look at. */
export type Plan =
  /** Those whose values aren't all within a band; elsewhere nothing changes while it is normal. */
  | { readonly by: "band"; readonly band: Bounds }
  /** All of them: what the conditions say together decides. */
  | { readonly by: "hours" }
  /** Every reading counts. */
  | { readonly by: "readings" };

/** How much of an instance's history hour rollups can decide. */
export function planOf({ conditions }: JudgedRule): Plan {
  const [only, ...others] = conditions;
  if (conditions.some(({ what }) => what === "changePerMinute")) return { by: "readings" };
  if (others.length > 0) return { by: conditions.some(({ what }) => what !== "value") ? "readings" : "hours" };
  const band = quietOf(only!);
  if (band === null) return { by: "readings" };
  const { clear } = only!;
  // Where it isn't over while it fires, an hour may be leapt over only if it is known.
  if (clear === null) return { by: "band", band };
  return { by: "band", band: [Math.max(band[0], clear[0]), Math.min(band[1], clear[1])] };
}

/** Hours whose values all lie within this say nothing of a condition, whatever of values it looks at. */
function quietOf(condition: JudgedCondition): Bounds | null {
  const band = quietBand([{ ...condition, what: "value" }]);
  if (band === null || condition.what !== "minuteMean") return band;
  // The mean of equal values may be off by what their sum was rounded.
  return [band[0] + Math.abs(band[0]) * 1e-9, band[1] - Math.abs(band[1]) * 1e-9];
}

/** A stretch to be looked at, with what rollups tell of it by metric; null: nothing. */
interface Entry {
  readonly from: EpochMs;
  readonly to: EpochMs;
  readonly parts: ReadonlyMap<number, HourPart> | null;
}

export interface ReplayTask {
  readonly judged: JudgedRule;
  readonly plan: Plan;
  /** The hours that are known, by metric, as the plan has them. */
  readonly parts: ReadonlyMap<number, readonly HourPart[]>;
  /** The hours without rollups: single ones, and all from a time on. */
  readonly late: readonly EpochMs[];
  readonly open: EpochMs;
  readonly from: EpochMs;
  readonly to: EpochMs;
}

/**
 * Runs the machine over an instance's history and asks for no more readings than it takes: hours that can't change its state are left out, and those
 * in which it just goes on firing are taken by their rollups. What comes out is what all readings would give.
 */
export function* replay(task: ReplayTask): Replay {
  const { judged, from, to } = task;
  const machine = createMachine(judged);
  const entries = entriesOf(task);
  let unknownHours = 0;
  let stride = 1;
  let i = 0;
  for (let at = from; at < to;) {
    while (i < entries.length && entries[i]!.to <= at) i++;
    const entry = entries[i];
    if (machine.isSettled()) {
      if (entry === undefined) break;
      at = Math.max(at, entry.from);
      if (passOver(machine, task, entry)) at = entry.to;
      else at = yield* readOn(i, at);
      stride = 1;
      continue;
    }
    if (entry !== undefined && entry.from <= at) {
      const part = entry.parts?.size === 1 ? [...entry.parts.values()][0]! : null;
      if (part !== null && isWhole(entry, task) && machine.leap(part)) at = entry.to;
      else at = yield* readOn(i, at);
      stride = 1;
      continue;
    }
    // Quiet hours, or none: a reading of the first of them will tell.
    const end = Math.min(entry?.from ?? to, at + stride * HOUR, to);
    machine.feed(yield { from: at, to: end });
    stride = Math.min(2 * stride, MOST_HOURS);
    at = end;
  }
  const { episodes, guesses } = machine.end(to);
  for (const [n, episode] of episodes.entries()) {
    const guess = guesses.find(({ at, value }) => at === episode.worstAt && value === episode.worstValue);
    if (!guess) continue;
    const [{ times, values }] = [...(yield { from: guess.hour, to: guess.hour + HOUR }).values()] as [Column];
    for (let k = 0; k < times.length; k++)
      if (values[k] === guess.value) {
        episodes[n] = { ...episode, worstAt: times[k]! };
        break;
      }
  }
  return { episodes, unknownHours };

  /** Reads the entry and those that follow at once and will be needed as well. */
  function* readOn(first: number, begin: EpochMs): Generator<Need, EpochMs, ReadonlyMap<number, Column>> {
    let end = begin;
    let expected = 0;
    const known: HourPart[][] = [];
    for (let n = first; n < entries.length && expected < MOST_ASKED; n++) {
      const next = entries[n]!;
      if (n > first && (next.from !== end || end - begin >= MOST_HOURS * HOUR || !isMixed(judged, next))) break;
      end = Math.min(next.to, to, begin + MOST_HOURS * HOUR);
      const parts = [...(next.parts?.values() ?? [])];
      for (const { count } of parts) expected += count;
      if (parts.length > 0 && next.from >= begin && next.to <= to) known.push(parts);
    }
    const columns = yield { from: begin, to: end };
    machine.feed(columns);
    unknownHours += countMissing(known, columns);
    return end;
  }
}

/** Counts the hours with fewer readings than their rollups were made of. */
function countMissing(known: readonly (readonly HourPart[])[], columns: ReadonlyMap<number, Column>): number {
  if (known.length === 0) return 0;
  const counts = new Map<EpochMs, number>();
  for (const { times } of columns.values())
    for (let i = 0; i < times.length;) {
      const hour = times[i]! - (times[i]! % HOUR);
      const first = i;
      while (i < times.length && times[i]! < hour + HOUR) i++;
      counts.set(hour, (counts.get(hour) ?? 0) + i - first);
    }
  const expected = (parts: readonly HourPart[]) => parts.reduce((sum, { count }) => sum + count, 0);
  return known.filter((parts) => (counts.get(parts[0]!.hour) ?? 0) < expected(parts)).length;
}

function entriesOf({ plan, parts, late, open, from, to }: ReplayTask): Entry[] {
  const unknown = (begin: EpochMs, end: EpochMs): Entry => ({ from: begin, to: end, parts: null });
  if (plan.by === "readings") return [unknown(from, to)];
  const known = new Map<EpochMs, Map<number, HourPart>>();
  for (const [metric, of] of parts)
    for (const part of of) known.set(part.hour, (known.get(part.hour) ?? new Map()).set(metric, part));
  const entries = [...known].map(([hour, of]): Entry => ({ from: hour, to: hour + HOUR, parts: of }));
  for (const hour of late) if (hour < open && !known.has(hour)) entries.push(unknown(hour, hour + HOUR));
  entries.sort((a, b) => a.from - b.from);
  if (open < to) entries.push(unknown(open, to));
  return entries.filter((entry) => entry.from < to && entry.to > from);
}

function isWhole(entry: Entry, { from, to }: Pick<ReplayTask, "from" | "to">): boolean {
  return entry.from >= from && entry.to <= to;
}

/** Whether the values of a stretch may say this and that. */
function isMixed({ conditions }: JudgedRule, { parts }: Entry): boolean {
  if (parts === null) return true;
  return conditions.some((condition) => {
    const part = parts.get(condition.metric);
    if (!part) return false;
    const [a, b] = [verdictOf(condition, part.min), verdictOf(condition, part.max)];
    return a.level !== b.level || a.over || b.over;
  });
}

/** Goes past an hour that changes nothing while all is normal; false: it may. */
function passOver(machine: Machine, task: ReplayTask, entry: Entry): boolean {
  const { match, conditions } = task.judged;
  const { parts } = entry;
  if (parts === null) return false;
  const isQuiet = (condition: JudgedCondition) => {
    const part = parts.get(condition.metric);
    const band = quietOf(condition);
    return part === undefined || (band !== null && part.min >= band[0] && part.max <= band[1]);
  };
  // Of one condition quiet values need not be known.
  if (conditions.length === 1) return isQuiet(conditions[0]!);
  const wasQuiet = (condition: JudgedCondition, i: number) => {
    const { time, value } = machine.seen[i]!;
    return time === null || verdictOf(condition, value).level === 0;
  };
  const passes =
    match === "any" ? conditions.every(isQuiet) : conditions.some((one, i) => isQuiet(one) && wasQuiet(one, i));
  if (!passes || !isWhole(entry, task)) return false;
  // Of several the newest tell what later ones come to.
  const lasts = [...parts].sort(([, a], [, b]) => a.lastTime - b.lastTime);
  for (const [metric, { lastTime, last }] of lasts) machine.read(lastTime, [metric], [last]);
  return true;
}
