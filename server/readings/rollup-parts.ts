import type { PoolClient } from "pg";
import { isLargeSum, LARGE_SUM } from "@/server/domain/rollup";
import type { EpochMs } from "@/server/domain/terms";
import { bytesOf, doublesOf } from "./blocks";
import { ADDED_UP_TO } from "./buckets";
import type { DevicePart } from "./merged-rollups";

const WITHIN = "device_id = ANY ($1::integer[]) AND bucket >= $3 AND bucket < $4";
const PICKED = "device_id, bucket, array_position(metrics, $2) AS i, counts, sums, mins, maxs";
/**
 * Where the rollups of each width are read from. Quarters of a day whose hours have changed since take these instead; what retention has said goes at
 * once, though the hours may go later.
 */
const SOURCES = {
  minute: `SELECT ${PICKED} FROM rollup_minute WHERE ${WITHIN}`,
  hour: `SELECT ${PICKED} FROM rollup_hour WHERE ${WITHIN}`,
  quarter: `SELECT ${PICKED} FROM rollup_quarter q WHERE ${WITHIN}
      AND bucket >= (SELECT coalesce(max(gone_before), '-infinity') FROM retention_edge WHERE keeps = 'hours')
      AND NOT EXISTS (SELECT FROM quarter_due d WHERE d.device_id = q.device_id AND d.bucket = q.bucket)
    UNION ALL
    SELECT r.device_id, r.bucket, array_position(r.metrics, $2), r.counts, r.sums, r.mins, r.maxs FROM quarter_due d
    JOIN rollup_hour r ON r.device_id = d.device_id AND r.bucket >= d.bucket AND r.bucket < d.bucket + interval '6 hours'
    WHERE d.device_id = ANY ($1::integer[]) AND d.bucket >= $3 AND d.bucket < $4 AND r.bucket >= $3 AND r.bucket < $4`,
} as const;

type Row = [device: number, ...figures: string[]];
const FIGURES = ["at", "n", "sum", "min", "max"] as const;

/**
 * Reads the rollups that are kept of one metric of many devices within [from, to), each as it is: adding them up here takes a fraction of the time that
 * PostgreSQL takes. `last` is NaN and `lastAt` -Infinity: see `readNewest` for what was last.
 * @param source quarter: six hours; the range begins and ends with one.
 */
export async function readRollupParts(
  client: PoolClient,
  source: keyof typeof SOURCES,
  { devices, metric, from, to }: { devices: readonly number[]; metric: number; from: EpochMs; to: EpochMs },
): Promise<Iterable<DevicePart>> {
  // One row a device, with its figures as bytes: read far faster than as rows of numbers.
  const { rows } = await client.query<Row>({
    rowMode: "array",
    text: `SELECT device_id, ${FIGURES.map((figure) => bytesOf(`array_agg(${figure})`)).join(", ")} FROM (
         SELECT device_id, date_part('epoch', bucket) * 1000 AS at, counts[i]::float8 AS n, sums[i] AS sum, mins[i] AS min, maxs[i] AS max
         FROM (${SOURCES[source]} OFFSET 0) AS part WHERE i IS NOT NULL) AS rolled
       GROUP BY device_id`,
    values: [devices, metric, new Date(from), new Date(to)],
  });
  return partsOf(rows);
}

function* partsOf(rows: readonly Row[]): Generator<DevicePart> {
  for (const [device, ...figures] of rows) {
    const [at, n, sums, mins, maxs] = figures.map(doublesOf);
    for (let i = 0; i < at!.length; i++) {
      const [count, sum, min, max] = [n![i]!, sums![i]!, mins![i]!, maxs![i]!];
      const isLarge = isLargeSum(count, min, max);
      const isPlain = !isLarge && Math.abs(sum) <= ADDED_UP_TO;
      const large = isLarge ? sum : isPlain ? 0 : sum * LARGE_SUM;
      yield { device, time: at![i]!, count, sum: isPlain ? sum : 0, large, min, max, last: NaN, lastAt: -Infinity };
    }
  }
}
