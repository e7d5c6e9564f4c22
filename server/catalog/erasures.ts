import { createHash } from "node:crypto";
import type { Pool, PoolClient } from "pg";
import type { EpochMs } from "@/server/domain/terms";
import { READINGS_STORE } from "@/server/postgres/erasure";
import { beginEpoch } from "./epoch";

/** What an erasure did in a store. */
export interface ErasedStore {
  readonly store: string;
  /** Rows, messages or files taken out. */
  readonly erased: number;
  /** What the last look found there; null: nobody has looked yet. */
  readonly left: number | null;
}

/** Something that holds the device's data after its erasure. */
export interface Remaining {
  readonly what: string;
  /** When it is gone; null: that is not for Fieldwatch to say. */
  readonly until: EpochMs | null;
  readonly why: string;
}

/** The erasure of a device. */
export interface Erasure {
  readonly id: number;
  readonly key: number;
  /** The number it has in common with those that were asked for together; null: one device was erased by itself. */
  readonly request: number | null;
  /** Null once the proof found nothing. */
  readonly name: string | null;
  readonly mark: string;
  /** Readings taken out. */
  readonly readings: number;
  /** The store that is worked on next. */
  readonly place: number;
  readonly stores: readonly ErasedStore[];
  readonly coldFiles: readonly number[];
  readonly remains: readonly Remaining[];
  /** Looks taken at all stores. */
  readonly looks: number;
  readonly createdAt: EpochMs;
  readonly lookedAt: EpochMs | null;
  readonly finishedAt: EpochMs | null;
  /** Messages under its name that came since and were dropped. */
  readonly dropped: number;
  readonly droppedAt: EpochMs | null;
  readonly allowedAt: EpochMs | null;
}

const ms = (column: string, as: string) => `(extract(epoch FROM ${column}) * 1000)::float8 AS "${as}"`;
const COLUMNS = `id, key, request, name, encode(name_hash, 'hex') AS mark, readings::float8 AS readings, place, stores, cold_files AS "coldFiles", remains, looks, dropped::float8 AS dropped,
  ${ms("created_at", "createdAt")}, ${ms("looked_at", "lookedAt")}, ${ms("finished_at", "finishedAt")}, ${ms("dropped_at", "droppedAt")}, ${ms("allowed_at", "allowedAt")}`;

/** The mark by which the name of an erased device is known. */
function erasedMark(salt: Uint8Array, name: string): string {
  return createHash("sha256").update(salt).update(name).digest("hex");
}

async function readSalt(tx: Pool | PoolClient): Promise<Buffer> {
  const { rows } = await tx.query<{ salt: Buffer }>("SELECT salt FROM erasure_salt");
  return rows[0]!.salt;
}

/** Begins the erasure of a device that is being removed in this transaction. From its commit on messages under the name are dropped. @returns its number */
export async function beginErasure(tx: PoolClient, key: number, name: string): Promise<number> {
  const mark = erasedMark(await readSalt(tx), name);
  // Files that are just being written may get rows of it.
  const { rows } = await tx.query<{ id: number }>(
    `INSERT INTO erasure (key, name, name_hash, cold_files)
     SELECT $1::integer, $2, decode($3, 'hex'), ARRAY(SELECT file_id FROM cold_device WHERE device_id = $1
       UNION SELECT id FROM cold_file WHERE state = 'writing')
     RETURNING id`,
    [key, name, mark],
  );
  return rows[0]!.id;
}

/** Has these erasures be those of one request. @returns its number. */
export async function joinErasures(tx: PoolClient, erasures: readonly number[]): Promise<number> {
  const request = Math.min(...erasures);
  await tx.query("UPDATE erasure SET request = $1 WHERE id = ANY ($2::integer[])", [request, erasures]);
  return request;
}

/** Which erasures; what is left out or null is of any. */
interface ErasureSearch {
  /** The name of the device. */
  readonly name?: string | null;
  readonly id?: number | null;
  readonly request?: number | null;
}

/** Erasures, newest first. */
export async function listErasures(
  tx: Pool | PoolClient,
  { name = null, id = null, request = null }: ErasureSearch,
  limit: number,
): Promise<Erasure[]> {
  const mark = name === null ? null : erasedMark(await readSalt(tx), name);
  const { rows } = await tx.query<Erasure>(
    `SELECT ${COLUMNS} FROM erasure WHERE ($1::text IS NULL OR name_hash = decode($1, 'hex')) AND ($3::integer IS NULL OR id = $3)
       AND ($4::integer IS NULL OR request = $4) ORDER BY id DESC LIMIT $2`,
    [mark, limit, id, request],
  );
  return rows;
}

