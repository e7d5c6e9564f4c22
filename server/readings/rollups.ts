import type { PoolClient } from "pg";
import { addReading, bucketStart, emptyRollup, mergeRollup, ROLLUP_WIDTHS, type Rollup } from "@/server/domain/rollup";
import type { EpochMs } from "@/server/domain/terms";
import { type BinaryRows, binaryRows, copyBinary } from "@/server/postgres/copy";
import { type Block, hourOf } from "./blocks";
import { hourKey, type KeptRollups } from "./kept-rollups";

/** The arrays of a rollup, side by side. */
export const COLUMNS = ["metrics", "counts", "sums", "mins", "maxs", "firsts", "first_at", "lasts", "last_at"] as const;

/** Moments of an hour from which its minute rollups are kept: with fewer, the minutes are made from its readings as quickly. */
const MINUTES_FROM = 600;

/**
 * Writes the rollups of whole hours, which have none.
 * @param hours one block a device and hour.
 * @param minutesBefore hours before this time get minutes however few their readings are.
 * @param kept rollups that the readings don't tell any more, of these hours and of others.
 */
export async function writeRollups(
  tx: PoolClient,
  hours: readonly Block[],
  minutesBefore: EpochMs = -Infinity,
  kept: ReadonlyMap<string, KeptRollups> = new Map(),
): Promise<void> {
  const hourRows = binaryRows();
  const minuteRows = binaryRows();
  const left = new Map(kept);
  for (const block of hours) {
    const minutes = minutesOf(block);
    const hour = emptyRollup(hourOf(block.times[0]!));
    for (const minute of minutes) mergeRollup(hour, minute);
    const key = hourKey({ device: block.device, hour: hour.start });
    const old = left.get(key);
    left.delete(key);
    if (old?.rolled) mergeRollup(hour, old.rolled);
    addRollup(hourRows, block.device, hour);
    // An hour has minutes of all its metrics, or of none.
    const hasMinutes = block.times.length >= MINUTES_FROM || hour.start < minutesBefore || old?.minutes.length;
    if (hasMinutes)
      for (const minute of joined(minutes, old?.minutes ?? [])) addRollup(minuteRows, block.device, minute);
  }
  for (const { device, rolled, minutes } of left.values()) {
    if (rolled) addRollup(hourRows, device, rolled);
    for (const minute of minutes) addRollup(minuteRows, device, minute);
  }
  const columns = `(device_id, bucket, ${COLUMNS.join(", ")})`;
  if (hourRows.count > 0) await copyBinary(tx, `rollup_hour ${columns}`, hourRows);
  if (minuteRows.count > 0) await copyBinary(tx, `rollup_minute ${columns}`, minuteRows);
}

/** Writes the minute rollups of whole hours, which have none. @param hours one block a device and hour. */
export async function writeMinutes(tx: PoolClient, hours: readonly Block[]): Promise<void> {
  const rows = binaryRows();
  for (const block of hours) for (const minute of minutesOf(block)) addRollup(rows, block.device, minute);
  if (rows.count > 0) await copyBinary(tx, `rollup_minute (device_id, bucket, ${COLUMNS.join(", ")})`, rows);
}

/** Minutes of an hour and others of the same, which have no metric in common. */
function joined(minutes: readonly Rollup[], others: readonly Rollup[]): readonly Rollup[] {
  if (others.length === 0) return minutes;
  const byStart = new Map<EpochMs, Rollup>();
  for (const part of [...minutes, ...others]) {
    const whole = byStart.get(part.start) ?? emptyRollup(part.start);
    mergeRollup(whole, part);
    byStart.set(part.start, whole);
  }
  return [...byStart.values()];
}

function minutesOf({ times, metrics, values }: Block): Rollup[] {
  const length = times.length;
  const minutes: Rollup[] = [];
  let minute: Rollup | undefined;
  for (let i = 0; i < length; i++) {
    const time = times[i]!;
    const start = bucketStart(time, ROLLUP_WIDTHS.minute);
    if (minute?.start !== start) minutes.push((minute = emptyRollup(start)));
    for (let m = 0, place = 0; m < metrics.length; m++) {
      const value = values[m * length + i]!;
      if (!Number.isNaN(value)) addReading(minute, metrics[m]!, value, time - start, place++);
    }
  }
  return minutes;
}

/** Adds the rollups of a device in one bucket as a row of a table of rollups. */
export function addRollup(rows: BinaryRows, device: number, rollup: Rollup): void {
  rows.begin(2 + COLUMNS.length);
  rows.integer(device);
  rows.time(rollup.start);
  rows.integers(rollup.metrics);
  rows.integers(rollup.counts);
  rows.doubles(rollup.sums);
  rows.doubles(rollup.mins);
  rows.doubles(rollup.maxs);
  rows.doubles(rollup.firsts);
  rows.integers(rollup.firstAt);
  rows.doubles(rollup.lasts);
  rows.integers(rollup.lastAt);
}
