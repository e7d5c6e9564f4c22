import type { PoolClient } from "pg";

const FOUND = `FROM cold_file f JOIN cold_device d ON d.file_id = f.id AND d.device_id = $1
  CROSS JOIN LATERAL unnest(f.metrics, d.counts) AS k (metric, count)
  WHERE f.month = $2 AND f.state = 'kept' AND k.count > 0 AND k.metric = ANY ($3::integer[])`;

/** Tells whether a month's files have readings of these metrics of a device. @param month its first day. */
export async function hasCold(
  tx: PoolClient,
  device: number,
  month: string,
  metrics: readonly number[],
): Promise<boolean> {
  const { rows } = await tx.query<{ has: boolean }>(`SELECT EXISTS (SELECT ${FOUND}) AS has`, [device, month, metrics]);
  return rows[0]!.has;
}

/**
 * From the commit on nobody reads these metrics of a device in a month's files. They stay in the files until the job that moves months writes
 * these anew; what is being written of the month just now isn't kept. @returns how many readings.
 */
export async function hideCold(
  tx: PoolClient,
  device: number,
  month: string,
  metrics: readonly number[],
): Promise<number> {
  const { rows } = await tx.query<{ n: number }>(`SELECT coalesce(sum(k.count), 0)::float8 AS n ${FOUND}`, [
    ...[device, month, metrics],
  ]);
  const without = (column: string) =>
    `${column} = ARRAY(SELECT CASE WHEN f.metrics[i] = ANY ($3::integer[]) THEN 0 ELSE d.${column}[i] END
       FROM generate_subscripts(d.${column}, 1) AS i ORDER BY i)`;
  await tx.query(
    `UPDATE cold_device d SET ${without("counts")}, ${without("sums")} FROM cold_file f
     WHERE f.id = d.file_id AND d.device_id = $1 AND f.month = $2 AND f.state = 'kept'`,
    [device, month, metrics],
  );
  await tx.query("INSERT INTO cold_touched (month) VALUES ($1)", [month]);
  return rows[0]!.n;
}
