import type { Pool, PoolClient } from "pg";
import type { Config } from "@/server/config/config";
import { StartError } from "@/server/postgres/start-error";
import { connectDatabase } from "@/server/postgres/connection";
import { prismaIn } from "@/server/postgres/prisma";
import { withTransaction } from "@/server/postgres/transaction";
import type { Logger } from "@/server/observability/logger";
import { addDeed } from "./audit/deeds";
import { readKeyOptions } from "./key-options";
import { expiryOf, makeKey } from "./keys";
import { makeLink, ownerOf } from "./links";
import { SYSTEM } from "@/server/domain/access";

/**
 * `npm run sign-in-link`: prints a link that signs in once, as the owner or, before there is one, to become it.
 * @param address where the dashboard is, without a path.
 */
export async function runSignInLink(config: Config, logger: Logger, address: string): Promise<void> {
  await withPool(config, logger, async (pool) => {
    const secret = await withTransaction(pool, async (tx) => {
      const owner = await ownerOf(tx);
      if (owner === null)
        throw new StartError(
          "No link can be made",
          "Every administrator is disabled.",
          "Enable one in the table account of PostgreSQL: `UPDATE account SET disabled_at = NULL WHERE id = 1`",
        );
      const accountId = owner === "none" ? null : owner;
      await addDeed(tx, SYSTEM, {
        verb: "makeSignInLink",
        target: String(accountId ?? "owner"),
        outcome: "done",
        address: null,
        detail: null,
      });
      return makeLink(tx, accountId);
    });
    process.stdout.write(`${address}/sign-in#k=${secret}\n`);
  });
}

/**
 * `npm run key -- --name N …`: prints a new key, and nothing else.
 * @param ensureSite finds a site by its name, or adds it.
 */
export async function runKey(
  config: Config,
  logger: Logger,
  argv: string[],
  ensureSite: (tx: PoolClient, name: string) => Promise<number>,
): Promise<void> {
  const { site, role, days, ...plain } = readKeyOptions(argv);
  await withPool(config, logger, async (pool) => {
    const text = await withTransaction(pool, async (tx) => {
      const siteId = site === null ? null : await ensureSite(tx, site);
      const wanted = {
        ...plain,
        siteId: plain.kind === "service" ? null : siteId,
        grants: role === null ? [] : [{ role, siteId }],
        expiresAt: expiryOf(plain.kind, days, Date.now()),
      };
      const { key, text } = await makeKey(prismaIn(tx), wanted, "system");
      const detail = { after: { ...plain, role, site, expiresAt: wanted.expiresAt } };
      await addDeed(tx, SYSTEM, { verb: "makeAccessKey", target: key.id, outcome: "done", address: null, detail });
      return text;
    });
    process.stdout.write(`${text}\n`);
  });
}

async function withPool(config: Config, logger: Logger, work: (pool: Pool) => Promise<void>): Promise<void> {
  const { pool } = connectDatabase(config, "command", logger);
  try {
    await work(pool);
  } finally {
    await pool.end();
  }
}
