import { parseArgs } from "node:util";
import type { Pool } from "pg";
import type { Config } from "@/server/config/config";
import { isRole, type Role, ROLES } from "@/server/domain/access";
import { StartError } from "@/server/postgres/start-error";
import { connectDatabase } from "@/server/postgres/connection";
import { prismaIn } from "@/server/postgres/prisma";
import { withTransaction } from "@/server/postgres/transaction";
import type { Logger } from "@/server/observability/logger";
import { addDeed } from "./audit/deeds";
import { makeKey } from "./keys";
import { makeLink, ownerOf } from "./links";
import { SYSTEM } from "@/server/domain/access";

const DAY_MS = 86_400_000;

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

/** `npm run key -- --name N --role R [--days D]`: prints a new service key, and nothing else. */
export async function runKey(config: Config, logger: Logger, argv: string[]): Promise<void> {
  const { name, role, days } = readOptions(argv);
  await withPool(config, logger, async (pool) => {
    const text = await withTransaction(pool, async (tx) => {
      const expiresAt = days === null ? null : Date.now() + days * DAY_MS;
      const wanted = {
        kind: "service",
        name,
        device: null,
        networks: [],
        expiresAt,
        grants: [{ role, siteId: null }],
      } as const;
      const { key, text } = await makeKey(prismaIn(tx), wanted, "system");
      await addDeed(tx, SYSTEM, {
        verb: "makeAccessKey",
        target: key.id,
        outcome: "done",
        address: null,
        detail: { after: { name, role } },
      });
      return text;
    });
    process.stdout.write(`${text}\n`);
  });
}

function readOptions(argv: string[]): { name: string; role: Role; days: number | null } {
  const usage = (why: string) =>
    new StartError("No key was made", why, "`npm run -s key -- --name grafana --role viewer --days 90`");
  let values: { name?: string; role?: string; days?: string };
  try {
    values = parseArgs({
      args: argv,
      options: { name: { type: "string" }, role: { type: "string" }, days: { type: "string" } },
    }).values;
  } catch (error) {
    throw usage((error as Error).message);
  }
  const { name, role = "", days } = values;
  if (!name?.trim()) throw usage("--name says what the key is for.");
  if (!isRole(role)) throw usage(`--role is one of ${ROLES.join(", ")}.`);
  if (days !== undefined && !/^[1-9]\d{0,3}$/.test(days))
    throw usage("--days is a whole number from 1 to 9999; left out, the key never expires.");
  return { name: name.trim(), role, days: days === undefined ? null : Number(days) };
}

async function withPool(config: Config, logger: Logger, work: (pool: Pool) => Promise<void>): Promise<void> {
  const { pool } = connectDatabase(config, "command", logger);
  try {
    await work(pool);
  } finally {
    await pool.end();
  }
}
