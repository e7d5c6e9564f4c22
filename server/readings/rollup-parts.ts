import type { PoolClient } from "pg";
import { isLargeSum, LARGE_SUM } from "@/server/domain/rollup";
import type { EpochMs } from "@/server/domain/terms";
import { eachRow } from "@/server/postgres/each-row";
import { bytesOf, doublesOf } from "./blocks";
import { ADDED_UP_TO } from "./buckets";
import type { DevicePart } from "./merged-rollups";

const WITHIN = "device_id = d.id AND bucket >= $3 AND bucket < $4";
const PICKED = "bucket, array_position(metrics, $2) AS i, counts, sums, mins, maxs";
/**
 * Where the rollups of each width are read from. Quarters of a day whose hours have changed since take these instead; what retention has said goes at
 * once, though the hours may go later. A device's few that are due are listed first: to look each quarter up took longer than to read it.
 */
const SOURCES = {
  minute: `SELECT ${PICKED} FROM rollup_minute WHERE ${WITHIN}`,
  hour: `SELECT ${PICKED} FROM rollup_hour WHERE ${WITHIN}`,
  quarter: `SELECT ${PICKED} FROM rollup_quarter q WHERE ${WITHIN}
      AND bucket >= (SELECT coalesce(max(gone_before), '-infinity') FROM retention_edge WHERE keeps = 'hours')
      AND bucket <> ALL (ARRAY(SELECT due.bucket FROM quarter_due due WHERE due.device_id = d.id AND due.bucket >= $3 AND due.bucket < $4))
    UNION ALL
    SELECT r.bucket, array_position(r.metrics, $2), r.counts, r.sums, r.mins, r.maxs FROM quarter_due q
    JOIN rollup_hour r ON r.device_id = q.device_id AND r.bucket >= q.bucket AND r.bucket < q.bucket + interval '6 hours'
    WHERE q.device_id = d.id AND q.bucket >= $3 AND q.bucket < $4 AND r.bucket >= $3 AND r.bucket < $4`,
} as const;

type Row = [device: number, ...figures: string[]];
const FIGURES = ["at", "n", "sum", "min", "max"] as const;

/**
 * Reads the rollups that are kept of one metric of many devices within [from, to), each as it is: adding them up here takes a fraction of the time that
 * PostgreSQL takes. `last` is NaN and `lastAt` -Infinity: see `readNewest` for what was last.
 * @param source quarter: six hours; the range begins and ends with one.
 * @param take gets each as it comes, a device's one after the other.
 */
export async function readRollupParts(
  client: PoolClient,
  source: keyof typeof SOURCES,
  { devices, metric, from, to }: { devices: readonly number[]; metric: number; from: EpochMs; to: EpochMs },
  take: (part: DevicePart) => void,
): Promise<void> {
  // One row a device, with its figures as bytes: read far faster than as rows of numbers. Device by device, so that the first are taken while PostgreSQL reads the next.
  await eachRow<Row>(
    client,
    {
      rowMode: "array",
      text: `SELECT d.id, rolled.* FROM unnest($1::integer[]) AS d (id) CROSS JOIN LATERAL (
         SELECT ${FIGURES.map((figure) => bytesOf(`array_agg(${figure})`)).join(", ")} FROM (
           SELECT date_part('epoch', bucket) * 1000 AS at, counts[i]::float8 AS n, sums[i] AS sum, mins[i] AS min, maxs[i] AS max
           FROM (${SOURCES[source]} OFFSET 0) AS part WHERE i IS NOT NULL OFFSET 0) AS figures HAVING count(*) > 0) AS rolled`,
      values: [devices, metric, new Date(from), new Date(to)],
    },
    ([device, ...figures]) => {
      const [at, n, sums, mins, maxs] = figures.map(doublesOf);
      for (let i = 0; i < at!.length; i++) {
        const [count, sum, min, max] = [n![i]!, sums![i]!, mins![i]!, maxs![i]!];
        const isLarge = isLargeSum(count, min, max);
        const isPlain = !isLarge && Math.abs(sum) <= ADDED_UP_TO;
        const large = isLarge ? sum : isPlain ? 0 : sum * LARGE_SUM;
        take({ device, time: at![i]!, count, sum: isPlain ? sum : 0, large, min, max, last: NaN, lastAt: -Infinity });
      }
    },
  );
}
