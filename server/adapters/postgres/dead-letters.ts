import type { Pool } from "pg";
import type { DeadLetterReason } from "@/server/domain/reasons";
import type { DeadLetter, DeadLetters } from "@/server/ports/dead-letters";
import { originalText, storableText } from "./text";

/** Rows removed per statement. */
const CHUNK = 1000;
/** Bytes of messages per statement; PostgreSQL takes at most 1 GB, and memory is dearer. */
const STATEMENT_BYTES = 16 * 1024 * 1024;

/** Dead letters in a table of PostgreSQL. Words from outside are stored with NULs and lone surrogates escaped. */
export function createPostgresDeadLetters(pool: Pool): DeadLetters {
  return {
    async store(letters) {
      for (const some of bySize(letters)) await insert(pool, some);
    },

    async find({ limit, reason, device, after }) {
      const parameters: unknown[] = [limit];
      const parameter = (value: unknown) => `$${parameters.push(value)}`;
      const conditions = [
        ...(reason === undefined ? [] : [`reason = ${parameter(reason)}`]),
        ...(device === undefined ? [] : [`device = ${parameter(storableText(device))}`]),
        ...(after === undefined
          ? []
          : [
              `(ingest_time, id) < (to_timestamp(${parameter(after.ingestTime)}::float8 / 1000)::timestamptz(3), ${parameter(after.id)})`,
            ]),
      ];
      const { rows } = await pool.query<Row>(
        `SELECT id, log, partition, "offset", reason, detail, device, field, ingest_time, processed_time, raw FROM dead_letter
         ${conditions.length === 0 ? "" : `WHERE ${conditions.join(" AND ")}`} ORDER BY ingest_time DESC, id DESC LIMIT $1`,
        parameters,
      );
      return rows.map(letterOf);
    },

    async removeBefore(before) {
      let removed = 0;
      for (;;) {
        const { rowCount } = await pool.query(
          `DELETE FROM dead_letter WHERE id = ANY (ARRAY (
             SELECT id FROM dead_letter WHERE ingest_time < to_timestamp($1::float8 / 1000)::timestamptz(3)
             ORDER BY ingest_time, id LIMIT ${CHUNK}))`,
          [before],
        );
        removed += rowCount ?? 0;
        if ((rowCount ?? 0) < CHUNK) return removed;
      }
    },
  };
}

interface Row {
  readonly id: string;
  readonly log: string;
  readonly partition: number;
  readonly offset: string;
  readonly reason: DeadLetterReason;
  readonly detail: string;
  readonly device: string | null;
  readonly field: string | null;
  readonly ingest_time: Date;
  readonly processed_time: Date;
  readonly raw: Buffer;
}

function letterOf(row: Row): DeadLetter {
  return {
    id: row.id,
    position: { log: row.log, partition: row.partition, offset: Number(row.offset) },
    reason: row.reason,
    detail: originalText(row.detail),
    device: row.device === null ? null : originalText(row.device),
    field: row.field === null ? null : originalText(row.field),
    ingestTime: row.ingest_time.getTime(),
    processedTime: row.processed_time.getTime(),
    raw: row.raw,
  };
}

async function insert(pool: Pool, letters: readonly DeadLetter[]): Promise<void> {
  // All messages travel as one binary parameter: an array of bytea would be sent as hexadecimal text.
  let at = 1;
  const starts = letters.map(({ raw }) => (at += raw.byteLength) - raw.byteLength);
  await pool.query(
    `INSERT INTO dead_letter (id, log, partition, "offset", reason, detail, device, field, ingest_time, processed_time, raw)
     SELECT l.id, l.log, l.partition, l."offset", l.reason, l.detail, l.device, l.field, to_timestamp(l.ingest_time / 1000),
            to_timestamp(l.processed_time / 1000), substring($1::bytea FROM l.start FOR l.size)
     FROM unnest($2::text[], $3::text[], $4::int[], $5::bigint[], $6::text[], $7::text[], $8::text[], $9::text[], $10::float8[],
                 $11::float8[], $12::int[], $13::int[])
       AS l (id, log, partition, "offset", reason, detail, device, field, ingest_time, processed_time, start, size)
     ON CONFLICT (id) DO NOTHING`,
    [
      Buffer.concat(letters.map(({ raw }) => raw)),
      letters.map(({ id }) => id),
      letters.map(({ position }) => position.log),
      letters.map(({ position }) => position.partition),
      letters.map(({ position }) => position.offset),
      letters.map(({ reason }) => reason),
      letters.map(({ detail }) => storableText(detail)),
      letters.map(({ device }) => (device === null ? null : storableText(device))),
      letters.map(({ field }) => (field === null ? null : storableText(field))),
      letters.map(({ ingestTime }) => ingestTime),
      letters.map(({ processedTime }) => processedTime),
      starts,
      letters.map(({ raw }) => raw.byteLength),
    ],
  );
}

function* bySize(letters: readonly DeadLetter[]): Generator<readonly DeadLetter[]> {
  let some: DeadLetter[] = [];
  let bytes = 0;
  for (const letter of letters) {
    if (some.length > 0 && bytes + letter.raw.byteLength > STATEMENT_BYTES) {
      yield some;
      some = [];
      bytes = 0;
    }
    some.push(letter);
    bytes += letter.raw.byteLength;
  }
  if (some.length > 0) yield some;
}
