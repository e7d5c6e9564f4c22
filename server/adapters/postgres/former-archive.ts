import type { Pool, PoolClient } from "pg";
import type { EpochMs } from "@/server/domain/terms";
import type { ArchivedMessage, MessageQuery } from "@/server/ports/message-archive";

/**
 * The table of versions before, a row a message. Bodies are `json`, which keeps the text as it came; one that is no JSON (it has NaN or
 * Infinity as a bare word) is kept as a JSON string; JSON that was sent never is one. Empty once the merge job has packed it.
 */
interface FormerRow {
  readonly log: string;
  readonly partition: number;
  readonly offset: string;
  readonly device: string;
  readonly event_time: Date;
  readonly ingest_time: Date;
  readonly processed_time: Date;
  readonly body: string;
}

const COLUMNS = `log, partition, "offset", device, event_time, ingest_time, processed_time, body::text AS body`;

/** A device's messages among them, as the archive finds them. */
export async function findFormer(
  client: Pool | PoolClient,
  { device, limit, after }: MessageQuery,
): Promise<readonly ArchivedMessage[]> {
  const { rows } = await client.query<FormerRow>(
    `SELECT ${COLUMNS} FROM message_archive
     WHERE device = $1 ${after ? `AND (ingest_time, partition, "offset") < (to_timestamp($3::float8 / 1000)::timestamptz(3), $4, $5)` : ""}
     ORDER BY ingest_time DESC, partition DESC, "offset" DESC LIMIT $2`,
    [device, limit, ...(after ? [after.ingestTime, after.partition, after.offset] : [])],
  );
  return rows.map(messageOf);
}

/** Takes out the first messages, by position, after that of `last`. */
export async function takeFormer(
  client: PoolClient,
  last: ArchivedMessage | null,
  limit: number,
): Promise<readonly ArchivedMessage[]> {
  const { rows } = await client.query<FormerRow>(
    `DELETE FROM message_archive WHERE ctid = ANY (ARRAY (SELECT ctid FROM message_archive
       ${last ? `WHERE (log, partition, "offset") > ($2, $3, $4)` : ""} ORDER BY log, partition, "offset" LIMIT $1 FOR UPDATE))
     RETURNING ${COLUMNS}`,
    [limit, ...(last ? [last.position.log, last.position.partition, last.position.offset] : [])],
  );
  return rows.map(messageOf).sort(byPosition);
}

/** An empty table and its indexes take less. */
const EMPTY_BYTES = 128 * 1024;

/** Gives the table's room back to the disk once it is empty. */
export async function shrinkFormer(client: PoolClient): Promise<void> {
  // With its indexes, which keep their room when a vacuum cuts off the rows'.
  const { rows } = await client.query<{ bytes: string }>(`SELECT pg_total_relation_size('message_archive') AS bytes`);
  if (Number(rows[0]!.bytes) > EMPTY_BYTES) await client.query("SELECT shrink_message_archive()");
}

/** Removes those that the log took before `before`, at most `limit`. @returns how many. */
export async function removeFormer(pool: Pool, before: EpochMs, limit: number): Promise<number> {
  const { rowCount } = await pool.query(
    `DELETE FROM message_archive WHERE ctid = ANY (ARRAY (
       SELECT ctid FROM message_archive WHERE ingest_time < to_timestamp($1::float8 / 1000)::timestamptz(3) LIMIT $2))`,
    [before, limit],
  );
  return rowCount ?? 0;
}

function messageOf(row: FormerRow): ArchivedMessage {
  return {
    position: { log: row.log, partition: row.partition, offset: Number(row.offset) },
    device: row.device,
    eventTime: row.event_time.getTime(),
    ingestTime: row.ingest_time.getTime(),
    processedTime: row.processed_time.getTime(),
    body: row.body.startsWith('"') ? (JSON.parse(row.body) as string) : row.body,
  };
}

function byPosition({ position: a }: ArchivedMessage, { position: b }: ArchivedMessage): number {
  return a.log === b.log ? a.partition - b.partition || a.offset - b.offset : a.log < b.log ? -1 : 1;
}
