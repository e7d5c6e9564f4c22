import type { Pool } from "pg";

/** What the positions of a partition count since the first message, over every epoch and cluster there was. */
interface PartitionCounts {
  readonly topic: string;
  readonly partition: number;
  readonly messages: number;
  readonly readings: number;
  readonly duplicates: number;
  readonly conflicts: number;
  readonly late: number;
  readonly skipped: number;
}

/** What is counted in the transactions that store it: exact, whatever was killed when. */
export interface KeptCounts {
  readonly partitions: readonly PartitionCounts[];
  /** Dead letters by reason. */
  readonly deadLetters: readonly { readonly reason: string; readonly letters: number }[];
}

/** Reads all counts as of one moment. */
export async function readKeptCounts(pool: Pool): Promise<KeptCounts> {
  const { rows } = await pool.query<KeptCounts>(
    `SELECT coalesce((SELECT json_agg(p) FROM (SELECT topic, partition, sum(messages) AS messages, sum(readings) AS readings,
         sum(duplicates) AS duplicates, sum(conflicts) AS conflicts, sum(late) AS late, sum(skipped) AS skipped
         FROM pipeline_position GROUP BY 1, 2 ORDER BY 1, 2) AS p), '[]') AS partitions,
       coalesce((SELECT json_agg(r) FROM (SELECT reason, sum(letters) AS letters FROM pipeline_refused
         WHERE bucket = '-infinity' GROUP BY 1 ORDER BY 1) AS r), '[]') AS "deadLetters"`,
  );
  return rows[0]!;
}
