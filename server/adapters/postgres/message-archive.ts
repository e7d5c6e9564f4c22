import type { Pool } from "pg";
import type { ArchivedMessage, MessageArchive } from "@/server/ports/message-archive";
import { joinedJson, joinedJsonArray } from "@/server/postgres/text";

/**
 * The message archive in a table of PostgreSQL; bodies are kept as `json`, which keeps the text as it came. One
 * that is no JSON (it has NaN or Infinity as a bare word) is kept as a JSON string; JSON that was sent never is one.
 */
export function createPostgresMessageArchive(pool: Pool): MessageArchive {
  return {
    async store(messages) {
      if (messages.length === 0) return;
      await pool.query(
        `INSERT INTO message_archive (log, partition, "offset", device, event_time, ingest_time, processed_time, body)
         SELECT m.log, m.partition, m."offset", m.device, to_timestamp(m.event_time / 1000), to_timestamp(m.ingest_time / 1000),
                to_timestamp(m.processed_time / 1000), m.body::json
         FROM unnest($1::text[], $2::int[], $3::bigint[], $4::text[], $5::float8[], $6::float8[], $7::float8[], ${joinedJsonArray("$8")})
           AS m (log, partition, "offset", device, event_time, ingest_time, processed_time, body)
         ON CONFLICT (log, partition, "offset") DO NOTHING`,
        [
          messages.map(({ position }) => position.log),
          numbers(messages, ({ position }) => position.partition),
          numbers(messages, ({ position }) => position.offset),
          messages.map(({ device }) => device),
          numbers(messages, ({ eventTime }) => eventTime),
          numbers(messages, ({ ingestTime }) => ingestTime),
          numbers(messages, ({ processedTime }) => processedTime),
          joinedJson(messages.map(({ body }) => (isPlain(body) ? body : JSON.stringify(body)))),
        ],
      );
    },

    async find({ device, limit, after }) {
      const { rows } = await pool.query<{
        log: string;
        partition: number;
        offset: string;
        event_time: Date;
        ingest_time: Date;
        processed_time: Date;
        body: string;
      }>(
        `SELECT log, partition, "offset", event_time, ingest_time, processed_time, body::text AS body FROM message_archive
         WHERE device = $1 ${after ? `AND (ingest_time, partition, "offset") < (to_timestamp($3::float8 / 1000)::timestamptz(3), $4, $5)` : ""}
         ORDER BY ingest_time DESC, partition DESC, "offset" DESC LIMIT $2`,
        [device, limit, ...(after ? [after.ingestTime, after.partition, after.offset] : [])],
      );
      return rows.map((row): ArchivedMessage => ({
        position: { log: row.log, partition: row.partition, offset: Number(row.offset) },
        device,
        eventTime: row.event_time.getTime(),
        ingestTime: row.ingest_time.getTime(),
        processedTime: row.processed_time.getTime(),
        body: row.body.startsWith('"') ? (JSON.parse(row.body) as string) : row.body,
      }));
    },

    async removeBefore(before, limit) {
      const { rowCount } = await pool.query(
        `DELETE FROM message_archive WHERE ctid = ANY (ARRAY (
           SELECT ctid FROM message_archive WHERE ingest_time < to_timestamp($1::float8 / 1000)::timestamptz(3) LIMIT $2))`,
        [before, limit],
      );
      return rowCount ?? 0;
    },
  };
}

/** Numbers as the text of an array: cheaper than letting the driver quote each. */
function numbers<T>(items: readonly T[], of: (item: T) => number): string {
  return `{${items.map(of).join(",")}}`;
}

/** True if it is JSON, and no string: only one with a word for what is no number can be something else. */
function isPlain(body: string): boolean {
  if (body.startsWith('"')) return false;
  if (!/nan|inf/i.test(body)) return true;
  try {
    JSON.parse(body);
    return true;
  } catch {
    return false;
  }
}
