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
import { signatureOf, SYSTEM } from "@/server/domain/access";
import { noSuchSite } from "@/server/domain/near-names";

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

/** How sites are found by name. */
interface SitesByName {
  /** The site of this name, or null. */
  find(tx: PoolClient, name: string): Promise<number | null>;
  /** As find, and adds one that isn't there. */
  ensure(tx: PoolClient, name: string): Promise<number>;
}

/** A mistyped name would be a site of its own, for which the key sees nothing. @throws StartError */
async function knownSite(tx: PoolClient, name: string, sites: SitesByName): Promise<number> {
  const id = await sites.find(tx, name);
  if (id !== null) return id;
  const { rows } = await tx.query<{ name: string }>("SELECT name FROM site");
  const said = noSuchSite(
    name,
    rows.map((row) => row.name),
  );
  throw new StartError("No key was made", said, "`--new-site` beside `--site` adds it");
}

/**
 * `npm run key -- --name N …`: prints a new key, and nothing else.
 * @throws StartError for a site that isn't there, unless --new-site says that it is to be added.
 */
export async function runKey(config: Config, logger: Logger, argv: string[], sites: SitesByName): Promise<void> {
  const { site, role, days, newSite, ...plain } = readKeyOptions(argv);
  await withPool(config, logger, async (pool) => {
    const text = await withTransaction(pool, async (tx) => {
      const siteId = site === null ? null : await (newSite ? sites.ensure(tx, site) : knownSite(tx, site, sites));
      const wanted = {
        ...plain,
        siteId: plain.kind === "service" ? null : siteId,
        grants: role === null ? [] : [{ role, siteId }],
        expiresAt: expiryOf(plain.kind, days, Date.now()),
      };
      const { key, text } = await makeKey(prismaIn(tx), wanted, signatureOf(SYSTEM));
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
