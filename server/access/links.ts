import type { PoolClient } from "pg";
import { SYSTEM } from "@/server/domain/access";
import { addDeed } from "./audit/deeds";
import { hashOf, isSecret, newSecret } from "./secrets";

/** Those who could let others in, if they aren't disabled. */
export const ADMINISTRATORS = `SELECT FROM role_grant WHERE account_id IS NOT NULL AND role = 'admin' AND site_id IS NULL`;

/** Lets one at a time, until the end of its transaction, see that there is no account and make the first. */
export async function lockFirstAccount(tx: PoolClient): Promise<void> {
  await tx.query(`SELECT pg_advisory_xact_lock(hashtext('fieldwatch first account'))`);
}

/**
 * Makes a link that signs in once, within the hour: to the account, or for null to the first account that is made by it.
 * Earlier links of the same kind end.
 * @returns the secret that goes behind `#k=`, where no log and no Referer has it; only its hash is kept.
 */
export async function makeLink(tx: PoolClient, accountId: number | null): Promise<string> {
  const secret = newSecret();
  await tx.query(`DELETE FROM sign_in_link WHERE account_id IS NOT DISTINCT FROM $1 OR expires_at < now()`, [
    accountId,
  ]);
  await tx.query(
    `INSERT INTO sign_in_link (secret_hash, account_id, expires_at) VALUES ($1, $2, now() + interval '1 hour')`,
    [hashOf(secret), accountId],
  );
  return secret;
}

/**
 * Takes a link, which can't be taken again. The first one of all makes the owner's account, with every right: as long as nobody
 * has had them, whoever else is known from the identity provider.
 * @returns the account it signs in to, or null when it is unknown, used, too old, or others came first.
 */
export async function takeLink(tx: PoolClient, secret: string): Promise<number | null> {
  if (!isSecret(secret)) return null;
  const { rows } = await tx.query<{ accountId: number | null }>(
    `DELETE FROM sign_in_link l WHERE secret_hash = $1 AND expires_at > now()
       AND NOT EXISTS (SELECT FROM account a WHERE a.id = l.account_id AND a.disabled_at IS NOT NULL)
     RETURNING account_id AS "accountId"`,
    [hashOf(secret)],
  );
  const [link] = rows;
  if (link === undefined) return null;
  if (link.accountId !== null) return link.accountId;
  await lockFirstAccount(tx);
  const made = await tx.query<{ id: number }>(
    `INSERT INTO account (name) SELECT 'Owner' WHERE NOT EXISTS (${ADMINISTRATORS}) RETURNING id`,
  );
  const id = made.rows[0]?.id ?? null;
  if (id === null) return null;
  await tx.query(`INSERT INTO role_grant (account_id, role) VALUES ($1, 'admin')`, [id]);
  await addDeed(tx, SYSTEM, {
    ...{ verb: "addUser", target: String(id), outcome: "done", address: null },
    detail: { after: { name: "Owner", role: "admin" } },
  });
  return id;
}

/** The account a recovery link is for: the oldest that may let others in. "none" as long as nobody has that right. */
export async function ownerOf(tx: PoolClient): Promise<number | null | "none"> {
  const { rows } = await tx.query<{ id: number | null; some: boolean }>(
    `SELECT (SELECT min(a.id) FROM account a JOIN role_grant g ON g.account_id = a.id
             WHERE g.role = 'admin' AND g.site_id IS NULL AND a.disabled_at IS NULL) AS id,
       EXISTS (${ADMINISTRATORS}) AS some`,
  );
  const { id, some } = rows[0]!;
  return some ? id : "none";
}
