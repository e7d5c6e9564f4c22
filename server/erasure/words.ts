import type { Pool } from "pg";
import { type ErasureStore, type ErasureSubject as Subject, READINGS_STORE } from "@/server/postgres/erasure";
import { erasedWord, isTelling, sqlWordPattern } from "@/server/domain/erased";
import { type Handling, TABLES } from "./tables";

interface Column {
  readonly table: string;
  readonly column: string;
  readonly type: "text" | "json" | "jsonb" | "texts" | "bytes" | "other";
}

/** The columns of the tables: of partitioned ones those of the whole. */
async function readColumns(pool: Pool): Promise<Column[]> {
  const { rows } = await pool.query<Column>(
    `SELECT c.relname AS "table", a.attname AS "column", CASE
         WHEN a.atttypid IN ('text'::regtype, 'varchar'::regtype) THEN 'text'
         WHEN a.atttypid = 'json'::regtype THEN 'json' WHEN a.atttypid = 'jsonb'::regtype THEN 'jsonb'
         WHEN a.atttypid IN ('text[]'::regtype, 'varchar[]'::regtype) THEN 'texts' WHEN a.atttypid = 'bytea'::regtype THEN 'bytes' ELSE 'other' END AS type
     FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
     WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND a.attgenerated = ''
     ORDER BY 1, a.attnum`,
  );
  return rows;
}

/** The stores that are tables, each by what {@link TABLES} says of it. */
export function tableStores(): ErasureStore[] {
  return [
    { name: READINGS_STORE, ...over("device", byDevice) },
    { name: "Alerts, events, keys and names", ...over("named", byName) },
    { name: "Rules, silences, notes and other words", ...over("words", byWords) },
    { name: "Samples of deliveries", ...over("bytes", byBytes) },
  ];
}

interface Handled {
  readonly table: string;
  readonly handling: Handling;
  readonly columns: readonly Column[];
}

type Work = (pool: Pool, subject: Subject, handled: Handled, erases: boolean) => Promise<number>;

/** Goes over the tables that are handled in a way. */
function over(by: Handling["by"], work: Work): Pick<ErasureStore, "erase" | "count"> {
  const each = async (pool: Pool, subject: Subject, erases: boolean) => {
    const columns = await readColumns(pool);
    let sum = 0;
    for (const [table, handling] of Object.entries(TABLES))
      if (handling.by === by)
        sum += await work(
          pool,
          subject,
          { table, handling, columns: columns.filter((one) => one.table === table) },
          erases,
        );
    return sum;
  };
  return { erase: (pool, subject) => each(pool, subject, true), count: (pool, subject) => each(pool, subject, false) };
}

async function byDevice(pool: Pool, { key }: Subject, { table }: Handled, erases: boolean): Promise<number> {
  return removeOrCount(pool, table, "device_id = $1", [key], erases);
}

/** Its own rows, and its name in the words of the rows of others. */
async function byName(pool: Pool, subject: Subject, handled: Handled, erases: boolean): Promise<number> {
  const { table, handling } = handled;
  if (handling.by !== "named") return 0;
  const where = `${handling.column} = $1${handling.where === undefined ? "" : ` AND ${handling.where}`}`;
  const own = await removeOrCount(pool, table, where, [subject.name], erases);
  const columns = handled.columns.filter(({ column }) => handling.words.includes(column));
  return own + (await byWords(pool, subject, { ...handled, columns }, erases));
}

async function byWords(
  pool: Pool,
  { name, erasure }: Subject,
  { table, columns }: Handled,
  erases: boolean,
): Promise<number> {
  const words = columns.filter(
    ({ type }) => type === "text" || type === "json" || type === "jsonb" || type === "texts",
  );
  if (words.length === 0) return 0;
  // As a word of its own; a name that may mean something else only where it is all there is.
  const pattern = isTelling(name) ? sqlWordPattern(name) : null;
  const parameters = pattern === null ? [name] : [pattern];
  const has = ({ column, type }: Column) => {
    const text = type === "texts" ? `array_to_string("${column}", ' ')` : `"${column}"::text`;
    if (pattern !== null) return `${text} ~ $1`;
    return type === "texts" ? `$1 = ANY ("${column}")` : type === "text" ? `"${column}" = $1` : null;
  };
  const conditions = words.flatMap((column) => has(column) ?? []);
  if (conditions.length === 0) return 0;
  const where = conditions.join(" OR ");
  if (!erases) return removeOrCount(pool, table, where, parameters, false);
  const changed = ({ column, type }: Column): string | null => {
    const without = (text: string) => (pattern === null ? "$2::text" : `regexp_replace(${text}, $1, $2, 'g')`);
    if (type === "text")
      return `"${column}" = CASE WHEN ${has({ table, column, type })} THEN ${without(`"${column}"`)} ELSE "${column}" END`;
    if (type === "texts")
      return `"${column}" = ARRAY(SELECT CASE WHEN ${pattern === null ? "w = $1" : "w ~ $1"} THEN ${without("w")} ELSE w END
        FROM unnest("${column}") WITH ORDINALITY AS u (w, i) ORDER BY i)`;
    return pattern === null ? null : `"${column}" = ${without(`"${column}"::text`)}::${type}`;
  };
  const { rowCount } = await pool.query(
    `UPDATE ${table} SET ${words.flatMap((column) => changed(column) ?? []).join(", ")} WHERE ${where}`,
    [...parameters, erasedWord(erasure)],
  );
  return rowCount ?? 0;
}

async function byBytes(pool: Pool, { name }: Subject, { table, columns }: Handled, erases: boolean): Promise<number> {
  const needle = isTelling(name) ? name : JSON.stringify(name);
  const conditions = columns.flatMap(({ column, type }) => {
    if (type === "bytes") return [`position(convert_to($1::text, 'UTF8') IN "${column}") > 0`];
    return type === "other" ? [] : [`strpos("${column}"::text, $1::text) > 0`];
  });
  return removeOrCount(pool, table, conditions.join(" OR "), [needle], erases);
}

async function removeOrCount(
  pool: Pool,
  table: string,
  where: string,
  values: unknown[],
  erases: boolean,
): Promise<number> {
  if (!erases) {
    const { rows } = await pool.query<{ n: number }>(
      `SELECT count(*)::float8 AS n FROM ${table} WHERE ${where}`,
      values,
    );
    return rows[0]!.n;
  }
  const { rowCount } = await pool.query(`DELETE FROM ${table} WHERE ${where}`, values);
  return rowCount ?? 0;
}

/** Tables that hold the name still and that nobody but people can change, with why. */
export async function readTold(pool: Pool, subject: Subject): Promise<{ table: string; rows: number; why: string }[]> {
  const columns = await readColumns(pool);
  const found: { table: string; rows: number; why: string }[] = [];
  for (const [table, handling] of Object.entries(TABLES)) {
    if (handling.by !== "told") continue;
    const rows = await byWords(
      pool,
      subject,
      { table, handling, columns: columns.filter((one) => one.table === table) },
      false,
    );
    if (rows > 0) found.push({ table, rows, why: handling.why });
  }
  return found;
}
