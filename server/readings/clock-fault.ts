import type { Pool, PoolClient } from "pg";
import type { EpochMs } from "@/server/domain/terms";

/** Readings of a device from long before all its others, [from, to): the device's clock was not set. Whole hours. */
export interface ClockFault {
  readonly from: EpochMs;
  /** All the device's other readings are from here on. */
  readonly to: EpochMs;
  readonly readings: number;
}

/** A silence that no device in use has between two readings: what lies before it was not measured then. */
const GAP = "5 years";

/**
 * Finds the readings before the last gap of five years in the history of the device with this key; null without one.
 * Clocks that aren't set say 1970, 1980, 2000 or when the firmware was built: only the distance to the rest tells.
 */
export async function findClockFault(client: Pool | PoolClient, device: number): Promise<ClockFault | null> {
  // Goes back from the newest hour, at most five years a step: a few look-ups in the keys, however much is stored.
  const { rows } = await client.query<{ from: Date | null; to: Date; readings: number }>(
    `WITH RECURSIVE back (hour) AS (
       SELECT greatest((SELECT max(bucket) FROM rollup_hour WHERE device_id = $1),
                       (SELECT date_trunc('hour', max(time), 'UTC') FROM sample WHERE device_id = $1))
       UNION ALL
       SELECT least((SELECT min(bucket) FROM rollup_hour
                     WHERE device_id = $1 AND bucket >= back.hour - interval '${GAP}' AND bucket < back.hour),
                    (SELECT date_trunc('hour', min(time), 'UTC') FROM sample
                     WHERE device_id = $1 AND time >= back.hour - interval '${GAP}' AND time < back.hour))
       FROM back WHERE back.hour IS NOT NULL),
     rest AS (SELECT min(hour) AS first FROM back),
     before (hour, readings) AS (
       SELECT bucket, (SELECT sum(n) FROM unnest(counts) AS n) FROM rollup_hour
       WHERE device_id = $1 AND bucket < (SELECT first FROM rest)
       UNION ALL
       SELECT date_trunc('hour', s.block, 'UTC'), count(*) FROM stored_reading s
       WHERE s.device_id = $1 AND s.block < (SELECT first FROM rest) AND NOT EXISTS (
         SELECT FROM rollup_hour r WHERE r.device_id = $1 AND r.bucket = date_trunc('hour', s.block, 'UTC'))
       GROUP BY 1)
     SELECT min(hour) AS from, max(hour) + interval '1 hour' AS to, coalesce(sum(readings), 0)::float8 AS readings FROM before`,
    [device],
  );
  const { from, to, readings } = rows[0]!;
  return from && { from: from.getTime(), to: to.getTime(), readings };
}