/** The next erasure whose device is removed and that is not proven, after one. */
export async function nextErasure(tx: Pool | PoolClient, after: number): Promise<(Erasure & { name: string }) | null> {
  const { rows } = await tx.query<Erasure & { name: string }>(
    `SELECT ${COLUMNS} FROM erasure e WHERE finished_at IS NULL AND id > $1
       AND NOT EXISTS (SELECT FROM catalog_removal r WHERE r.kind = 'device' AND r.key = e.key) ORDER BY id LIMIT 1`,
    [after],
  );
  return rows[0] ?? null;
}

/** Counts readings that were taken out of a device that is being erased; of any other nothing is counted. */
export async function noteErasedReadings(tx: PoolClient, key: number, readings: number): Promise<void> {
  await tx.query("UPDATE erasure SET readings = readings + $2 WHERE key = $1 AND finished_at IS NULL", [key, readings]);
  await noteErasedBefore(tx, key, READINGS_STORE, readings);
}

/** Counts what was taken out of a store before the erasure goes over it: the proof tells all that went. */
export async function noteErasedBefore(tx: PoolClient, key: number, store: string, erased: number): Promise<void> {
  const { rows } = await tx.query<Pick<Erasure, "id" | "place" | "stores">>(
    `SELECT id, place, stores FROM erasure WHERE key = $1 AND finished_at IS NULL FOR UPDATE`,
    [key],
  );
  for (const { id, place, stores } of rows) {
    const before = stores.find((one) => one.store === store) ?? { store, erased: 0, left: null };
    const others = stores.filter((one) => one.store !== store);
    await noteErasure(tx, id, { place, stores: [...others, { ...before, erased: before.erased + erased }] });
  }
}

/** Notes how far an erasure is. */
export async function noteErasure(
  tx: PoolClient,
  id: number,
  { place, stores }: Pick<Erasure, "place" | "stores">,
): Promise<void> {
  await tx.query("UPDATE erasure SET place = $2, stores = $3 WHERE id = $1", [id, place, JSON.stringify(stores)]);
}

/** Notes what a look found. With nothing left the erasure is proven and forgets the name: true for whoever noted that first. */
export async function noteLook(
  tx: PoolClient,
  id: number,
  { stores, remains }: Pick<Erasure, "stores" | "remains">,
): Promise<{ readonly isProven: boolean }> {
  const isProven = stores.every(({ left }) => left === 0);
  const { rowCount } = await tx.query(
    `UPDATE erasure SET stores = $2, remains = $3, looks = looks + 1, looked_at = now(), place = 0,
       finished_at = CASE WHEN $4 THEN now() END, name = CASE WHEN $4 THEN NULL ELSE name END
     WHERE id = $1 AND finished_at IS NULL`,
    [id, JSON.stringify(stores), JSON.stringify(remains), isProven],
  );
  return { isProven: isProven && rowCount === 1 };
}

/** Lets messages under the name of an erased device in again: they make a new device. @returns false when there is no such erasure, or they may already. */
export async function allowAgain(tx: PoolClient, id: number): Promise<boolean> {
  await beginEpoch(tx);
  const { rowCount } = await tx.query(
    "UPDATE erasure SET allowed_at = now() WHERE id = $1 AND allowed_at IS NULL AND finished_at IS NOT NULL",
    [id],
  );
  return rowCount === 1;
}

/** Tells the erasure of a device by its name; null: it wasn't erased, or may come again. */
export type ErasedNames = (name: string) => number | null;

/** Most names remembered as asked for. */
const MOST_NAMES = 100_000;

/** The names that are dropped. @returns null when there are none. */
export async function readErasedNames(pool: Pool | PoolClient): Promise<ErasedNames | null> {
  const { rows } = await pool.query<{ id: number; mark: string; salt: Buffer }>(
    `SELECT id, encode(name_hash, 'hex') AS mark, salt FROM erasure, erasure_salt WHERE allowed_at IS NULL`,
  );
  const [first] = rows;
  if (first === undefined) return null;
  const marks = new Map(rows.map(({ id, mark }) => [mark, id]));
  const known = new Map<string, number | null>();
  return (name) => {
    let found = known.get(name);
    if (found === undefined) {
      if (known.size >= MOST_NAMES) known.clear();
      known.set(name, (found = marks.get(erasedMark(first.salt, name)) ?? null));
    }
    return found;
  };
}
