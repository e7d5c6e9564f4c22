import type { Pool } from "pg";
import { ERASED_RECORD, nameFinder } from "@/server/domain/erased";
import { withTransaction } from "@/server/postgres/transaction";
import { decodeFrame, encodeFrames } from "./framing";

/** Rows of log_batch looked through together. */
const ROWS = 100;

interface Place {
  readonly topic_id: number;
  readonly partition: number;
  readonly last_offset: string;
}

/**
 * Replaces the records that are of a device, or hold its name, by ones that nobody handles; offsets and ingest times stay. Killed, it leaves whole
 * rows.
 * @returns how many records.
 */
export async function eraseFromLog(pool: Pool, device: string): Promise<number> {
  let erased = 0;
  const isOf = recordFinder(device);
  for await (const row of rowsWith(pool, device)) erased += await eraseRow(pool, row, isOf);
  return erased;
}

/** Which part of the log is looked through, by when it came. */
type LogPart = { readonly before: Date } | { readonly from: Date };

/** Counts the records in a part of the log that are of a device, or hold its name. */
export async function countInLog(pool: Pool, device: string, part: LogPart): Promise<number> {
  let found = 0;
  const isOf = recordFinder(device);
  for await (const { payload } of rowsWith(pool, device, part)) found += decodeFrame(payload).filter(isOf).length;
  return found;
}

type IsOf = (record: ReturnType<typeof decodeFrame>[number]) => boolean;

function recordFinder(device: string): IsOf {
  const holds = nameFinder(device);
  return ({ key, value, headers }) =>
    key === device || holds(value) || (headers !== undefined && holds(Buffer.from(JSON.stringify(headers))));
}

async function eraseRow(pool: Pool, { topic_id, partition, last_offset }: Place, isOf: IsOf): Promise<number> {
  return withTransaction(pool, async (tx) => {
    const where = "topic_id = $1 AND partition = $2 AND last_offset = $3";
    const place = [topic_id, partition, last_offset];
    const { rows } = await tx.query<{ payload: Buffer }>(
      `SELECT payload FROM log_batch WHERE ${where} FOR UPDATE`,
      place,
    );
    // Its retention may have ended meanwhile.
    if (!rows[0]) return 0;
    const records = decodeFrame(rows[0].payload);
    const left = records.map((record) => (isOf(record) ? { key: null, value: ERASED_RECORD } : record));
    const [frame] = encodeFrames(left);
    await tx.query(`UPDATE log_batch SET payload = $4 WHERE ${where}`, [...place, frame!.payload]);
    return left.filter(({ value }) => value === ERASED_RECORD).length;
  });
}

interface Row extends Place {
  /** Null: the name isn't in it. */
  readonly payload: Buffer | null;
}

/** Rows whose bytes have the name somewhere, or what JSON makes of it. Each statement looks at so many rows alone: a log may be large. */
async function* rowsWith(
  pool: Pool,
  device: string,
  part?: LogPart,
): AsyncGenerator<Place & { readonly payload: Buffer }> {
  const needles = [device, JSON.stringify(device).slice(1, -1)].map((text) => Buffer.from(text));
  const times = [part && "from" in part ? part.from : null, part && "before" in part ? part.before : null];
  let after: Place | null = null;
  for (;;) {
    const { rows }: { rows: Row[] } = await pool.query(
      `SELECT topic_id, partition, last_offset, CASE WHEN ingest_time >= coalesce($6::timestamptz, '-infinity') AND ingest_time < coalesce($7::timestamptz, 'infinity')
           AND (position($1::bytea IN payload) > 0 OR position($2::bytea IN payload) > 0) THEN payload END AS payload
       FROM (SELECT topic_id, partition, last_offset, ingest_time, payload FROM log_batch
         WHERE $3::integer IS NULL OR (topic_id, partition, last_offset) > ($3, $4::integer, $5::bigint)
         ORDER BY topic_id, partition, last_offset LIMIT ${ROWS}) AS part`,
      [...needles, ...placeOf(after), ...times],
    );
    for (const { payload, ...place } of rows) if (payload !== null) yield { ...place, payload };
    if (rows.length < ROWS) return;
    after = rows.at(-1)!;
  }
}

function placeOf(place: Place | null): unknown[] {
  return place === null ? [null, null, null] : [place.topic_id, place.partition, place.last_offset];
}
