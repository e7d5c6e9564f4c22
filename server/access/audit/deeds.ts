import type { Pool, PoolClient } from "pg";
import { isTelling, sqlWordPattern } from "@/server/domain/erased";
import { type Caller, idOf, nameOf } from "@/server/domain/access";
import type { EpochMs } from "@/server/domain/terms";
import { isRetryable } from "@/server/postgres/error-classes";
import { commitmentTo, Personal, putBack, setApart } from "./personal";

/** One thing that was done, or that was not allowed. */
export interface Deed {
  readonly verb: string;
  /** What it was done to, as it is addressed; null for nothing in particular. */
  readonly target: string | Personal | null;
  readonly outcome: "tried" | "done" | "denied" | "failed";
  readonly address: string | null;
  /** What was there before and is there now, or what was asked for; without secrets, and with what is of people in {@link Personal}. */
  readonly detail: object | null;
  /** Of an outcome: the row that told that it was tried. */
  readonly attempt?: number;
}

/** A row of the audit record. */
export interface AuditRow {
  readonly id: number;
  readonly time: EpochMs;
  readonly actorKind: string;
  readonly actorId: string | null;
  readonly actor: string;
  readonly verb: string;
  readonly target: string | null;
  readonly outcome: Deed["outcome"];
  readonly address: string | null;
  readonly detail: unknown;
  readonly attempt: number | null;
  /** False until the next seal. */
  readonly sealed: boolean;
  /** It was tried, and nobody has told what came of it. */
  readonly unsettled: boolean;
}

/** The record can't be written, and not because PostgreSQL is away. */
export class AuditError extends Error {
  override readonly name = "AuditError";
}

/** Stands for a personal value that was erased. */
const ERASED = "(erased)";

/**
 * Adds a row. In the transaction of the change: no row, no change.
 * @returns its id.
 * @throws AuditError when it can't be written.
 */
export async function addDeed(tx: Pool | PoolClient, caller: Caller, deed: Deed): Promise<number> {
  const { verb, outcome, attempt = null } = deed;
  const person = caller.kind === "user" ? caller.accountId : null;
  const names = await deviceNames(tx, deed);
  const isProgram = caller.kind === "key" || (caller.kind === "nobody" && caller.key !== undefined);
  const { rest, values } = setApart({
    actor: person === null ? nameOf(caller) : new Personal(nameOf(caller), person),
    target: withNamesApart(deed.target, names),
    // The address of a program or a device says nothing of a person.
    address: isProgram ? deed.address : new Personal(deed.address, person),
    detail: withNamesApart(deed.detail, names),
  });
  const { actor, target, address, detail } = rest as Record<"actor" | "target" | "address", string | null> & {
    detail: object | null;
  };
  const personal =
    values.length === 0
      ? null
      : Object.fromEntries(values.map(({ path, salt, value }) => [path, commitmentTo(salt, value)]));
  try {
    const { rows } = await tx.query<{ id: number }>(
      `WITH added AS (
         INSERT INTO audit_row (actor_kind, actor_id, actor, verb, target, outcome, address, detail, attempt, personal)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING id
       ), kept AS (
         INSERT INTO audit_value (row_id, path, account_id, salt, value)
         SELECT id, v.* FROM added, unnest($11::text[], $12::integer[], $13::bytea[], $14::text[]) v
       )
       SELECT id FROM added`,
      [
        ...[caller.kind, idOf(caller), actor ?? `user ${person}`, verb, target, outcome],
        ...[address, detail, attempt, personal],
        values.map(({ path }) => path),
        values.map(({ accountId }) => accountId),
        values.map(({ salt }) => salt),
        values.map(({ value }) => value),
      ],
    );
    return rows[0]!.id;
  } catch (error) {
    throw isRetryable(error) ? error : new AuditError("The audit record can't be written", { cause: error });
  }
}

/** The names of devices that texts of a deed are or hold, which may have to be erased; true for those of devices that were erased. */
async function deviceNames(tx: Pool | PoolClient, { target, detail }: Deed): Promise<ReadonlyMap<string, boolean>> {
  const texts = new Set<string>();
  const walk = (part: unknown): void => {
    if (typeof part === "string") {
      for (const each of partsOf(part)) texts.add(each);
    } else if (typeof part === "object" && part !== null && !(part instanceof Personal))
      Object.values(part).forEach(walk);
  };
  walk([target, detail]);
  if (texts.size === 0 || !(await hasErasures(tx))) return new Map();
  const { rows } = await tx.query<{ name: string; isErased: boolean }>(
    `SELECT name, false AS "isErased" FROM device WHERE name = ANY ($1::text[])
     UNION ALL SELECT t, true FROM unnest($1::text[]) AS t, erasure_salt
     WHERE sha256(salt || convert_to(t, 'UTF8')) IN (SELECT name_hash FROM erasure)`,
    [[...texts].map((text) => text.replace(/\p{Surrogate}|\0/gu, "\uFFFD"))],
  );
  return new Map(rows.map(({ name, isErased }) => [name, isErased]));
}

