import type { Pool, PoolClient } from "pg";
import type { Stretch } from "../blocks";
import type { WrittenBytes } from "./checked-bytes";
import type { DeviceRows } from "./part-file";

/** A file that is read. */
export interface ColdFile extends WrittenBytes {
  readonly id: number;
  readonly url: string;
  /** Metrics of its columns. */
  readonly metrics: readonly number[];
}

/** The rows of one device in one file. */
export interface ColdRows {
  readonly file: ColdFile;
  readonly firstRow: number;
  readonly rows: number;
  readonly counts: readonly number[];
}

/** Finds what cold storage has of each of `stretches`: an entry a file, in order of time. */
export async function findColdRows(
  client: Pool | PoolClient,
  stretches: readonly Stretch[],
): Promise<readonly (readonly ColdRows[])[]> {
  const { rows } = await client.query<{
    i: string;
    file: number;
    first_row: number;
    rows: number;
    counts: number[];
  }>({
    text: `SELECT k.i, f.id AS file, d.first_row, d.rows, d.counts
           FROM unnest($1::integer[], $2::timestamptz[], $3::timestamptz[]) WITH ORDINALITY AS k (device_id, first, until, i)
           JOIN cold_device d ON d.device_id = k.device_id AND d.max_time >= k.first AND d.min_time < k.until
           JOIN cold_file f ON f.id = d.file_id AND f.state = 'kept'
           ORDER BY k.i, d.min_time`,
    values: stretchColumns(stretches),
  });
  const found = stretches.map((): ColdRows[] => []);
  if (rows.length === 0) return found;
  const files = await readFiles(client, [...new Set(rows.map(({ file }) => file))]);
  for (const { i, file: id, first_row: firstRow, rows: count, counts } of rows) {
    // One that is gone was replaced meanwhile: whoever looks again finds the other.
    const file = files.get(id);
    if (file !== undefined) found[Number(i) - 1]!.push({ file, firstRow, rows: count, counts });
  }
  return found;
}

/** What is known of files, each told once however many devices are asked about. */
async function readFiles(client: Pool | PoolClient, ids: readonly number[]): Promise<ReadonlyMap<number, ColdFile>> {
  const { rows } = await client.query<ColdFile>({
    text: "SELECT id, name, url, bytes::float8 AS bytes, sha256, crcs, metrics FROM cold_file WHERE id = ANY ($1::integer[])",
    values: [ids],
  });
  return new Map(rows.map((file) => [file.id, file]));
}

function stretchColumns(stretches: readonly Stretch[]): [devices: number[], first: string[], until: string[]] {
  return [
    stretches.map(({ device }) => device),
    stretches.map(({ from }) => new Date(from).toISOString()),
    stretches.map(({ to }) => new Date(to).toISOString()),
  ];
}

/** A file that was written and read back. */
export interface WrittenFile extends WrittenBytes {
  readonly rows: number;
  readonly readings: number;
  readonly metrics: readonly number[];
  readonly devices: readonly DeviceRows[];
}

/** Notes a file before it is written, so that whatever becomes of its run, it is known. */
export async function noteWriting(tx: PoolClient, month: string, name: string, url: string): Promise<void> {
  await tx.query("INSERT INTO cold_file (month, name, url, state) VALUES ($1, $2, $3, 'writing')", [month, name, url]);
}

/** From the commit on the file is read. @throws Error when it isn't noted as being written any more. */
export async function noteKept(tx: PoolClient, file: WrittenFile): Promise<void> {
  const { name, bytes, sha256, crcs, rows, readings, metrics, devices } = file;
  const { rows: kept } = await tx.query<{ id: number }>(
    `UPDATE cold_file SET state = 'kept', since = now(), bytes = $2, sha256 = $3, rows = $4, readings = $5, metrics = $6,
       min_time = $7, max_time = $8, crcs = $9, verified_at = now()
     WHERE name = $1 AND state = 'writing' RETURNING id`,
    [
      ...[name, bytes, sha256, rows, readings, metrics],
      new Date(devices.reduce((least, { from }) => Math.min(least, from), Infinity)),
      new Date(devices.reduce((most, { to }) => Math.max(most, to), -Infinity)),
      crcs,
    ],
  );
  if (kept.length !== 1) throw new Error(`the file ${name} is no longer one that is being written`);
  for (let i = 0; i < devices.length; i += 500)
    await tx.query(
      `INSERT INTO cold_device (device_id, file_id, first_row, rows, min_time, max_time, counts, sums)
       SELECT k.device_id, $1, k.first_row, k.rows, k.min_time, k.max_time, k.counts::integer[], k.sums::float8[]
       FROM unnest($2::integer[], $3::integer[], $4::integer[], $5::timestamptz[], $6::timestamptz[], $7::text[], $8::text[])
         AS k (device_id, first_row, rows, min_time, max_time, counts, sums)`,
      [kept[0]!.id, ...columnsOf(devices.slice(i, i + 500))],
    );
}

