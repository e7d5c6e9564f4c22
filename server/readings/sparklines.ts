import type { Pool, PoolClient } from "pg";
import type { Sites } from "@/server/domain/access";
import { bucketStart, meanOf, ROLLUP_WIDTHS } from "@/server/domain/rollup";
import type { EpochMs } from "@/server/domain/terms";
import { withTransaction } from "@/server/postgres/transaction";
import { readColumnsOf, type Stretch } from "./blocks";
import { createBuckets } from "./buckets";
import { ONE_MOMENT } from "./reading-queries";

const { minute: MINUTE, hour: HOUR } = ROLLUP_WIDTHS;

interface Query {
  readonly sites: Sites;
  /** Names. */
  readonly devices: readonly string[];
  readonly metric: number;
  /** Start of the first minute; `minutes` of them follow. */
  readonly from: EpochMs;
  readonly minutes: number;
}

/** The means of one metric of several devices by minute. Devices without any, or at other sites, are left out. */
export async function readSparklines(pool: Pool, query: Query): Promise<Map<string, (number | null)[]>> {
  return withTransaction(pool, (client) => read(client, query), ONE_MOMENT);
}

async function read(client: PoolClient, query: Query): Promise<Map<string, (number | null)[]>> {
  const { metric, from, minutes } = query;
  const to = from + minutes * MINUTE;
  const some = query.sites === "all" ? [] : [query.sites];
  const { rows: devices } = await client.query<{ id: number; name: string }>(
    `SELECT id, name FROM device WHERE name = ANY ($1::text[]) ${some.map(() => "AND site_id = ANY ($2::integer[])").join("")}`,
    [query.devices, ...some],
  );
  const names = new Map(devices.map(({ id, name }) => [id, name]));
  const lines = new Map<string, (number | null)[]>();
  const add = (device: number, time: EpochMs, mean: number) => {
    const name = names.get(device)!;
    let line = lines.get(name);
    if (line === undefined) lines.set(name, (line = new Array<number | null>(minutes).fill(null)));
    line[(time - from) / MINUTE] = mean;
  };
  const rolled = new Set<string>();
  for (const { device, time, count, sum, min, max } of await minuteRollups(
    client,
    [...names.keys()],
    metric,
    from,
    to,
  )) {
    rolled.add(hourKey(device, time));
    if (count !== null) add(device, time, meanOf(count, sum, min, max));
  }
  const rest = [...names.keys()].flatMap((device) =>
    hoursOf(from, to).flatMap((hour): Stretch[] => {
      if (rolled.has(hourKey(device, hour))) return [];
      return [{ device, from: Math.max(from, hour), to: Math.min(to, hour + HOUR) }];
    }),
  );
  const columns = await readColumnsOf(client, [metric], rest);
  for (const [i, { device }] of rest.entries()) {
    const buckets = createBuckets(MINUTE);
    buckets.addReadings(columns[i]!.get(metric)!);
    for (const { time, mean } of buckets.points().points) add(device, time, mean);
  }
  return lines;
}

/** Reads the minute rollups that are kept; with a count of null where they have other metrics only. */
async function minuteRollups(
  client: PoolClient,
  devices: readonly number[],
  metric: number,
  from: EpochMs,
  to: EpochMs,
) {
  type Row = { device: number; time: EpochMs; count: number | null; sum: number; min: number; max: number };
  const { rows } = await client.query<Row>(
    // OFFSET 0 keeps the inner query apart: merged into the outer one, the metric would be looked up for every use.
    `SELECT device, time, counts[i] AS count, sums[i] AS sum, mins[i] AS min, maxs[i] AS max
     FROM unnest($1::integer[]) AS device CROSS JOIN LATERAL (
       SELECT (extract(epoch FROM bucket) * 1000)::float8 AS time, array_position(metrics, $2) AS i, sums, counts, mins, maxs
       FROM rollup_minute WHERE device_id = device AND bucket >= $3 AND bucket < $4 OFFSET 0) AS rollup`,
    [devices, metric, new Date(from), new Date(to)],
  );
  return rows;
}

/** The starts of the hours that [from, to) touches. */
function hoursOf(from: EpochMs, to: EpochMs): EpochMs[] {
  const first = bucketStart(from, HOUR);
  return Array.from({ length: Math.ceil((to - first) / HOUR) }, (_, i) => first + i * HOUR);
}

function hourKey(device: number, time: EpochMs): string {
  return `${device} ${bucketStart(time, HOUR)}`;
}