/** Connections to databases that have erasures. */
const withErasures = new WeakSet<Pool | PoolClient>();

/** False before a database of a version before is migrated: a backup is made then, and told of in the record. */
async function hasErasures(tx: Pool | PoolClient): Promise<boolean> {
  if (withErasures.has(tx)) return true;
  const { rows } = await tx.query<{ has: boolean }>("SELECT to_regclass('erasure_salt') IS NOT NULL AS has");
  if (rows[0]!.has) withErasures.add(tx);
  return rows[0]!.has;
}

/** What may be a name in a text: all of it, what is between slashes, what comes after "of", and each word that can be nothing else. */
function partsOf(text: string): string[] {
  const words = text.match(/[\p{L}\p{N}_.:/@#-]+/gu) ?? [];
  return [
    text,
    ...text.split("/"),
    ...text.split(" of "),
    ...words.map((word) => word.replace(/[./:@#]+$/, "")).filter(isTelling),
  ];
}

/** The part with each text that is or holds the name of a device as a value of its own; without the text where that device was erased. */
function withNamesApart<T>(part: T, names: ReadonlyMap<string, boolean>): T {
  const walk = (each: unknown): unknown => {
    if (typeof each === "string") {
      const found = partsOf(each).flatMap((one) => names.get(one) ?? []);
      return found.length === 0 ? each : found.includes(true) ? ERASED : new Personal(each, null);
    }
    if (Array.isArray(each)) return each.map(walk);
    if (typeof each !== "object" || each === null || each instanceof Personal) return each;
    return Object.fromEntries(Object.entries(each).map(([key, value]) => [key, walk(value)]));
  };
  return (names.size === 0 ? part : walk(part)) as T;
}

/** What to look for in the record; null for anything. */
export interface AuditSearch {
  readonly actor: string | null;
  readonly verb: string | null;
  readonly target: string | null;
  readonly outcome: string | null;
  /** Rows of this moment or later. */
  readonly from: EpochMs | null;
  /** Rows before this moment. */
  readonly to: EpochMs | null;
  /** Rows before this one; null for the newest. */
  readonly before: number | null;
  readonly limit: number;
}

interface ListedRow extends AuditRow {
  readonly personal: Readonly<Record<string, string>> | null;
  readonly values: Readonly<Record<string, string>> | null;
}

/** Rows of the record, newest first. */
export async function listDeeds(tx: Pool | PoolClient, search: AuditSearch): Promise<AuditRow[]> {
  const { rows } = await tx.query<ListedRow>(
    `SELECT id, (extract(epoch FROM time) * 1000)::float8 AS time, actor_kind AS "actorKind", actor_id AS "actorId", actor, verb, target, outcome,
       address, detail, attempt, personal,
       (SELECT jsonb_object_agg(v.path, v.value) FROM audit_value v WHERE v.row_id = r.id) AS values,
       NOT EXISTS (SELECT FROM audit_unsealed u WHERE u.row_id = r.id) AS sealed,
       outcome = 'tried' AND NOT EXISTS (SELECT FROM audit_row o WHERE o.attempt = r.id) AS unsettled
     FROM audit_row r
     WHERE ($1::text IS NULL OR id IN (
         SELECT id FROM audit_row WHERE actor = $1 UNION ALL SELECT row_id FROM audit_value WHERE value = $1 AND path = 'actor'))
       AND ($2::text IS NULL OR verb = $2)
       AND ($3::text IS NULL OR strpos(target, $3) > 0
         OR EXISTS (SELECT FROM audit_value v WHERE v.row_id = r.id AND v.path = 'target' AND strpos(v.value, $3) > 0))
       AND ($4::text IS NULL OR outcome = $4) AND ($5::bigint IS NULL OR id < $5)
       AND ($6::timestamptz IS NULL OR time >= $6) AND ($7::timestamptz IS NULL OR time < $7)
     ORDER BY id DESC LIMIT $8`,
    [
      ...[search.actor, search.verb, search.target, search.outcome, search.before],
      ...[search.from, search.to].map((at) => (at === null ? null : new Date(at))),
      search.limit,
    ],
  );
  return rows.map(restored);
}

/** The row with its personal values in their places. */
function restored({ personal, values, ...row }: ListedRow): AuditRow {
  const whole = { ...row } as unknown as Record<string, unknown>;
  for (const path of Object.keys(personal ?? {})) {
    const value = values?.[path];
    // The number of an account is told also when its name is erased.
    putBack(whole, path, value ?? (path === "actor" ? `${row.actor} ${ERASED}` : ERASED));
  }
  return whole as unknown as AuditRow;
}

/** What was erased, for the sealed row of the removal: what is missing and is not told of there was taken out by somebody else. */
export interface Erased {
  readonly values: number;
  /** Paths of values by row, but for {@link OWN_PATHS} of rows that name the person's account. */
  readonly from: Readonly<Record<string, readonly string[]>>;
}

/** Personal values of whoever did what a row tells; the row names their account. */
export const OWN_PATHS: readonly string[] = ["actor", "address"];

/** Erases what the record keeps of a person: under their number, and wherever one of their e-mail addresses was typed, with from where. */
export async function eraseValues(tx: PoolClient, accountId: number, email: string | null): Promise<Erased> {
  const { rows } = await tx.query<{ rowId: number; path: string; isOwn: boolean }>(
    `DELETE FROM audit_value v USING audit_row r
     WHERE r.id = v.row_id AND (v.account_id = $1 OR v.value = $2
       OR v.value IN (SELECT value FROM audit_value WHERE account_id = $1 AND path LIKE '%.email')
       OR (v.path = 'address' AND v.account_id IS NULL AND EXISTS (
         SELECT FROM audit_value typed WHERE typed.row_id = v.row_id AND typed.path = 'target' AND (typed.value = $2
           OR typed.value IN (SELECT value FROM audit_value WHERE account_id = $1 AND path LIKE '%.email')))))
     RETURNING v.row_id AS "rowId", v.path, r.actor_kind = 'user' AND r.actor_id = $1::text AND v.path = ANY ($3) AS "isOwn"`,
    [accountId, email, OWN_PATHS],
  );
  return { values: rows.length, from: pathsByRow(rows.filter(({ isOwn }) => !isOwn)) };
}

function pathsByRow(rows: readonly { readonly rowId: number; readonly path: string }[]): Erased["from"] {
  const from: Record<string, string[]> = {};
  for (const { rowId, path } of rows) (from[rowId] ??= []).push(path);
  return from;
}

/** Values that are the name of a device, or have it between slashes or as a word. */
function namesIn(name: string): { readonly where: string; readonly values: readonly unknown[] } {
  const whole =
    "v.value = $1 OR $1 = ANY (string_to_array(v.value, '/')) OR right(v.value, length($1) + 4) = ' of ' || $1";
  return isTelling(name)
    ? { where: `(${whole} OR v.value ~ $2)`, values: [name, sqlWordPattern(name)] }
    : { where: `(${whole})`, values: [name] };
}

/** Erases the name of a device from the record, with from where. */
export async function eraseName(tx: PoolClient, name: string): Promise<Erased> {
  const { where, values } = namesIn(name);
  // What rows about the device keep apart besides is of it as well: its notes and labels, and whom it was exported as data of.
  const { rows } = await tx.query<{ rowId: number; path: string }>(
    `DELETE FROM audit_value v WHERE v.account_id IS NULL AND (${where} OR v.row_id IN (
       SELECT about.row_id FROM audit_value about JOIN audit_row r ON r.id = about.row_id
       WHERE about.account_id IS NULL AND (about.path = 'target' OR r.verb = 'exportPersonalData')
         AND (about.value = $1 OR $1 = ANY (string_to_array(about.value, '/')))))
     RETURNING v.row_id AS "rowId", v.path`,
    [...values],
  );
  return { values: rows.length, from: pathsByRow(rows) };
}

/** Erases every value of the record that is a person's name, but those of accounts, with from where. */
export async function eraseWord(tx: PoolClient, word: string): Promise<Erased> {
  const { rows } = await tx.query<{ rowId: number; path: string }>(
    `DELETE FROM audit_value WHERE account_id IS NULL AND value = $1 RETURNING row_id AS "rowId", path`,
    [word],
  );
  return { values: rows.length, from: pathsByRow(rows) };
}

/** Counts what the record has of the name of a device: values that can be erased, and sealed rows of versions before, which can't be changed. */
export async function countName(tx: Pool | PoolClient, name: string): Promise<{ values: number; rows: number }> {
  const { where, values } = namesIn(name);
  const { rows } = await tx.query<{ values: number; rows: number }>(
    `SELECT (SELECT count(*)::integer FROM audit_value v WHERE ${where} AND v.account_id IS NULL) AS values,
       (SELECT count(*)::integer FROM audit_row r, LATERAL (SELECT concat_ws(' ', r.target, r.detail::text) AS value) v WHERE ${where}) AS rows`,
    [...values],
  );
  return rows[0]!;
}
