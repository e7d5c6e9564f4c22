import type { PoolClient } from "pg";
import type { Flag } from "@/server/domain/quality/checks";
import { checkHour, isDayApart, usualRange } from "@/server/domain/quality/hour-checks";
import {
  type Hour,
  HOUR_MS,
  hourAt,
  type HoursByMetric,
  medianOf,
  type Profile,
  profilesOf,
} from "@/server/domain/quality/profile";
import { slidesOf } from "@/server/domain/quality/slides";
import { middleOf } from "@/server/domain/quality/statistics";
import type { EpochMs } from "@/server/domain/terms";
import type { ReadingBlock } from "@/server/ports/reading-blocks";
import { type AnyCheck, type OpenFlag, writeFlags } from "./flags";
import type { Limits } from "./limits";
import { hoursByDevice, neighborsOf, type Placed, readProfiles, writeProfiles } from "./profiles";

const MINUTE = 60_000;
const DAY_MS = 24 * HOUR_MS;
/** What came just after an hour belongs to a slide that ended in it. */
export const AFTER_MS = 5 * MINUTE;
/** What is usual is learned from so many days. */
const LEARNED_DAYS = 28;

/** Reads readings: blocks whose last moment is within one of the stretches [from, to). */
export type ReadStretches = (
  tx: PoolClient,
  stretches: readonly { readonly device: number; readonly from: EpochMs; readonly to: EpochMs }[],
) => Promise<readonly ReadingBlock[]>;

/** Reads the hours of devices' series of numbers within [from, to) that are merged, by time. */
export type ReadHours = (
  tx: PoolClient,
  devices: readonly number[],
  from: EpochMs,
  to: EpochMs,
) => Promise<readonly (Hour & { readonly device: number; readonly metric: number })[]>;

/** The readings of one series, by time. */
interface Column {
  readonly times: number[];
  readonly values: number[];
}

/** Checks an hour of devices that is over, from its readings and those of the hour before. @returns how many series it had */
export async function checkHourOf(
  tx: PoolClient,
  readStretches: ReadStretches,
  limits: Limits,
  devices: readonly Placed[],
  hour: EpochMs,
): Promise<number> {
  const ids = devices.map(({ id }) => id);
  const columns = columnsOf(
    await readStretches(
      tx,
      ids.map((device) => ({ device, from: hour - HOUR_MS, to: hour + HOUR_MS + AFTER_MS })),
    ),
    await readNumbers(tx),
  );
  const hours = hoursByDevice(
    [...columns].flatMap(([device, own]) =>
      [...own].flatMap(([metric, column]) =>
        [hour - HOUR_MS, hour].flatMap((time) => {
          const one = hourOf(column, time);
          return one === null ? [] : [{ device, metric, ...one }];
        }),
      ),
    ),
  );
  const profiles = await readProfiles(tx, ids);
  const ownUnits = await readOwnUnits(tx, ids);
  const flags: OpenFlag[] = [];
  let series = 0;
  for (const placed of devices) {
    const own = hours.get(placed.id);
    if (!own) continue;
    const beside = neighborsOf(placed, devices).flatMap((id) => hours.get(id) ?? []);
    for (const [metric, two] of own) {
      const seen = hourAt(two, hour);
      if (!seen) continue;
      series++;
      const column = columns.get(placed.id)!.get(metric)!;
      const of = limits.of(placed.id, metric, ownUnits.has(`${placed.id} ${metric}`));
      const tell = ({ check, level, from, to }: Flag<AnyCheck>, told = 1) =>
        flags.push({ device: placed.id, metric, check, level, from, to, told });
      if (of.driftSpreads !== null)
        for (const { from, to } of slidesOf(stepsOf(column)))
          if (to >= hour && to < hour + HOUR_MS) tell({ check: "drift", level: "suspect", from, to: to + MINUTE - 1 });
      const profile = profiles.get(placed.id)?.get(metric);
      if (!profile) continue;
      const pair = profile.pair === null ? null : (hourAt(own.get(profile.pair.metric), hour)?.mean ?? null);
      const before = hourAt(two, hour - HOUR_MS) ?? null;
      checkHour({ hour: seen, before, pair, neighbors: medianOf(beside, metric, hour) }, profile, of, tell);
      for (const flag of unusual(column, profile, of, hour)) tell(flag, flag.count);
    }
  }
  await writeFlags(tx, flags);
  return series;
}

