import type { PoolClient } from "pg";
import type { EpochMs } from "@/server/domain/terms";
import { mergeBlocks } from "./block-changes";
import { type Block, type DeviceHour, HOUR, hourOf, readBlocks } from "./blocks";
import { replaceBlocks } from "./block-writes";
import { readColdBlocks, union } from "./cold/hot-and-cold";
import { type ColdReader, createColdReader } from "./cold/reader";
import { readKeptRollups } from "./kept-rollups";
import { edgeFor } from "./retention";
import { writeRollups } from "./rollups";
import { timeText } from "@/server/postgres/time-text";

/** A change of an hour's readings: all of them as one block, and those that stay, or null. May return what it got. */
export type HourChange = (readings: Block) => Block | null;

/** Notes that hours got readings after they were merged: their rollups go until they are merged again, but for what readings don't tell any more. */
export async function markLate(tx: PoolClient, hours: readonly DeviceHour[]): Promise<void> {
  if (hours.length === 0) return;
  const kept = await readKeptRollups(tx, hours);
  await dropRollups(tx, hours);
  await writeRollups(tx, [], -Infinity, kept);
  await tx.query(
    `INSERT INTO late_hour (device_id, hour) SELECT * FROM unnest($1::integer[], $2::timestamptz[]) ON CONFLICT DO NOTHING`,
    keysOf(hours).slice(0, 2),
  );
}

/**
 * Rewrites an hour of a device, whose row the transaction has locked: everything that changes readings goes through here. All its
 * readings become one block, and if the device's hours are rolled up that far, its rollups are made again.
 * @returns the readings it had.
 */
export async function rewriteHour(
  tx: PoolClient,
  device: number,
  hour: EpochMs,
  change: HourChange,
  cold?: ColdReader,
): Promise<number> {
  const { rows } = await tx.query<{ isRolled: boolean }>(
    `SELECT coalesce(rolled_until > $2::timestamptz, false) AS "isRolled" FROM device WHERE id = $1`,
    [device, timeText(hour)],
  );
  const [readings] = await rewriteHours(tx, [{ device, hour, isRolled: rows[0]?.isRolled ?? false }], change, cold);
  return readings!;
}

/**
 * Rewrites several hours, none twice.
 * @param hours `isRolled` tells whether the hour is to have rollups.
 * @param cold what it has of these hours stays there; their rollups count it too.
 * @returns the readings each had.
 */
export async function rewriteHours(
  tx: PoolClient,
  hours: readonly (DeviceHour & { readonly isRolled: boolean })[],
  change: HourChange = (readings) => readings,
  cold: ColdReader = createColdReader(null),
): Promise<number[]> {
  if (hours.length === 0) return [];
  const stretches = hours.map(({ device, hour }) => ({ device, from: hour, to: hour + HOUR }));
  const stored = new Map<string, Block[]>();
  for (const block of await readBlocks(tx, stretches)) {
    const key = `${block.device} ${hourOf(block.times[0]!)}`;
    const own = stored.get(key);
    if (own) own.push(block);
    else stored.set(key, [block]);
  }
  const coldBlocks = await readColdBlocks(tx, cold, stretches);
  const gone: Block[] = [];
  const fresh: Block[] = [];
  const rolled: Block[] = [];
  const changed: DeviceHour[] = [];
  const readings: number[] = [];
  for (const [i, { device, hour, isRolled }] of hours.entries()) {
    const elsewhere = coldBlocks[i]!;
    const blocks = stored.get(`${device} ${hour}`) ?? [];
    const merged = blocks.length > 0 ? mergeBlocks(blocks) : null;
    readings.push(merged === null ? 0 : countReadings(merged));
    if (merged === null && elsewhere.length === 0) continue;
    changed.push({ device, hour });
    const all = elsewhere.length > 0 ? union([...elsewhere, ...blocks]) : null;
    if (all !== null && isRolled) rolled.push(all);
    if (merged === null) continue;
    const left = change(merged);
    // A block that is to stay as it is costs nothing.
    if (blocks.length > 1 || left !== blocks[0]) {
      gone.push(...blocks);
      if (left !== null) fresh.push(left);
    }
    if (left !== null && all === null && isRolled) rolled.push(left);
  }
  await replaceBlocks(tx, gone, fresh);
  const kept = await readKeptRollups(tx, changed);
  await dropRollups(tx, changed);
  // Where readings are about to be removed, minutes can't be made from them later.
  const edge = await edgeFor(tx, Math.min(...hours.map(({ hour }) => hour)));
  await writeRollups(tx, rolled, edge ?? -Infinity, kept);
  const [devices, starts] = keysOf(hours);
  await tx.query(
    `DELETE FROM late_hour l USING unnest($1::integer[], $2::timestamptz[]) AS k (device_id, hour)
     WHERE l.device_id = k.device_id AND l.hour = k.hour`,
    [devices, starts],
  );
  return readings;
}

function countReadings({ values }: Block): number {
  let count = 0;
  for (const value of values) if (!Number.isNaN(value)) count++;
  return count;
}

async function dropRollups(tx: PoolClient, hours: readonly DeviceHour[]): Promise<void> {
  if (hours.length === 0) return;
  const keys = keysOf(hours);
  await tx.query(
    `DELETE FROM rollup_hour r USING unnest($1::integer[], $2::timestamptz[]) AS k (device_id, hour)
     WHERE r.device_id = k.device_id AND r.bucket = k.hour`,
    keys.slice(0, 2),
  );
  await tx.query(
    `DELETE FROM rollup_minute r USING unnest($1::integer[], $2::timestamptz[]) AS k (device_id, hour)
     WHERE r.device_id = k.device_id AND r.bucket >= k.hour AND r.bucket < k.hour + interval '1 hour'
       AND r.bucket >= $3::timestamptz AND r.bucket < $4::timestamptz`,
    keys,
  );
}

/** Devices, hours, and the span of the hours, which lets the planner leave out partitions. */
function keysOf(hours: readonly DeviceHour[]): [devices: number[], hours: string[], from: string, to: string] {
  let from = Infinity;
  let to = -Infinity;
  for (const { hour } of hours) {
    if (hour < from) from = hour;
    if (hour > to) to = hour;
  }
  return [
    hours.map(({ device }) => device),
    hours.map(({ hour }) => timeText(hour)),
    timeText(from),
    timeText(to + HOUR),
  ];
}
