import type { Pool, PoolClient } from "pg";
import type { JobContext } from "@/server/postgres/job";
import { startOf } from "@/server/postgres/months";
import { timeText } from "@/server/postgres/time-text";
import { HOUR, type DeviceHour } from "./blocks";
import { readAllBlocks } from "./cold/hot-and-cold";
import type { ColdReader } from "./cold/reader";
import { writeMinutes } from "./rollups";
import { KEYED_ACCESS } from "@/server/postgres/keyed-access";

/** Hours whose minutes are made in one step. */
const HOURS = 100;

/** True if all readings of a month have their hours' rollups, so that those stay right without them. */
export async function isMerged(client: Pool | PoolClient, month: number): Promise<boolean> {
  const { rows } = await client.query<{ open: boolean }>(
    `SELECT EXISTS (SELECT FROM late_hour WHERE hour >= $1::timestamptz AND hour < $2::timestamptz) OR EXISTS (
       SELECT FROM device d CROSS JOIN LATERAL (
         SELECT FROM sample s WHERE s.device_id = d.id AND s.time >= greatest($1::timestamptz, coalesce(d.rolled_until, '-infinity'))
           AND s.time < $2::timestamptz LIMIT 1) o WHERE d.rolled_until IS NULL OR d.rolled_until < $2::timestamptz) AS open`,
    [timeText(startOf(month)), timeText(startOf(month + 1))],
  );
  return !rows[0]!.open;
}

/**
 * Writes the minute rollups of a month's hours that have none, so that minutes are still answered when the readings are gone. The month is merged.
 * @param cold has the readings that PostgreSQL hasn't. @param done what the run has done so far.
 * @throws ColdUnavailableError when it is away and needed.
 */
export async function keepMinutes(ctx: JobContext, cold: ColdReader, month: number, done: number): Promise<void> {
  for (let after: DeviceHour | null = { device: 0, hour: 0 }; after !== null;) {
    const place: DeviceHour = after;
    await ctx.step(async (tx) => {
      after = await keepSome(tx, cold, month, place);
      return { done };
    });
  }
}

async function keepSome(
  tx: PoolClient,
  cold: ColdReader,
  month: number,
  after: DeviceHour,
): Promise<DeviceHour | null> {
  await tx.query(KEYED_ACCESS.join("; "));
  const devices = [...new Set((await hoursWithout(tx, month, after)).map(({ device }) => device))];
  if (devices.length === 0) return null;
  await tx.query(`SELECT FROM device WHERE id = ANY ($1::integer[]) ORDER BY id FOR NO KEY UPDATE`, [devices]);
  // Looked for again, now that nobody else writes them.
  const hours = (await hoursWithout(tx, month, after)).filter(({ device }) => devices.includes(device));
  const stretches = hours.map(({ device, hour }) => ({ device, from: hour, to: hour + HOUR }));
  const blocks = await readAllBlocks(tx, cold, stretches);
  await writeMinutes(
    tx,
    blocks.filter((block) => block !== null),
  );
  return hours.at(-1) ?? after;
}

/** The next hours of a month, by device and hour, that have rollups and no minutes. */
async function hoursWithout(tx: PoolClient, month: number, { device, hour }: DeviceHour): Promise<DeviceHour[]> {
  const { rows } = await tx.query<DeviceHour>(
    `SELECT d.id AS device, (extract(epoch FROM h.bucket) * 1000)::float8 AS hour
     FROM (SELECT id FROM device WHERE id >= $1 ORDER BY id) d CROSS JOIN LATERAL (
       SELECT bucket FROM rollup_hour r WHERE device_id = d.id AND bucket >= $3 AND bucket < $4 AND (d.id > $1 OR bucket > $2)
         AND NOT EXISTS (SELECT FROM rollup_minute m WHERE m.device_id = d.id AND m.bucket >= r.bucket
           AND m.bucket < r.bucket + interval '1 hour' AND m.bucket >= $3 AND m.bucket < $4)
       ORDER BY bucket LIMIT ${HOURS}) h
     ORDER BY d.id, h.bucket LIMIT ${HOURS}`,
    [device, timeText(hour), timeText(startOf(month)), timeText(startOf(month + 1))],
  );
  return rows;
}
