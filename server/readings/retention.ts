import type { Pool, PoolClient } from "pg";
import { KEPT, type Kept, type Retention } from "@/server/domain/retention";
import type { EpochMs } from "@/server/domain/terms";
import { UnavailableError } from "@/server/domain/unavailable";
import { firstMoment, monthOf, readMonths, startOf, undivided } from "@/server/postgres/months";

/** How long a kind is kept, and since when that is so. */
export interface KeptRule {
  readonly keeps: Kept;
  /** Null: for ever. */
  readonly days: number | null;
  /** Whether somebody has set it; otherwise it goes by the configuration. */
  readonly isSet: boolean;
  /** When somebody last set it or took that back; null: nobody ever did. */
  readonly changedAt: EpochMs | null;
  /** Everything before was removed; null: nothing was. */
  readonly goneBefore: EpochMs | null;
}

/** @param startDays READINGS_RETENTION_DAYS, for kinds that nobody has set; 0: for ever. */
export async function readRules(client: Pool | PoolClient, startDays: number): Promise<KeptRule[]> {
  const { rows } = await client.query<KeptRule>(
    `SELECT k.keeps, r.days, coalesce(r.is_set, false) AS "isSet", (extract(epoch FROM r.changed_at) * 1000)::float8 AS "changedAt",
       (extract(epoch FROM e.gone_before) * 1000)::float8 AS "goneBefore"
     FROM unnest($1::text[]) WITH ORDINALITY AS k (keeps, i)
     LEFT JOIN retention_rule r USING (keeps) LEFT JOIN retention_edge e USING (keeps) ORDER BY k.i`,
    [KEPT],
  );
  return rows.map(({ days, ...rule }) => ({ ...rule, days: rule.isSet ? days : startDays || null }));
}

/** The days of each kind. */
export function daysOf(rules: readonly KeptRule[]): Retention {
  return Object.fromEntries(rules.map(({ keeps, days }) => [keeps, days])) as Retention;
}

/** Sets how long some kinds are kept. */
export async function setRules(tx: PoolClient, days: Partial<Retention>): Promise<void> {
  const entries = Object.entries(days);
  await tx.query(
    `INSERT INTO retention_rule (keeps, days) SELECT * FROM unnest($1::text[], $2::integer[])
     ON CONFLICT (keeps) DO UPDATE SET days = excluded.days, is_set = true, changed_at = now()
     WHERE retention_rule.days IS DISTINCT FROM excluded.days OR NOT retention_rule.is_set`,
    [entries.map(([keeps]) => keeps), entries.map(([, value]) => value)],
  );
}

/** Lets a kind go by the configuration again; that it did not is remembered, as this is a change like others. @returns false when it did. */
export async function removeRule(tx: PoolClient, keeps: Kept): Promise<boolean> {
  const { rowCount } = await tx.query(
    "UPDATE retention_rule SET days = NULL, is_set = false, changed_at = now() WHERE keeps = $1 AND is_set",
    [keeps],
  );
  return rowCount === 1;
}

/** Notes that everything of a kind before `before` is being removed. */
export async function moveEdge(tx: PoolClient, keeps: Kept, before: EpochMs): Promise<void> {
  await tx.query(
    `INSERT INTO retention_edge (keeps, gone_before) VALUES ($1, to_timestamp($2::float8 / 1000))
     ON CONFLICT (keeps) DO UPDATE SET gone_before = greatest(retention_edge.gone_before, excluded.gone_before)`,
    [keeps, before],
  );
}

/** The time before which all readings are removed, or are being; null: none were. */
export async function readEdge(client: Pool | PoolClient): Promise<EpochMs | null> {
  const { rows } = await client.query<{ at: number }>(
    "SELECT (extract(epoch FROM gone_before) * 1000)::float8 AS at FROM retention_edge WHERE keeps = 'raw'",
  );
  return rows[0]?.at ?? null;
}

/**
 * The same for readings of which the oldest is at `time`; null at once when it is of this month, which nothing is removed of.
 */
export async function edgeFor(tx: PoolClient, time: EpochMs): Promise<EpochMs | null> {
  return time < startOf(monthOf(Date.now())) ? readEdge(tx) : null;
}

/** Readings were removed since it was decided to take one of that time: the decision has to be taken again. */
export class JustRemovedError extends UnavailableError {
  override readonly name = "JustRemovedError";
  /** @param edge the time before which they were removed. */
  constructor(edge: EpochMs) {
    super(
      `Readings before ${new Date(edge).toISOString()} were removed meanwhile: messages of that time are judged again.`,
    );
  }
}

/**
 * Refuses readings beside rollups of some that are removed: those would be lost. Called after the readings were inserted: from then on
 * no month can be dropped. @param oldest the time of the oldest of them. @throws JustRemovedError
 */
export async function refuseRemoved(tx: PoolClient, oldest: EpochMs): Promise<void> {
  const edge = await edgeFor(tx, oldest);
  if (edge === null || oldest >= edge) return;
  throw new JustRemovedError(edge);
}

/** The event time of the oldest there is of each kind, readings in cold storage among them. */
export async function readOldest(client: Pool | PoolClient): Promise<Readonly<Record<Kept, EpochMs | null>>> {
  const { rows } = await client.query<{ at: number | null }>(
    `SELECT (extract(epoch FROM min(d.min_time)) * 1000)::float8 AS at FROM cold_device d JOIN cold_file f ON f.id = d.file_id
     WHERE f.state = 'kept' AND f.month = (SELECT min(month) FROM cold_file WHERE state = 'kept')`,
  );
  const raw = [rows[0]!.at, await oldestIn(client, "sample", "time")].filter((at) => at !== null);
  return {
    raw: raw.length === 0 ? null : Math.min(...raw),
    minutes: await oldestIn(client, "rollup_minute", "bucket"),
    hours: await oldestIn(client, "rollup_hour", "bucket"),
  };
}

