import { readFileSync } from "node:fs";
import type { Pool } from "pg";
import { StartError } from "@/server/postgres/start-error";
import { withTransaction } from "@/server/postgres/transaction";
import { SYSTEM } from "@/server/domain/access";
import { addDeed } from "./audit/deeds";
import { Personal } from "./audit/personal";
import { ADMINISTRATORS, lockFirstAccount, makeLink, ownerOf } from "./links";
import { hashPassword } from "./passwords";

/** Shortest password of an account. */
const SHORTEST = 12;

/** The first account as the configuration names it. */
export interface WantedAccount {
  readonly email: string | undefined;
  readonly passwordFile: string | undefined;
  /** True if the identity provider names administrators: whoever it does needs no link. */
  readonly byProvider: boolean;
}

/**
 * Sees to it that somebody can come in: as long as nobody may let others in, makes the account the configuration names, or a link
 * that makes the owner's.
 * @returns the link's secret, or null when none is needed.
 * @throws StartError for a password file that holds none.
 */
export async function prepareFirstAccount(pool: Pool, wanted: WantedAccount): Promise<string | null> {
  const { email, passwordFile, byProvider } = wanted;
  if ((await withTransaction(pool, ownerOf)) !== "none") return null;
  if (email === undefined || passwordFile === undefined)
    return byProvider ? null : withTransaction(pool, (tx) => makeLink(tx, null));
  const password = readFileSync(passwordFile, "utf8").replace(/\r?\n$/, "");
  if (password.length < SHORTEST)
    throw new StartError(
      "The first account can't be made",
      `ADMIN_PASSWORD_FILE names ${passwordFile}, whose password has fewer than ${SHORTEST} characters.`,
      "Write a longer one into that file.",
    );
  const hash = await hashPassword(password);
  await withTransaction(pool, async (tx) => {
    await lockFirstAccount(tx);
    const { rows } = await tx.query<{ id: number }>(
      `WITH made AS (INSERT INTO account (name, email, password) SELECT 'Owner', $1, $2 WHERE NOT EXISTS (${ADMINISTRATORS})
         ON CONFLICT DO NOTHING RETURNING id)
       INSERT INTO role_grant (account_id, role) SELECT id, 'admin' FROM made RETURNING account_id AS id`,
      [email, hash],
    );
    const id = rows[0]?.id;
    if (id === undefined) return;
    await addDeed(tx, SYSTEM, {
      ...{ verb: "addUser", target: String(id), outcome: "done", address: null },
      detail: { after: { name: "Owner", email: new Personal(email, id), role: "admin" } },
    });
  });
  return null;
}
