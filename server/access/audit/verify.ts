import type { PoolClient } from "pg";
import { counted } from "@/server/domain/counted";
import type { Anchor } from "./anchors";
import { type Erased, OWN_PATHS } from "./deeds";
import {
  type AuditKey,
  hashOfRow,
  hashOfSeal,
  macOf,
  NO_SEAL,
  SEALED_COLUMNS,
  type SealedRow,
  splitHashes,
} from "./canonical";
import { IdSet } from "./id-set";
import { commitmentTo } from "./personal";

/** Seals, and ids of rows, read at a time. */
const SEALS = 20;
const IDS = 10_000;
/** No transaction takes longer: what is sealed later, and is of a time before, was added later. */
const LONGEST_MS = 3_600_000;

/** What vouches for the record besides the database. */
export interface Vouchers {
  /** null: no key is at hand. */
  readonly keys: readonly AuditKey[] | null;
  /** Anchors as they were told, oldest first. */
  readonly anchors: AsyncIterable<Anchor> | Iterable<Anchor>;
}

/** What was found in the record. */
export interface Verified {
  /** The first that is wrong, in a sentence; null: nothing is. */
  readonly fault: string | null;
  /** Rows that seals hold for, so far as was read. */
  readonly rows: number;
  readonly seals: number;
  /** Rows no seal holds for yet. */
  readonly waiting: number;
  /** Personal values that were erased. */
  readonly erased: number;
  /** Anchors that hold. */
  readonly anchors: number;
  /** The first seal for which neither a key nor an anchor vouches; null: none. */
  readonly unvouched: { readonly seal: number; readonly keyId: string } | null;
}

/** Ends the reading of the record at the first thing that is wrong. */
class Fault extends Error {
  override readonly name = "Fault";
}

interface SealRow {
  readonly id: number;
  readonly time: Date;
  readonly rowIds: number[];
  readonly rowHashes: Buffer;
  readonly previous: Buffer;
  readonly hash: Buffer;
  readonly keyId: string;
  readonly mac: Buffer;
}

/**
 * Reads the whole record as of one moment, and compares it with its seals, and these with key and anchors. Memory grows with
 * neither rows nor seals, but for the anchors and what the removals of people erased.
 * @param tx a transaction that reads as of one moment.
 */