function columnsOf(devices: readonly DeviceRows[]): unknown[] {
  return [
    devices.map(({ device }) => device),
    devices.map(({ firstRow }) => firstRow),
    devices.map(({ rows }) => rows),
    devices.map(({ from }) => new Date(from).toISOString()),
    devices.map(({ to }) => new Date(to).toISOString()),
    devices.map(({ counts }) => `{${counts.join(",")}}`),
    devices.map(({ sums }) => `{${sums.join(",")}}`),
  ];
}

/** From the commit on none of these files is read. @throws Error when one wasn't kept: somebody else has replaced it. */
export async function noteRemoving(tx: PoolClient, files: readonly number[]): Promise<void> {
  const { rowCount } = await tx.query(
    "UPDATE cold_file SET state = 'removing', since = now() WHERE id = ANY ($1::integer[]) AND state = 'kept'",
    [files],
  );
  if (rowCount !== files.length) throw new Error("files of the month were replaced meanwhile");
  await tx.query("DELETE FROM cold_device WHERE file_id = ANY ($1::integer[])", [files]);
}

/** From the commit on none of a month's files is read. @returns how many they are. */
export async function forgetFiles(tx: PoolClient, month: string): Promise<number> {
  const files = await keptFiles(tx, month);
  if (files.length > 0) await noteRemoving(tx, files);
  return files.length;
}

/** Files that were written and won't be kept. */
export async function noteUnused(tx: PoolClient, files: readonly Pick<WrittenFile, "name">[]): Promise<void> {
  await tx.query(
    "UPDATE cold_file SET state = 'removing', since = now() WHERE name = ANY ($1::text[]) AND state = 'writing'",
    [files.map(({ name }) => name)],
  );
}

/** What cold storage holds in all. */
export async function readColdSize(client: Pool | PoolClient): Promise<{ months: number; bytes: number }> {
  const { rows } = await client.query<{ months: number; bytes: number }>(
    "SELECT count(DISTINCT month)::integer AS months, coalesce(sum(bytes), 0)::float8 AS bytes FROM cold_file WHERE state = 'kept'",
  );
  return rows[0]!;
}

/** The files kept of a month, in order. */
export async function keptFiles(client: Pool | PoolClient, month: string): Promise<readonly number[]> {
  const { rows } = await client.query<{ id: number }>(
    "SELECT id FROM cold_file WHERE month = $1 AND state = 'kept' ORDER BY name",
    [month],
  );
  return rows.map(({ id }) => id);
}

/**
 * The files that are read, of all months, for a backup.
 * @param isLive also those that were read a moment ago.
 */
export async function readKeptFiles(
  client: PoolClient,
  isLive: boolean,
): Promise<{ name: string; month: string; url: string; bytes: number; sha256: string }[]> {
  const { rows } = await client.query<{ name: string; month: string; url: string; bytes: number; sha256: string }>(
    `SELECT name, to_char(month, 'YYYY-MM') AS month, url, bytes::float8 AS bytes, sha256 FROM cold_file
     WHERE state = 'kept' OR $1 AND state = 'removing' AND sha256 IS NOT NULL ORDER BY name`,
    [isLive],
  );
  return rows;
}

/** Notes that all files that are read were brought to another place. */
export async function noteMovedTo(tx: PoolClient, url: string): Promise<void> {
  await tx.query("UPDATE cold_file SET url = $1 WHERE state = 'kept'", [url]);
}

/** The devices that have rows in a month's files, ascending, with their readings at most (a moment of two files counts twice). */
export async function coldDevices(
  client: Pool | PoolClient,
  month: string,
): Promise<readonly { readonly device: number; readonly readings: number; readonly metrics: readonly number[] }[]> {
  const { rows } = await client.query<{ device: number; readings: number; metrics: number[] }>(
    `SELECT d.device_id AS device, sum(k.count)::float8 AS readings, array_agg(DISTINCT k.metric) AS metrics
     FROM cold_file f JOIN cold_device d ON d.file_id = f.id
     CROSS JOIN LATERAL unnest(f.metrics, d.counts) AS k (metric, count)
     WHERE f.month = $1 AND f.state = 'kept' AND k.count > 0 GROUP BY 1 ORDER BY 1`,
    [month],
  );
  return rows;
}

/** Files that are read no more for long enough that nobody can still be reading them, and those whose writing ended without a word. */
export async function leftoverFiles(client: Pool | PoolClient): Promise<readonly { id: number; name: string }[]> {
  const { rows } = await client.query<{ id: number; name: string }>(
    `SELECT id, name FROM cold_file
     WHERE state = 'removing' AND since < now() - interval '${READ_MINUTES} minutes'
        OR state = 'writing' AND since < now() - interval '${WRITE_HOURS} hours' ORDER BY id`,
  );
  return rows;
}

/** Minutes after which nobody reads a file any more that another took the place of. */
const READ_MINUTES = 10;
/** Hours after which a file that isn't kept never will be. */
const WRITE_HOURS = 6;