/** The stretch of an hour's readings that lie outside of what is usual, though not of the valid range. */
function* unusual({ times, values }: Column, profile: Profile, of: ReturnType<Limits["of"]>, hour: EpochMs) {
  const range = usualRange(profile, of);
  if (range === null) return;
  let [count, from, to] = [0, 0, 0];
  for (let i = 0; i < times.length; i++) {
    const [time, value] = [times[i]!, values[i]!];
    if (time < hour || time >= hour + HOUR_MS || (value >= range[0] && value <= range[1])) continue;
    if ((of.min !== null && value < of.min) || (of.max !== null && value > of.max)) continue;
    if (count++ === 0) from = time;
    to = time;
  }
  if (count > 0) yield { check: "range", level: "suspect", from, to, count } as const;
}

/** Learns anew what is usual of devices by the weeks before `day` ends, after it holds that day against what was usual before. @returns how many series have a profile */
export async function learnDay(
  tx: PoolClient,
  readHours: ReadHours,
  limits: Limits,
  devices: readonly Placed[],
  day: EpochMs,
  now: EpochMs,
): Promise<number> {
  const ids = devices.map(({ id }) => id);
  const hours = hoursByDevice(await readHours(tx, ids, day - (LEARNED_DAYS - 1) * DAY_MS, day + DAY_MS));
  const known = await readProfiles(tx, ids);
  const flags: OpenFlag[] = [];
  const profiles: { device: number; metric: number; profile: Profile }[] = [];
  for (const placed of devices) {
    const device = placed.id;
    const own = hours.get(device);
    if (!own) continue;
    for (const [metric, profile] of known.get(device) ?? []) {
      const today = own.get(metric)?.filter(({ time }) => time >= day) ?? [];
      const mean = today.reduce((all, one) => all + one.mean, 0) / today.length;
      // Half a day isn't one.
      if (today.length >= 20 && isDayApart(mean, profile, limits.of(device, metric, false)))
        flags.push({ device, metric, check: "drift", level: "suspect", from: day, to: day + DAY_MS - 1, told: 1 });
    }
    const beside: HoursByMetric[] = neighborsOf(placed, devices).flatMap((id) => hours.get(id) ?? []);
    for (const [metric, profile] of profilesOf(own, beside)) profiles.push({ device, metric, profile });
  }
  await writeFlags(tx, flags);
  await writeProfiles(tx, ids, profiles, now);
  return profiles.length;
}

function columnsOf(blocks: readonly ReadingBlock[], numbers: ReadonlySet<number>): Map<number, Map<number, Column>> {
  const byDevice = new Map<number, Map<number, Column>>();
  for (const { device, times, metrics, values } of blocks) {
    const own = byDevice.get(device) ?? new Map<number, Column>();
    byDevice.set(device, own);
    for (const [m, metric] of metrics.entries()) {
      if (!numbers.has(metric)) continue;
      const column = own.get(metric) ?? { times: [], values: [] };
      own.set(metric, column);
      for (let i = 0; i < times.length; i++) {
        const value = values[m * times.length + i]!;
        if (Number.isNaN(value)) continue;
        column.times.push(times[i]!);
        column.values.push(value);
      }
    }
  }
  return byDevice;
}

function hourOf({ times, values }: Column, time: EpochMs): Hour | null {
  let [count, sum, min, max] = [0, 0, Infinity, -Infinity];
  for (let i = 0; i < times.length; i++) {
    if (times[i]! < time || times[i]! >= time + HOUR_MS) continue;
    const value = values[i]!;
    count++;
    sum += value;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return count === 0 ? null : { time, count, mean: sum / count, min, max };
}

/** The middle values of minutes, by time. */
function stepsOf({ times, values }: Column) {
  const minutes = new Map<number, number[]>();
  for (let i = 0; i < times.length; i++) {
    const minute = times[i]! - (times[i]! % MINUTE);
    const own = minutes.get(minute);
    if (own) own.push(values[i]!);
    else minutes.set(minute, [values[i]!]);
  }
  return [...minutes]
    .sort(([a], [b]) => a - b)
    .map(([time, of]) => ({ time, value: middleOf(Float64Array.from(of).sort()) }));
}

async function readNumbers(tx: PoolClient): Promise<Set<number>> {
  const { rows } = await tx.query<{ id: number }>(`SELECT id FROM metric WHERE kind = 'number'`);
  return new Set(rows.map(({ id }) => id));
}

async function readOwnUnits(tx: PoolClient, ids: readonly number[]): Promise<Set<string>> {
  const { rows } = await tx.query<{ device: number; metric: number }>(
    `SELECT device_id AS device, metric_id AS metric FROM device_unit WHERE device_id = ANY ($1::integer[])`,
    [ids],
  );
  return new Set(rows.map(({ device, metric }) => `${device} ${metric}`));
}
