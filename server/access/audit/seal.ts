import type { PoolClient } from "pg";
import type { AuditFiles } from "@/server/config/audit-files";
import type { Logger } from "@/server/observability/logger";
import type { Job, JobContext } from "@/server/postgres/job";
import { appendAnchor, readLastAnchor } from "./anchors";
import { type AuditKey, hashOfRow, hashOfSeal, macOf, NO_SEAL, SEALED_COLUMNS, type SealedRow } from "./canonical";
import { ensureAuditKeys } from "./keys";

/** Rows of one seal, at most. */
const MOST_ROWS = 1000;
const MINUTE = 60_000;

/** Defines the job that seals the record. */
export function auditJobs({ files, logger }: { readonly files: AuditFiles; readonly logger: Logger }): Job[] {
  return [
    {
      name: "audit-seal",
      title: "Audit seal",
      about: "Seals what was added to the audit record, so that it shows when somebody changes it.",
      counts: { one: "entry sealed", many: "entries sealed" },
      everyMs: MINUTE,
      limitMs: 10 * MINUTE,
      run: (ctx) => sealRecord(ctx, files, logger),
    },
  ];
}

/** Seals all rows there are, and tells of the last seal outside of the database: in the log, and in the anchor file. */
export async function sealRecord(
  ctx: Pick<JobContext, "step" | "tx" | "signal" | "run">,
  files: AuditFiles,
  logger: Pick<Logger, "info" | "warn">,
): Promise<void> {
  const [key] = ensureAuditKeys(files);
  await assertAnchored(ctx.tx, files.anchorFile);
  let { done } = ctx.run;
  for (let sealed = MOST_ROWS; sealed === MOST_ROWS;) {
    ctx.signal.throwIfAborted();
    await ctx.step(async (tx) => {
      const seal = await addSeal(tx, key);
      sealed = seal?.rows ?? 0;
      if (seal !== null && seal.keyBefore !== null && seal.keyBefore !== key.id)
        logger.warn(
          { seal: seal.id, key: key.id, before: seal.keyBefore },
          "the audit record is sealed with another key from here on; audit:verify needs both",
        );
      return { done: done + sealed };
    });
    done += sealed;
  }
  // Not in the step, so that whoever was killed between the two is made up for by the next run.
  const head = await lastSeal(ctx.tx);
  if (head === null || (readLastAnchor(files.anchorFile)?.seal ?? 0) >= head.id) return;
  const anchor = { seal: head.id, time: head.time.toISOString(), hash: head.hash.toString("hex") };
  logger.info(anchor, "audit record sealed");
  appendAnchor(files.anchorFile, anchor);
}

interface Seal {
  readonly id: number;
  readonly time: Date;
  readonly hash: Buffer;
  readonly keyId: string;
}

async function lastSeal(tx: Pick<PoolClient, "query">): Promise<Seal | null> {
  const { rows } = await tx.query<Seal>(
    `SELECT id, time, hash, key_id AS "keyId" FROM audit_seal ORDER BY id DESC LIMIT 1`,
  );
  return rows[0] ?? null;
}

/** Adds one seal over rows that wait for it, in one transaction. @returns null when none does. */
async function addSeal(
  tx: PoolClient,
  key: AuditKey,
): Promise<{ id: number; rows: number; keyBefore: string | null } | null> {
  // A worker that lost its lease may still be at it.
  await tx.query(`SELECT pg_advisory_xact_lock(hashtext('fieldwatch audit seal'))`);
  const { rows } = await tx.query<SealedRow>(
    `SELECT ${SEALED_COLUMNS} FROM audit_unsealed u JOIN audit_row r ON r.id = u.row_id ORDER BY u.row_id LIMIT ${MOST_ROWS}`,
  );
  if (rows.length === 0) return null;
  const last = await lastSeal(tx);
  const at = await tx.query<{ time: Date }>(`SELECT clock_timestamp()::timestamptz(3) AS time`);
  const rowHashes = rows.map(hashOfRow);
  const head = {
    id: (last?.id ?? 0) + 1,
    time: at.rows[0]!.time.getTime(),
    rowHashes,
    previous: last?.hash ?? NO_SEAL,
  };
  const hash = hashOfSeal(head);
  const ids = rows.map(({ id }) => id);
  await tx.query(
    `INSERT INTO audit_seal (id, time, row_ids, row_hashes, previous, hash, key_id, mac) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [head.id, new Date(head.time), ids, Buffer.concat(rowHashes), head.previous, hash, key.id, macOf(key, hash)],
  );
  await tx.query(`DELETE FROM audit_unsealed WHERE row_id = ANY ($1::bigint[])`, [ids]);
  return { id: head.id, rows: ids.length, keyBefore: last?.keyId ?? null };
}

/** Seals nothing on a record that isn't the one of the last anchor: it was cut, rewritten, or restored from a backup. */
async function assertAnchored(tx: Pick<PoolClient, "query">, anchorFile: string): Promise<void> {
  const anchor = readLastAnchor(anchorFile);
  if (anchor === null) return;
  const { rows } = await tx.query<{ hash: Buffer }>(`SELECT hash FROM audit_seal WHERE id = $1`, [anchor.seal]);
  if (rows[0]?.hash.toString("hex") === anchor.hash) return;
  throw new Error(
    `The record isn't the one that ${anchorFile} tells of: seal ${anchor.seal} of ${anchor.time} is ${rows[0] ? "another one" : "gone"}. ` +
      "See what npm run audit:verify says. After restoring a backup, move that file away: a new one is begun.",
  );
}
