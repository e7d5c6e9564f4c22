import { randomUUID } from "node:crypto";
import type { Pool, PoolClient } from "pg";
import type { Caller, Grant } from "@/server/domain/access";
import type { EpochMs } from "@/server/domain/terms";
import { hashOf, newSecret } from "./secrets";

/** A session ends when it was not used for so long, and in any case after so long. */
const IDLE = "12 hours";
const LONGEST = "14 days";

/** Where a sign-in came from, for the list that its person sees. */
export interface Origin {
  readonly address: string | null;
  readonly agent: string | null;
}

/** One session as its person sees it. */
export interface SessionRow extends Origin {
  readonly id: string;
  readonly createdAt: EpochMs;
  readonly lastUsedAt: EpochMs;
  readonly endsAt: EpochMs;
}

/** How somebody has signed in. */
export interface SignedIn {
  /** The account's password as it was kept when the given one was compared with it. */
  readonly password?: string | null;
  /** By an identity provider: which, its own session, and when it saw proof of who it is (null: it doesn't say). */
  readonly provider?: { readonly issuer: string; readonly session: string | null; readonly provenAt: EpochMs | null };
  /** What the browser's cookie held before: that session ends. */
  readonly instead?: string | null;
}

/**
 * Begins a session, and takes away the browser's one of before and those that have ended.
 * @returns what the cookie holds; only its hash is kept. null for an account that is disabled, or was given another password
 * since then.
 */
export async function beginSession(
  tx: PoolClient,
  accountId: number,
  origin: Origin,
  { password, provider, instead = null }: SignedIn = {},
): Promise<string | null> {
  // Who disables it or changes the password waits for this, and then ends this session too.
  const { rowCount } = await tx.query(
    `SELECT FROM account WHERE id = $1 AND disabled_at IS NULL AND ($3 OR password IS NOT DISTINCT FROM $2) FOR SHARE`,
    [accountId, password ?? null, password === undefined],
  );
  if (rowCount === 0) return null;
  const secret = newSecret();
  await tx.query(
    `DELETE FROM session WHERE ends_at < now() OR last_used_at < now() - $1::interval OR secret_hash = $2`,
    [IDLE, instead === null ? null : hashOf(instead)],
  );
  await tx.query(
    `INSERT INTO session (id, secret_hash, account_id, ends_at, address, agent, proven_at, issuer, provider_session)
     VALUES ($1, $2, $3, now() + $4::interval, $5, $6, least(now(), to_timestamp($7::float8 / 1000)), $8, $9)`,
    [
      ...[randomUUID(), hashOf(secret), accountId, LONGEST, origin.address, origin.agent?.slice(0, 200) ?? null],
      // A session of no provider is proven now, as least() leaves NULL out; whose provider doesn't say when has proven nothing.
      ...(provider ? [provider.provenAt ?? 0, provider.issuer, provider.session] : [null, null, null]),
    ],
  );
  return secret;
}

/** A session that has not ended. */
interface Session {
  readonly caller: Extract<Caller, { kind: "user" }>;
  /** How long it lasts, used or not, in milliseconds. */
  readonly lastsMs: number;
}

interface SessionOfAccount {
  readonly hash: Buffer;
  readonly id: string;
  readonly accountId: number;
  readonly name: string;
  readonly provenMsAgo: number;
  readonly used: boolean;
  readonly lastsMs: number;
  readonly grants: Grant[];
}

/** Who these cookies stand for, in their order; null for what is unknown or ended. Notes once a minute that they are used. */
export async function findSessions(
  pool: Pool | PoolClient,
  secrets: readonly string[],
): Promise<readonly (Session | null)[]> {
  const hashes = secrets.map(hashOf);
  const { rows } = await pool.query<SessionOfAccount>(
    `SELECT s.secret_hash AS hash, s.id, s.account_id AS "accountId", a.name, (extract(epoch FROM now() - s.proven_at) * 1000)::float8 AS "provenMsAgo", s.last_used_at > now() - interval '1 minute' AS used,
       (extract(epoch FROM s.ends_at - now()) * 1000)::float8 AS "lastsMs",
       coalesce((SELECT json_agg(json_build_object('role', g.role, 'siteId', g.site_id)) FROM role_grant g WHERE g.account_id = a.id), '[]') AS grants
     FROM session s JOIN account a ON a.id = s.account_id
     WHERE s.secret_hash = ANY($1) AND s.ends_at > now() AND s.last_used_at > now() - $2::interval AND a.disabled_at IS NULL`,
    [hashes, IDLE],
  );
  const unused = rows.filter(({ used }) => !used).map(({ id }) => id);
  if (unused.length > 0) {
    await pool.query(
      `UPDATE session SET last_used_at = now() WHERE id IN (SELECT id FROM session WHERE id = ANY($1) FOR UPDATE SKIP LOCKED)`,
      [unused],
    );
  }
  const byHash = new Map(rows.map((row) => [row.hash.toString("base64"), row]));
  return hashes.map((hash) => {
    const row = byHash.get(hash.toString("base64"));
    if (row === undefined) return null;
    const { id, accountId, name, provenMsAgo, grants, lastsMs } = row;
    // By our clock, which it is compared with.
    const caller = {
      kind: "user",
      accountId,
      name,
      sessionId: id,
      provenAt: Date.now() - provenMsAgo,
      grants,
    } as const;
    return { caller, lastsMs };
  });
}

/** The sessions of an account that have not ended, latest used first. */
export async function listSessions(tx: Pool | PoolClient, accountId: number): Promise<SessionRow[]> {
  const at = (column: string) => `(extract(epoch FROM ${column}) * 1000)::float8`;
  const { rows } = await tx.query<SessionRow>(
    `SELECT id, address, agent, ${at("created_at")} AS "createdAt", ${at("last_used_at")} AS "lastUsedAt", ${at("ends_at")} AS "endsAt"
     FROM session WHERE account_id = $1 AND ends_at > now() AND last_used_at > now() - $2::interval ORDER BY last_used_at DESC, id`,
    [accountId, IDLE],
  );
  return rows;
}

/** Ends sessions of an account: one, or all. @returns how many. */
export async function endSessions(tx: PoolClient, accountId: number, id: string | "all"): Promise<number> {
  const { rowCount } = await tx.query(`DELETE FROM session WHERE account_id = $1 AND ($2 = 'all' OR id::text = $2)`, [
    accountId,
    id,
  ]);
  return rowCount ?? 0;
}

/** Where a session's person has signed in; null for here, by a link or a password. */
export async function issuerOfSession(tx: Pool | PoolClient, id: string): Promise<string | null> {
  const { rows } = await tx.query<{ issuer: string | null }>(`SELECT issuer FROM session WHERE id = $1`, [id]);
  return rows[0]?.issuer ?? null;
}
