import type { Pool, PoolClient } from "pg";
import type { EpochMs } from "@/server/domain/terms";
import type { JobContext } from "@/server/postgres/job";
import { startOf } from "@/server/postgres/months";
import { timeText } from "@/server/postgres/time-text";
import { mergeBlocks } from "./block-changes";
import { type Block, HOUR, hourOf, readBlocks } from "./blocks";
import { writeMinutes } from "./rollups";
import { KEYED_ACCESS } from "./samples";

/** Rows of samples looked at in one step. */
const ROWS = 100;

/** True if all readings of a month have their hours' rollups, so that those stay right without them. */
export async function isMerged(client: Pool | PoolClient, month: number): Promise<boolean> {
  const { rows } = await client.query<{ open: boolean }>(
    `SELECT EXISTS (SELECT FROM late_hour WHERE hour >= $1::timestamptz AND hour < $2::timestamptz) OR EXISTS (
       SELECT FROM device d CROSS JOIN LATERAL (
         SELECT FROM sample s WHERE s.device_id = d.id AND s.time >= greatest($1::timestamptz, coalesce(d.rolled_until, '-infinity'))
           AND s.time < $2::timestamptz LIMIT 1) o) AS open`,
    [timeText(startOf(month)), timeText(startOf(month + 1))],
  );
  return !rows[0]!.open;
}

/** Writes the minute rollups of a month's hours that have none, so that minutes are still answered when the readings are gone. */
export async function keepMinutes(ctx: JobContext, month: number, done: () => number): Promise<void> {
  for (let after: readonly [device: number, time: EpochMs] | null = [0, 0]; after !== null;) {
    const place: readonly [number, EpochMs] = after;
    await ctx.step(async (tx) => {
      after = await keepSome(tx, month, place);
      return { done: done() };
    });
  }
}

async function keepSome(
  tx: PoolClient,
  month: number,
  [device, time]: readonly [number, EpochMs],
): Promise<readonly [number, EpochMs] | null> {
  await tx.query(KEYED_ACCESS.join("; "));
  const [from, to] = [timeText(startOf(month)), timeText(startOf(month + 1))];
  const { rows } = await tx.query<{ device: number; time: EpochMs }>(
    `SELECT device_id AS device, (extract(epoch FROM time) * 1000)::float8 AS time FROM sample
     WHERE time >= $1::timestamptz AND time < $2::timestamptz AND (device_id, time) > ($3, $4::timestamptz)
     ORDER BY device_id, time LIMIT ${ROWS}`,
    [from, to, device, timeText(time)],
  );
  if (rows.length === 0) return null;
  const devices = [...new Set(rows.map((row) => row.device))];
  await tx.query(`SELECT FROM device WHERE id = ANY ($1::integer[]) ORDER BY id FOR NO KEY UPDATE`, [devices]);
  const hours = new Map(
    rows.map((row) => [`${row.device} ${hourOf(row.time)}`, { device: row.device, hour: hourOf(row.time) }]),
  );
  const { rows: there } = await tx.query<{ device: number; hour: EpochMs }>(
    `SELECT k.device, (extract(epoch FROM k.hour) * 1000)::float8 AS hour FROM unnest($1::integer[], $2::timestamptz[]) AS k (device, hour)
     WHERE EXISTS (SELECT FROM rollup_minute r WHERE r.device_id = k.device AND r.bucket >= k.hour AND r.bucket < k.hour + interval '1 hour'
       AND r.bucket >= $3::timestamptz AND r.bucket < $4::timestamptz)`,
    [[...hours.values()].map((one) => one.device), [...hours.values()].map(({ hour }) => timeText(hour)), from, to],
  );
  for (const one of there) hours.delete(`${one.device} ${one.hour}`);
  const blocks = new Map<string, Block[]>();
  const stretches = [...hours.values()].map((one) => ({ device: one.device, from: one.hour, to: one.hour + HOUR }));
  for (const block of await readBlocks(tx, stretches)) {
    const key = `${block.device} ${hourOf(block.times[0]!)}`;
    blocks.set(key, [...(blocks.get(key) ?? []), block]);
  }
  await writeMinutes(tx, [...blocks.values()].map(mergeBlocks));
  const last = rows.at(-1)!;
  // On from the end of the last hour, whose rows were all read.
  return [last.device, hourOf(last.time) + HOUR - 1];
}
