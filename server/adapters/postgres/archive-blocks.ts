import type { Pool, PoolClient } from "pg";
import type { EpochMs } from "@/server/domain/terms";
import { prepared } from "@/server/postgres/prepared";
import type { MessageQuery } from "@/server/ports/message-archive";
import { type Block, dayOf, deviceMark, startOfDay } from "../archive/block";
import type { BlockPart, Round } from "../archive/newest";

/** Columns of archive_fresh and archive_block besides the id. */
const COLUMNS = `day, log, partition, first_offset, last_offset, messages, size, first_ingest, last_ingest,
  devices, section_devices, section_ends, sections`;
/** Bytes in one statement, roughly; a block more may be. */
const STATEMENT_BYTES = 16 * 1024 * 1024;
const MOST_BLOCKS = 1000;
/** Blocks that a batch of quiet times has at most: the statements for so many are prepared. */
const FEW_BLOCKS = 12;

/** Inserts blocks into archive_fresh. */
export async function insertFresh(client: Pool | PoolClient, blocks: readonly Block[]): Promise<void> {
  for (let start = 0; start < blocks.length;) {
    const rows: string[] = [];
    const params: unknown[] = [];
    for (let bytes = 0; start < blocks.length && bytes < STATEMENT_BYTES && rows.length < MOST_BLOCKS; start++) {
      const block = blocks[start]!;
      bytes += block.sections.length;
      const n = params.length;
      rows.push(
        `($${n + 1}, $${n + 2}, $${n + 3}, $${n + 4}, $${n + 5}, $${n + 6}, $${n + 7}, to_timestamp($${n + 8}::float8 / 1000),
          to_timestamp($${n + 9}::float8 / 1000), $${n + 10}, $${n + 11}, $${n + 12}, $${n + 13})`,
      );
      params.push(block.day, block.log, block.partition, block.first, block.last, block.messages, block.size);
      params.push(block.firstIngest, block.lastIngest);
      params.push(arrayText(block.devices), arrayText(block.sectionDevices), arrayText(block.sectionEnds));
      params.push(block.sections);
    }
    const text = `INSERT INTO archive_fresh (${COLUMNS}) VALUES ${rows.join()}`;
    await (rows.length <= FEW_BLOCKS ? client.query(prepared(text)(params)) : client.query(text, params));
  }
}

/** Moves fresh blocks to their day as they are, those that are still there. */
export async function keepFresh(pool: Pool, ids: readonly number[]): Promise<void> {
  await pool.query(
    `WITH gone AS (DELETE FROM archive_fresh WHERE id = ANY ($1) RETURNING *)
     INSERT INTO archive_block (id, ${COLUMNS}) SELECT id, ${COLUMNS} FROM gone`,
    [ids],
  );
}

/** Takes blocks of a day out, fresh or not, those that are still there. */
export async function takeBlocks(
  client: PoolClient,
  day: number,
  ids: readonly number[],
): Promise<readonly Pick<Block, "log" | "partition" | "sectionDevices" | "sectionEnds" | "sections">[]> {
  const { rows } = await client.query<{ id: string } & Omit<BlockPart, "stored">>(
    `WITH fresh AS (DELETE FROM archive_fresh WHERE id = ANY ($1) RETURNING id, log, partition, section_devices, section_ends, sections),
       kept AS (DELETE FROM archive_block WHERE day = $2 AND id = ANY ($1) RETURNING id, log, partition, section_devices, section_ends, sections)
     SELECT id, log, partition, section_devices AS "sectionDevices", section_ends AS "sectionEnds", sections
     FROM (SELECT * FROM fresh UNION ALL SELECT * FROM kept) b ORDER BY id`,
    [ids, day],
  );
  return rows;
}

/** Blocks of a device looked through together. */
export const BLOCKS_AT_ONCE = 10;

/** The next whole blocks, by id, that may hold messages of a device. */
export async function blocksOf(
  client: Pool | PoolClient,
  device: string,
  after: number,
): Promise<
  readonly (Pick<Block, "log" | "partition" | "day" | "sectionDevices" | "sectionEnds" | "sections"> & {
    readonly id: number;
  })[]
