import type { Pool, PoolClient } from "pg";
import { type Caller, nameOf } from "@/server/domain/access";
import type { EpochMs } from "@/server/domain/terms";

/** One thing that was done, or that was not allowed. */
export interface Deed {
  readonly verb: string;
  /** What it was done to, as it is addressed; null for nothing in particular. */
  readonly target: string | null;
  readonly outcome: "tried" | "done" | "denied" | "failed";
  readonly address: string | null;
  /** What was there before and is there now, or what was asked for; without secrets. */
  readonly detail: object | null;
}

/** A row of the audit record. */
export interface AuditRow extends Deed {
  readonly id: number;
  readonly time: EpochMs;
  readonly actorKind: string;
  readonly actor: string;
}

/** Adds a row. In the transaction of the change: no row, no change. */
export async function addDeed(tx: Pool | PoolClient, caller: Caller, deed: Deed): Promise<void> {
  const actorId = caller.kind === "user" ? String(caller.accountId) : caller.kind === "key" ? caller.keyId : null;
  await tx.query(
    `INSERT INTO audit_row (actor_kind, actor_id, actor, verb, target, outcome, address, detail) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [caller.kind, actorId, nameOf(caller), deed.verb, deed.target, deed.outcome, deed.address, deed.detail],
  );
}

/** What to look for in the record; null for anything. */
export interface AuditSearch {
  readonly actor: string | null;
  readonly verb: string | null;
  readonly target: string | null;
  readonly outcome: string | null;
  /** Rows before this one; null for the newest. */
  readonly before: number | null;
  readonly limit: number;
}

/** Rows of the record, newest first. */
export async function listDeeds(tx: Pool | PoolClient, search: AuditSearch): Promise<AuditRow[]> {
  const { rows } = await tx.query<AuditRow>(
    `SELECT id, (extract(epoch FROM time) * 1000)::float8 AS time, actor_kind AS "actorKind", actor, verb, target, outcome, address, detail
     FROM audit_row
     WHERE ($1::text IS NULL OR actor = $1) AND ($2::text IS NULL OR verb = $2) AND ($3::text IS NULL OR strpos(target, $3) > 0)
       AND ($4::text IS NULL OR outcome = $4) AND ($5::bigint IS NULL OR id < $5)
     ORDER BY id DESC LIMIT $6`,
    [search.actor, search.verb, search.target, search.outcome, search.before, search.limit],
  );
  return rows;
}