export async function verifyRecord(tx: PoolClient, { keys, anchors }: Vouchers): Promise<Verified> {
  const found = { rows: 0, seals: 0, waiting: 0, erased: 0, anchors: 0 };
  let unvouched: Verified["unvouched"] = null;
  const sealed = new IdSet();
  let previous: { readonly id: number; readonly hash: Buffer } = { id: 0, hash: NO_SEAL };
  let newest = -Infinity;
  let removals: Removals;

  async function readSeal(seal: SealRow, told: ReadonlyMap<number, Anchor>): Promise<void> {
    if (seal.id !== previous.id + 1) throw new Fault(`${sealsGone(previous.id + 1, seal.id - 1)} gone.`);
    const rowHashes = splitHashes(seal.rowHashes);
    const hash = hashOfSeal({ id: seal.id, time: seal.time.getTime(), rowHashes, previous: seal.previous });
    if (!hash.equals(seal.hash)) throw new Fault(`Seal ${seal.id} of ${iso(seal.time)} was changed.`);
    if (!seal.previous.equals(previous.hash))
      throw new Fault(
        `Seal ${seal.id} of ${iso(seal.time)} doesn't follow seal ${previous.id}: one of both was put there later.`,
      );
    const key = keys?.find(({ id }) => id === seal.keyId);
    if (key && !macOf(key, seal.hash).equals(seal.mac))
      throw new Fault(
        `Seal ${seal.id} of ${iso(seal.time)} wasn't made with our key: the record was written anew from there on.`,
      );
    if (!key) unvouched ??= { seal: seal.id, keyId: seal.keyId };
    const anchor = told.get(seal.id);
    if (anchor && anchor.hash !== seal.hash.toString("hex"))
      throw new Fault(
        `Seal ${seal.id} isn't the one that was anchored at ${anchor.time}: the record was written anew, there or before.`,
      );
    if (anchor) {
      found.anchors++;
      unvouched = null;
    }
    await readRows(seal, rowHashes);
    previous = seal;
    found.seals++;
  }

  async function readRows(seal: SealRow, rowHashes: readonly Buffer[]): Promise<void> {
    const { rows } = await tx.query<SealedRow>(
      `SELECT ${SEALED_COLUMNS} FROM audit_row r WHERE r.id = ANY ($1::bigint[])`,
      [seal.rowIds],
    );
    const byId = new Map(rows.map((row) => [row.id, row]));
    const values = await readValues(seal.rowIds);
    const before = newest;
    for (const [i, id] of seal.rowIds.entries()) {
      const row = byId.get(id);
      if (!row) throw new Fault(`Row ${id} is gone: seal ${seal.id} of ${iso(seal.time)} holds for it.`);
      if (!hashOfRow(row).equals(rowHashes[i]!))
        throw new Fault(`Row ${id} (${row.verb}) was changed after seal ${seal.id} of ${iso(seal.time)}.`);
      if (!sealed.add(id))
        throw new Fault(
          `Row ${id} (${row.verb}) is sealed twice, the second time by seal ${seal.id} of ${iso(seal.time)}.`,
        );
      if (row.time < before - LONGEST_MS)
        throw new Fault(
          `Row ${id} (${row.verb}) says ${iso(row.time)}, long before rows that were sealed earlier: it was added later, or the clock was set back.`,
        );
      newest = Math.max(newest, row.time);
      readPersonal(row, values.get(id) ?? []);
      found.rows++;
    }
  }

  function readPersonal(row: SealedRow, kept: readonly ValueRow[]): void {
    const commitments = JSON.parse(row.personal ?? "{}") as Record<string, string>;
    for (const { path, salt, value } of kept)
      if (commitments[path] !== commitmentTo(salt, value))
        throw new Fault(`Row ${row.id} (${row.verb}): its personal value "${path}" was changed.`);
    const there = new Set(kept.map(({ path }) => path));
    for (const path of Object.keys(commitments)) {
      if (there.has(path)) continue;
      if (!removals.haveErased(row, path))
        throw new Fault(
          `Row ${row.id} (${row.verb}): its personal value "${path}" is gone, and no removal of a person or erasure of a device took it out.`,
        );
      found.erased++;
    }
  }

  async function readValues(ids: readonly number[]): Promise<Map<number, ValueRow[]>> {
    const { rows } = await tx.query<ValueRow & { rowId: number }>(
      `SELECT row_id AS "rowId", path, salt, value FROM audit_value WHERE row_id = ANY ($1::bigint[])`,
      [ids],
    );
    const byRow = new Map<number, ValueRow[]>();
    for (const { rowId, ...value } of rows) byRow.set(rowId, [...(byRow.get(rowId) ?? []), value]);
    return byRow;
  }

  /** Finds rows that no seal holds for, and that don't wait for one; and those that wait and are gone. */
  async function readUnsealed(): Promise<void> {
    for (let from = Number.MIN_SAFE_INTEGER; ;) {
      const { rows } = await tx.query<{ id: number; verb: string; waits: boolean }>(
        `SELECT r.id, r.verb, u.row_id IS NOT NULL AS waits FROM audit_row r LEFT JOIN audit_unsealed u ON u.row_id = r.id
         WHERE r.id > $1 ORDER BY r.id LIMIT ${IDS}`,
        [from],
      );
      for (const { id, verb, waits } of rows) {
        if (sealed.has(id)) continue;
        if (!waits)
          throw new Fault(`Row ${id} (${verb}) was put there: no seal holds for it, and it doesn't wait for one.`);
        found.waiting++;
      }
      if (rows.length < IDS) break;
      from = rows.at(-1)!.id;
    }
    const { rows } = await tx.query<{ id: number }>(
      `SELECT u.row_id AS id FROM audit_unsealed u WHERE NOT EXISTS (SELECT FROM audit_row r WHERE r.id = u.row_id) ORDER BY 1 LIMIT 1`,
    );
    if (rows[0]) throw new Fault(`Row ${rows[0].id} is gone: it waited for its seal.`);
  }

  try {
    removals = await readRemovals(tx);
    const told = new Map<number, Anchor>();
    for await (const anchor of anchors) {
      const same = told.get(anchor.seal);
      if (same && same.hash !== anchor.hash)
        throw new Fault(
          `Seal ${anchor.seal} was anchored twice, at ${same.time} and ${anchor.time}, and was not the same: the record was written anew.`,
        );
      told.set(anchor.seal, anchor);
    }
    for (;;) {
      const { rows } = await tx.query<SealRow>(
        `SELECT id, time, row_ids AS "rowIds", row_hashes AS "rowHashes", previous, hash, key_id AS "keyId", mac
         FROM audit_seal WHERE id > $1 ORDER BY id LIMIT ${SEALS}`,
        [previous.id],
      );
      for (const seal of rows) await readSeal(seal, told);
      if (rows.length < SEALS) break;
    }
    const last = Math.max(0, ...told.keys());
    if (last > previous.id)
      throw new Fault(
        `${sealsGone(previous.id + 1, last)} gone: the anchor of ${told.get(last)!.time} tells of seal ${last}. The end of the record was cut off.`,
      );
    await readUnsealed();
    return { fault: null, ...found, unvouched };
  } catch (error) {
    if (error instanceof Fault) return { fault: error.message, ...found, unvouched };
    throw error;
  }
}