/** Looks into what is no month's, and then into months until one has something: all at once would ask each month for each device. */
async function oldestIn(client: Pool | PoolClient, table: string, column: string): Promise<EpochMs | null> {
  const inPart = async (part: string, condition: string): Promise<EpochMs | null> => {
    const { rows } = await client.query<{ at: number | null }>(
      `SELECT (extract(epoch FROM min(o.at)) * 1000)::float8 AS at FROM device d CROSS JOIN LATERAL (
         SELECT ${column} AS at FROM ${part} WHERE device_id = d.id ${condition} ORDER BY ${column} LIMIT 1) o`,
    );
    return rows[0]!.at;
  };
  const found: (EpochMs | null)[] = [];
  for (const part of await undivided(client, table)) found.push(await inPart(part, ""));
  for (const { month } of await readMonths(client, [table])) {
    const within = `AND ${column} >= '${firstMoment(month)}' AND ${column} < '${firstMoment(month + 1)}'`;
    const at = await inPart(table, within);
    found.push(at);
    if (at !== null) break;
  }
  const times = found.filter((at) => at !== null);
  return times.length === 0 ? null : Math.min(...times);
}

/** Bytes that tables take with their indexes and partitions; null: there is no such table. */
export async function readSizes(
  client: Pool | PoolClient,
  tables: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const { rows } = await client.query<{ name: string; bytes: number }>(
    `SELECT t AS name, (pg_total_relation_size(t::regclass) + (
         SELECT coalesce(sum(pg_total_relation_size(relid)), 0) FROM pg_partition_tree(t::regclass) WHERE relid <> t::regclass))::float8 AS bytes
     FROM unnest($1::text[]) t WHERE to_regclass(t) IS NOT NULL`,
    [tables],
  );
  return new Map(rows.map(({ name, bytes }) => [name, bytes]));
}

/** An index has a page about itself and its first one, a table its first one and those about what is free: bytes each takes from its first row on. */
const FIRST_BYTES = 16_384;

/** Bytes that tables take before their rows count, indexes and partitions included; all of a table that has no row. A table that isn't there is left out. */
export async function readEmptyBytes(
  client: Pool | PoolClient,
  tables: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const sizes = await readSizes(client, tables);
  const found = new Map<string, number>();
  for (const [table, size] of sizes) {
    const { rows } = await client.query<{ has: boolean; relations: number }>(
      `SELECT EXISTS (SELECT FROM ${table}) AS has, sum((c.relkind = 'r')::integer + 2 * (c.reltoastrelid <> 0)::integer
         + (SELECT count(*) FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid WHERE i.indrelid = c.oid AND x.relkind = 'i'))::float8 AS relations
       FROM (SELECT $1::regclass AS part UNION SELECT relid FROM pg_partition_tree($1::regclass)) AS p JOIN pg_class c ON c.oid = p.part`,
      [table],
    );
    const { has, relations } = rows[0]!;
    found.set(table, has ? Math.min(size, relations * FIRST_BYTES) : size);
  }
  return found;
}

/** Pages of a table that are looked at for what is free in it. With fewer the estimate is a gamble: large values lie beside the table, so that most of its bytes may hang on a few pages. */
const SAMPLED_PAGES = 10_000;
/** What PostgreSQL adds to a row's columns (header, item pointer, alignment), and to a value that lies in its own table (chunks, page headers). */
const ROW_BYTES = 32;
const CHUNKED = 1.03;

/**
 * Bytes within tables' files that hold nothing and are taken again before the files grow, such as merging leaves behind; without their indexes, partitions
 * included. Estimated from a sample of pages: PostgreSQL tells it exactly only by an extension that not every server has.
 */
export async function readFreeBytes(
  client: Pool | PoolClient,
  tables: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const { rows: found } = await client.query<{ name: string; bytes: number; pages: number; row: string }>(
    `SELECT t AS name, sum(pg_table_size(c.oid) - CASE WHEN c.reltoastrelid = 0 THEN 0 ELSE pg_indexes_size(c.reltoastrelid) END)::float8 AS bytes,
       (sum(pg_relation_size(c.oid)) / current_setting('block_size')::int)::float8 AS pages,
       (SELECT string_agg(format('coalesce(pg_column_size(%I), 0)', attname), ' + ') FROM pg_attribute
        WHERE attrelid = t::regclass AND attnum > 0 AND NOT attisdropped) AS row
     FROM unnest($1::text[]) t CROSS JOIN LATERAL (
       SELECT t::regclass AS relid UNION SELECT relid FROM pg_partition_tree(t::regclass)) p JOIN pg_class c ON c.oid = p.relid
     WHERE to_regclass(t) IS NOT NULL AND c.relkind = 'r' GROUP BY t`,
    [tables],
  );
  const free = new Map<string, number>();
  for (const { name, bytes, pages, row } of found) {
    const percent = Math.min(100, (SAMPLED_PAGES / Math.max(1, pages)) * 100);
    // The table as a whole: who may read it may not read its partitions by their own names.
    const { rows } = await client.query<{ held: number }>(
      `SELECT coalesce(sum(${row} + ${ROW_BYTES}), 0)::float8 AS held FROM ${name} TABLESAMPLE SYSTEM ($1)`,
      [percent],
    );
    free.set(name, Math.max(0, bytes - rows[0]!.held * (100 / percent) * CHUNKED));
  }
  return free;
}
