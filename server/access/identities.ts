import type { Pool, PoolClient } from "pg";
import type { Grant } from "@/server/domain/access";
import type { RoleRule } from "@/server/domain/provider-roles";
import type { Logout, Person } from "./provider";
import { hashOf } from "./secrets";

/** What came of letting somebody in whom the provider has named. */
export interface LetIn {
  readonly accountId: number;
  /** True if this is their first time here. */
  readonly isNew: boolean;
  /** Roles of before and now, where they differ; their other sessions have ended. */
  readonly roles: { readonly before: readonly Grant[]; readonly after: readonly Grant[] } | null;
}

/**
 * Finds the account of a person by issuer and subject, and by nothing else, or makes one. Their roles are what the rules make of
 * their groups from now on.
 */
export async function letIn(tx: PoolClient, person: Person, rules: readonly RoleRule[]): Promise<LetIn> {
  const { issuer, subject, name, groups } = person;
  // One at a time, or a first sign-in in two tabs would make two accounts, and two later ones mix their roles.
  await tx.query(`SELECT pg_advisory_xact_lock(hashtextextended($1, 0))`, [JSON.stringify([issuer, subject])]);
  const known = await tx.query<{ accountId: number }>(
    `SELECT account_id AS "accountId" FROM provider_identity WHERE issuer = $1 AND subject = $2`,
    [issuer, subject],
  );
  const accountId = known.rows[0]?.accountId ?? (await addPerson(tx, person));
  await tx.query(`UPDATE account SET name = $2 WHERE id = $1 AND name <> $2`, [accountId, name]);
  const { grants, missing } = await grantsOf(tx, groups, rules);
  await tx.query(`UPDATE provider_identity SET groups = $2, missing_sites = $3 WHERE account_id = $1`, [
    accountId,
    groups,
    missing,
  ]);
  return { accountId, isNew: known.rowCount === 0, roles: await setRoles(tx, accountId, grants) };
}

async function addPerson(tx: PoolClient, { issuer, subject, name }: Person): Promise<number> {
  const { rows } = await tx.query<{ id: number }>(`INSERT INTO account (name) VALUES ($1) RETURNING id`, [name]);
  const { id } = rows[0]!;
  await tx.query(`INSERT INTO provider_identity (issuer, subject, account_id) VALUES ($1, $2, $3)`, [
    issuer,
    subject,
    id,
  ]);
  return id;
}

/** What the rules give to these groups, and the sites they name that there aren't. */
async function grantsOf(
  tx: PoolClient,
  groups: readonly string[],
  rules: readonly RoleRule[],
): Promise<{ grants: Grant[]; missing: string[] }> {
  const fitting = rules.filter(({ group }) => groups.includes(group));
  const names = [...new Set(fitting.flatMap(({ site }) => site ?? []))];
  const { rows } = await tx.query<{ id: number; name: string }>(
    `SELECT s.id, n.name FROM unnest($1::text[]) AS n (name) JOIN site s ON s.name = site_now(n.name)`,
    [names],
  );
  const ids = new Map(rows.map(({ id, name }) => [name, id]));
  const grants = new Map<string, Grant>();
  for (const { role, site } of fitting) {
    const siteId = site === null ? null : ids.get(site);
    if (siteId !== undefined) grants.set(`${role} ${siteId}`, { role, siteId });
  }
  return { grants: [...grants.values()], missing: names.filter((name) => !ids.has(name)) };
}

/** Sets an account's roles. Whose roles change is signed out where they were signed in before. */
async function setRoles(tx: PoolClient, accountId: number, after: readonly Grant[]): Promise<LetIn["roles"]> {
  const { rows: before } = await tx.query<Grant>(
    `SELECT role, site_id AS "siteId" FROM role_grant WHERE account_id = $1 ORDER BY id`,
    [accountId],
  );
  const written = (grants: readonly Grant[]) => JSON.stringify(grants.map(({ role, siteId }) => [role, siteId]).sort());
  if (written(before) === written(after)) return null;
  await tx.query(`DELETE FROM role_grant WHERE account_id = $1`, [accountId]);
  await tx.query(
    `INSERT INTO role_grant (account_id, role, site_id) SELECT $1, * FROM unnest($2::text[], $3::integer[])`,
    [accountId, after.map(({ role }) => role), after.map(({ siteId }) => siteId)],
  );
  await tx.query(`DELETE FROM session WHERE account_id = $1`, [accountId]);
  return { before, after };
}

/** Ends what a notice of logout is about: the sessions of that one at the provider, or all of the person. @returns how many. */
export async function endProviderSessions(tx: PoolClient, { issuer, subject, session }: Logout): Promise<number> {
  const { rowCount } = await tx.query(
    `DELETE FROM session s WHERE ($3::text IS NULL OR (s.issuer = $1 AND s.provider_session = $3))
       AND ($2::text IS NULL OR s.account_id = (SELECT account_id FROM provider_identity WHERE issuer = $1 AND subject = $2))`,
    [issuer, subject, session],
  );
  return rowCount ?? 0;
}

/** Notes that something counts from now on as used. @returns false when it was before. */
export async function spend(tx: PoolClient, token: string, forMs: number): Promise<boolean> {
  await tx.query(
    `DELETE FROM spent_token WHERE hash IN (SELECT hash FROM spent_token WHERE expires_at < now() FOR UPDATE SKIP LOCKED)`,
  );
  const { rowCount } = await tx.query(
    `INSERT INTO spent_token (hash, expires_at) VALUES ($1, now() + make_interval(secs => $2)) ON CONFLICT DO NOTHING`,
    [hashOf(token), forMs / 1000],
  );
  return rowCount === 1;
}

/** What the provider said of an account at its latest sign-in; null for one it doesn't know. */
export async function findIdentity(
  tx: Pool | PoolClient,
  accountId: number,
): Promise<{ readonly groups: string[]; readonly missingSites: string[] } | null> {
  const { rows } = await tx.query<{ groups: string[]; missingSites: string[] }>(
    `SELECT groups, missing_sites AS "missingSites" FROM provider_identity WHERE account_id = $1`,
    [accountId],
  );
  return rows[0] ?? null;
}