/** What the removals of people, by the rows that tell of them, have erased. */
interface Removals {
  haveErased(row: SealedRow, path: string): boolean;
}

/** Reads the rows that tell of removals. Whether these are as they were sealed, or wait for it, is found with all other rows. */
async function readRemovals(tx: PoolClient): Promise<Removals> {
  const { rows } = await tx.query<{ verb: string; accountId: string; from: Erased["from"] | null }>(
    `SELECT verb, target AS "accountId", detail->'erased'->'from' AS "from" FROM audit_row
     WHERE verb IN ('deleteUser', 'eraseDevice', 'erasePerson') AND outcome = 'done'`,
  );
  const people = new Set(rows.flatMap(({ verb, accountId }) => (verb === "deleteUser" ? accountId : [])));
  const values = new Set(
    rows.flatMap(({ from }) =>
      Object.entries(from ?? {}).flatMap(([row, paths]) => paths.map((path) => `${row} ${path}`)),
    ),
  );
  return {
    haveErased: ({ id, actorKind, actorId }, path) =>
      values.has(`${id} ${path}`) ||
      (actorKind === "user" && actorId !== null && people.has(actorId) && OWN_PATHS.includes(path)),
  };
}

interface ValueRow {
  readonly path: string;
  readonly salt: Buffer;
  readonly value: string;
}

function sealsGone(from: number, to: number): string {
  return from === to ? `Seal ${from} is` : `Seals ${from} to ${to} are`;
}

function iso(time: Date | number): string {
  return new Date(time).toISOString();
}

/** What was found, in lines for people. */
export function verdictOn(
  { fault, rows, seals, waiting, erased, anchors, unvouched }: Verified,
  keyFile: string,
): { isGood: boolean; lines: string[] } {
  if (fault !== null)
    return {
      isGood: false,
      lines: [
        `✗ ${fault}`,
        `  Before that: ${counted(rows, "row")} under ${counted(seals, "seal")} are as they were sealed.`,
      ],
    };
  const lines = [
    `${counted(rows, "row")} under ${counted(seals, "seal")} are as they were sealed; ${counted(waiting, "row")} still unsealed.`,
    ...(anchors > 0 ? [`${counted(anchors, "anchor")} outside of the database agree.`] : []),
    ...(erased > 0 ? [`${counted(erased, "personal value")} erased.`] : []),
  ];
  if (unvouched !== null)
    return {
      isGood: false,
      lines: [
        `✗ From seal ${unvouched.seal} on nothing outside of the database vouches for the record: it was sealed with the key ${unvouched.keyId}, which isn't in ${keyFile}, and no later seal was anchored.`,
        "  Give the key's file with --key, or a file of anchors with --anchor: whoever can write to the database alone could have written all that anew.",
        ...lines.map((line) => `  ${line}`),
      ],
    };
  return { isGood: true, lines: lines.map((line, i) => (i === 0 ? `✓ ${line}` : `  ${line}`)) };
}
