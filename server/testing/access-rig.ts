import { afterAll, beforeAll, beforeEach } from "vitest";
import { type Authenticator, createAuthenticator } from "@/server/access/authenticate";
import { makeKey, type WantedKey } from "@/server/access/keys";
import { beginSession } from "@/server/access/sessions";
import { type KeyKind, type Role, signatureOf, SYSTEM } from "@/server/domain/access";
import { prismaIn } from "@/server/postgres/prisma";
import { withTransaction } from "@/server/postgres/transaction";
import { freshDatabase, type TestDatabase } from "./database";

/** The names of cookies that {@link createAccessRig} takes. */
export const COOKIES = { secure: "__Host-fieldwatch", plain: "fieldwatch-1" };

/** A database with keys and sessions, and who tells callers by them, anew for each test. Call it once, at the top of a test file. */
export function createAccessRig() {
  let db: TestDatabase;
  let authenticator: Authenticator;
  beforeAll(async () => {
    db = await freshDatabase();
  });
  beforeEach(() => {
    authenticator = createAuthenticator(db.pool, COOKIES);
  });
  afterAll(() => db.drop());
  const shown = { cookie: null, authorization: null, address: "10.0.0.1", isHttps: false };

  return {
    shown,
    get db() {
      return db;
    },
    get authenticator() {
      return authenticator;
    },
    byKey: (text: string, more: object = {}, by = authenticator) =>
      by.callerOf({ ...shown, authorization: `Bearer ${text}`, ...more }),
    byCookie: (secret: string, more: object = {}, by = authenticator) =>
      by.callerOf({ ...shown, cookie: `other=1; fieldwatch-1=${secret}`, ...more }),

    async newKey(wanted: Partial<WantedKey> & { role?: Role } = {}) {
      const { role, ...rest } = wanted;
      const kind: KeyKind = rest.kind ?? "site";
      const grants = role ? [{ role, siteId: null }] : [];
      return withTransaction(db.pool, (tx) =>
        makeKey(
          prismaIn(tx),
          { kind, name: "line 7", device: null, networks: [], expiresAt: null, grants, ...rest },
          signatureOf(SYSTEM),
        ),
      );
    },

    async newSession(): Promise<{ secret: string; accountId: number }> {
      const { rows } = await db.pool.query<{ id: number }>(`INSERT INTO account (name) VALUES ('Ada') RETURNING id`);
      const accountId = rows[0]!.id;
      await db.pool.query(`INSERT INTO role_grant (account_id, role) VALUES ($1, 'editor')`, [accountId]);
      const secret = await withTransaction(db.pool, (tx) =>
        beginSession(tx, accountId, { address: null, agent: null }),
      );
      return { secret: secret!, accountId };
    },
  };
}

/** Why somebody is nobody; else who it is. */
export async function whyNobody(caller: ReturnType<Authenticator["callerOf"]>) {
  const found = await caller;
  return found.kind === "nobody" ? (found.why ?? "") : found;
}
