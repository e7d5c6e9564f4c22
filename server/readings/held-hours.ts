import type { PoolClient } from "pg";
import type { Sites } from "@/server/domain/access";
import { bucketStart, ROLLUP_WIDTHS } from "@/server/domain/rollup";
import type { EpochMs } from "@/server/domain/terms";
import type { Stretch } from "./blocks";

const HOUR = ROLLUP_WIDTHS.hour;

/** A device whose readings are asked for. */
export interface HeldDevice {
  readonly key: number;
  /** All its hours before have rollups but those of late readings, and none from it on; null: no hour has. */
  readonly rolledUntil: EpochMs | null;
  /** Ingest time of its newest message. */
  readonly lastSeen: EpochMs | null;
  /** Event time of its newest reading; null: not known. */
  readonly lastEventTime: EpochMs | null;
}

/** Reads how far a device's rollups reach; null if there is none with this key at these sites. */
export async function findHeldDevice(client: PoolClient, key: number, sites: Sites): Promise<HeldDevice | null> {
  const found = (await findHeldDevices(client, [key], sites)).get(key);
  return found ?? (sites === "all" ? { key, rolledUntil: null, lastSeen: null, lastEventTime: null } : null);
}

/** Reads how far devices' rollups reach, by key; without those that aren't at these sites. */
export async function findHeldDevices(
  client: PoolClient,
  keys: readonly number[],
  sites: Sites,
): Promise<ReadonlyMap<number, HeldDevice>> {
  const [within, values] = sites === "all" ? ["", []] : ["AND site_id = ANY ($2::integer[])", [sites]];
  const { rows } = await client.query<{ key: number; rolled: Date | null; seen: Date | null; event: Date | null }>(
    `SELECT id AS key, rolled_until AS rolled, last_seen AS seen, last_event_time AS event FROM device
     WHERE id = ANY ($1::integer[]) ${within} ORDER BY id`,
    [keys, ...values],
  );
  return new Map(
    rows.map(({ key, rolled, seen, event }) => {
      const ms = (time: Date | null) => time?.getTime() ?? null;
      return [key, { key, rolledUntil: ms(rolled), lastSeen: ms(seen), lastEventTime: ms(event) }];
    }),
  );
}

/** The hours within [from, to) from the first that holds readings of the device to the last; null if none does. */
export async function extentOf(
  client: PoolClient,
  device: HeldDevice,
  from: EpochMs,
  to: EpochMs,
): Promise<{ from: EpochMs; to: EpochMs } | null> {
  const { rows } = await client.query<{ first: Date | null; last: Date | null }>(
    `SELECT min(first) AS first, max(last) AS last FROM (
       SELECT min(bucket) AS first, max(bucket) AS last FROM rollup_hour WHERE device_id = $1 AND bucket >= $2 AND bucket < $3
       UNION ALL SELECT min(hour), max(hour) FROM late_hour WHERE device_id = $1 AND hour >= $2 AND hour < $3
       UNION ALL SELECT min(time), max(time) FROM sample WHERE device_id = $1 AND time >= $4 AND time < $3) AS held`,
    hoursAround(device, from, to),
  );
  const { first, last } = rows[0]!;
  return first && last && { from: bucketStart(first.getTime(), HOUR), to: bucketStart(last.getTime(), HOUR) + HOUR };
}

