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
  // Goes back from the newest hour, at most five years a step: a few look-ups in the key, however much is stored.
  const { rows } = await client.query<{ from: Date | null; to: Date; readings: number }>(
    `WITH RECURSIVE back(bucket) AS (
       SELECT max(bucket) FROM rollup_hour WHERE device_id = $1
       UNION ALL
       SELECT (SELECT min(r.bucket) FROM rollup_hour r
               WHERE r.device_id = $1 AND r.bucket >= back.bucket - interval '${GAP}' AND r.bucket < back.bucket)
       FROM back WHERE back.bucket IS NOT NULL),
     rest AS (SELECT min(bucket) AS first FROM back)
     SELECT min(r.bucket) AS from, max(r.bucket) + interval '1 hour' AS to,
       coalesce(sum((SELECT sum(n) FROM unnest(r.counts) AS n)), 0)::float8 AS readings
     FROM rollup_hour r, rest WHERE r.device_id = $1 AND r.bucket < rest.first`,
    [device],
  );
  const { from, to, readings } = rows[0]!;
  return from && { from: from.getTime(), to: to.getTime(), readings };
}
