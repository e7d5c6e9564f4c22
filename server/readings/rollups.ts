import type { PoolClient } from "pg";
import { addReading, bucketStart, emptyRollup, mergeRollup, ROLLUP_WIDTHS, type Rollup } from "@/server/domain/rollup";
import type { EpochMs } from "@/server/domain/terms";
import { type BinaryRows, binaryRows, copyBinary } from "@/server/postgres/copy";
import { type Block, hourOf } from "./blocks";

/** The arrays of a rollup, side by side. */
export const COLUMNS = ["metrics", "counts", "sums", "mins", "maxs", "firsts", "first_at", "lasts", "last_at"] as const;

/** Moments of an hour from which its minute rollups are kept: with fewer, the minutes are made from its readings as quickly. */
const MINUTES_FROM = 600;

/**
 * Writes the rollups of whole hours, which have none.
 * @param hours one block a device and hour.
 * @param minutesBefore hours before this time get minutes however few their readings are.
 */
export async function writeRollups(
  tx: PoolClient,
  hours: readonly Block[],
  minutesBefore: EpochMs = -Infinity,
): Promise<void> {
  const hourRows = binaryRows();
  const minuteRows = binaryRows();
  for (const block of hours) {
    const minutes = minutesOf(block);
    const hour = emptyRollup(hourOf(block.times[0]!));
    for (const minute of minutes) mergeRollup(hour, minute);
    addRollup(hourRows, block.device, hour);
    if (block.times.length >= MINUTES_FROM || hour.start < minutesBefore)
      for (const minute of minutes) addRollup(minuteRows, block.device, minute);
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

function addRollup(rows: BinaryRows, device: number, rollup: Rollup): void {
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