> {
  const which = `id::float8 AS id, log, partition, day, section_devices AS "sectionDevices", section_ends AS "sectionEnds", sections`;
  const { rows } = await client.query<Awaited<ReturnType<typeof blocksOf>>[number]>(
    `SELECT ${which} FROM archive_fresh WHERE devices @> ARRAY[$1::integer] AND id > $2
     UNION ALL SELECT ${which} FROM archive_block WHERE devices @> ARRAY[$1::integer] AND id > $2 ORDER BY id LIMIT ${BLOCKS_AT_ONCE}`,
    [deviceMark(device), after],
  );
  return rows;
}

/** Days that are looked through together, counted back from the newest that can be meant: a device in every block is found in the first. */
const DAYS_BACK = [1, 8, 64, Infinity];
const FIRST_DAY = -(2 ** 31);
const FIRST_ROUND = 2;
const LARGEST_ROUND = 64;

/** Blocks that may hold a device's messages, newest first. More than one round is to be read in one snapshot, as blocks are merged meanwhile. */
export async function* roundsOf(
  client: Pool | PoolClient,
  { device, after }: Pick<MessageQuery, "device" | "after">,
  now: EpochMs,
): AsyncGenerator<Round> {
  const mark = deviceMark(device);
  const top = after === undefined ? dayOf(now) : dayOf(after.ingestTime);
  let count = FIRST_ROUND;
  let before = 2 ** 31 - 1;
  if (after !== undefined) before = top + 1;
  for (const back of DAYS_BACK) {
    const from = Math.max(FIRST_DAY, top - back);
    for (let place: { readonly ingest: EpochMs; readonly id: string } | null | undefined; place !== null;) {
      const { rows } = await client.query<PartRow>(PARTS, [
        ...[mark, from, before, after?.ingestTime ?? null, place?.ingest ?? null, place?.id ?? null, count],
      ]);
      const last = rows.at(-1);
      place = last !== undefined && rows.length === count ? { ingest: last.last_ingest.getTime(), id: last.id } : null;
      yield { parts: rows.map(partOf), rest: place?.ingest ?? startOfDay(from) - 1 };
      count = Math.min(2 * count, LARGEST_ROUND);
    }
    before = from;
  }
}

interface PartRow {
  readonly id: string;
  readonly log: string;
  readonly partition: number;
  readonly last_ingest: Date;
  readonly start: number;
  readonly section_devices: number[];
  readonly section_ends: number[];
  readonly sections: Buffer;
}

function partOf({ id, log, partition, start, section_devices, section_ends, sections }: PartRow): BlockPart {
  const sectionEnds = section_ends.map((end) => end - start);
  return { stored: Number(id), log, partition, sectionDevices: section_devices, sectionEnds, sections };
}

/** The sections, numbered from 0, are chosen as `sectionsOf` does; only their bytes are read. */
const CANDIDATES = `id, log, partition, last_ingest, section_devices, section_ends, sections`;
const CONDITIONS = `devices @> ARRAY[$1::integer] AND day >= $2 AND day < $3
  AND ($4::float8 IS NULL OR first_ingest <= to_timestamp($4::float8 / 1000)::timestamptz(3))
  AND ($5::float8 IS NULL OR (last_ingest, id) < (to_timestamp($5::float8 / 1000)::timestamptz(3), $6::bigint))`;
const PARTS = `
  SELECT id, log, partition, last_ingest, start, section_devices[first + 1 : after] AS section_devices,
    section_ends[first + 1 : after] AS section_ends, substring(sections FROM start + 1 FOR section_ends[after] - start) AS sections
  FROM (
    SELECT * FROM (
      SELECT ${CANDIDATES} FROM archive_fresh WHERE ${CONDITIONS}
      UNION ALL SELECT ${CANDIDATES} FROM archive_block WHERE ${CONDITIONS}) b
    ORDER BY last_ingest DESC, id DESC LIMIT $7) b,
    LATERAL (SELECT greatest(width_bucket($1 - 1, section_devices), 1) - 1 AS first, greatest(width_bucket($1, section_devices), 1) AS after) f,
    LATERAL (SELECT coalesce(section_ends[first], 0) AS start) s
  ORDER BY last_ingest DESC, id DESC`;

/** Numbers as the text of an array: cheaper than letting the driver quote each. */
function arrayText(numbers: readonly number[]): string {
  return `{${numbers.join(",")}}`;
}