/** The stretches of devices within [from, to) whose rollups of this width are not kept: their readings have to be counted. */
export async function stretchesWithout(
  client: PoolClient,
  source: "minute" | "hour",
  devices: readonly HeldDevice[],
  from: EpochMs,
  to: EpochMs,
): Promise<Stretch[]> {
  // Few readings in an hour have no minutes: these would take more room than they.
  const withoutMinutes = `UNION ALL SELECT device_id, bucket FROM rollup_hour h WHERE device_id = ANY ($1::integer[]) AND bucket >= $2 AND bucket < $3 AND NOT EXISTS (
      SELECT FROM rollup_minute m WHERE m.device_id = h.device_id AND m.bucket >= h.bucket AND m.bucket < h.bucket + interval '1 hour')`;
  const first = bucketStart(from, HOUR);
  const end = Math.ceil(to / HOUR) * HOUR;
  const { rows } = await client.query<{ device: number; hour: Date }>(
    `SELECT device_id AS device, hour FROM late_hour WHERE device_id = ANY ($1::integer[]) AND hour >= $2 AND hour < $3
     ${source === "minute" ? withoutMinutes : ""} ORDER BY device, hour`,
    [devices.map(({ key }) => key), new Date(first), new Date(end)],
  );
  const stretches: { device: number; from: EpochMs; to: EpochMs }[] = [];
  const add = (device: number, begin: EpochMs, until: EpochMs) => {
    const before = stretches.at(-1);
    if (before?.device === device && before.to === begin) before.to = until;
    else stretches.push({ device, from: begin, to: until });
  };
  let next = 0;
  for (const { key, rolledUntil, lastEventTime } of [...devices].sort((a, b) => a.key - b.key)) {
    for (; rows[next]?.device === key; next++) add(key, rows[next]!.hour.getTime(), rows[next]!.hour.getTime() + HOUR);
    const open = Math.max(first, rolledUntil ?? first);
    // A device that has been silent for long has a long stretch without rollups, and nothing in it.
    const until = lastEventTime === null ? end : Math.min(end, bucketStart(lastEventTime, HOUR) + HOUR);
    if (open < until) add(key, open, until);
  }
  return stretches
    .map((stretch) => ({ ...stretch, from: Math.max(stretch.from, from), to: Math.min(stretch.to, to) }))
    .filter((stretch) => stretch.from < stretch.to);
}

/** Hours with rollups, and rows of those without, that are looked at to find the end of a part. */
const HOURS = 500;
const BLOCKS = 5000;

/**
 * Finds where to end a part of [from, to) that begins at `from` and can be read into memory: it has whole hours.
 * @param most about as many moments as the part should have, or one hour of more; an hour counts as at most `anHour`.
 */
export async function endOfPart(
  client: PoolClient,
  device: HeldDevice,
  { from, to, most, anHour = Infinity }: { from: EpochMs; to: EpochMs; most: number; anHour?: number },
): Promise<EpochMs> {
  if (to <= bucketStart(from, HOUR) + HOUR) return to;
  const hours = Math.max(HOURS, Math.ceil(most / anHour));
  const { rows } = await client.query<[hour: Date, moments: number, isFull: boolean]>({
    rowMode: "array",
    text: `SELECT hour, sum(moments)::float8, bool_or(is_full) FROM (
       SELECT bucket AS hour, (SELECT max(n) FROM unnest(counts) AS n) AS moments, row_number() OVER (ORDER BY bucket) = ${hours} AS is_full
       FROM (SELECT bucket, counts FROM rollup_hour WHERE device_id = $1 AND bucket >= $2 AND bucket < $3 ORDER BY bucket LIMIT ${hours}) AS rolled
       UNION ALL
       SELECT hour, ${HOUR / 1000}, row_number() OVER (ORDER BY hour) = ${hours}
       FROM (SELECT hour FROM late_hour WHERE device_id = $1 AND hour >= $2 AND hour < $3 ORDER BY hour LIMIT ${hours}) AS late
       UNION ALL
       SELECT date_trunc('hour', time, 'UTC'), coalesce(cardinality(offsets), 1), row_number() OVER (ORDER BY time) = ${BLOCKS}
       FROM (SELECT time, offsets FROM sample WHERE device_id = $1 AND time >= $4 AND time < $3 ORDER BY time LIMIT ${BLOCKS}) AS open) AS held
     GROUP BY hour ORDER BY hour`,
    values: hoursAround(device, from, to),
  });
  let moments = 0;
  for (const [hour, more, isFull] of rows) {
    moments += Math.min(more, anHour);
    // What comes after a full list wasn't looked at.
    if (moments >= most || isFull) return Math.min(to, hour.getTime() + HOUR);
  }
  return to;
}

/** The hours that [from, to) touches, and from where on of them there are no rollups. */
function hoursAround(
  { key, rolledUntil }: HeldDevice,
  from: EpochMs,
  to: EpochMs,
): [key: number, first: Date, end: Date, open: Date] {
  const first = bucketStart(from, HOUR);
  const open = Math.max(first, rolledUntil ?? first);
  return [key, new Date(first), new Date(Math.ceil(to / HOUR) * HOUR), new Date(open)];
}
