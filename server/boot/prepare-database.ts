import { setTimeout as delay } from "node:timers/promises";
import { composeEngines, topicSettings } from "@/server/compose";
import type { Config } from "@/server/config/config";
import { databaseConnection } from "@/server/database/connection";
import { ownerOf } from "@/server/database/embedded/owner";
import { migrate, pendingMigrations } from "@/server/database/migrate";
import { errorCode, StartError } from "@/server/database/start-error";
import type { Logger } from "@/server/observability/logger";

/** Codes of a PostgreSQL that may be about to start, as when both are started by the same tool. */
const STARTING = new Set(["ECONNREFUSED", "ECONNRESET", "57P03"]);
const PATIENCE_MS = 10_000;

/** Migrations, then topics: what every role relies on. Safe to run twice at once. @throws what explain() can put into words. */
export async function prepareDatabase(config: Config, logger: Logger): Promise<void> {
  const began = performance.now();
  const applied = await patiently(() => migrate(databaseConnection(config)), logger);
  logger.info(
    `${applied.length === 0 ? "database is up to date" : `database migrated: ${applied.join(", ")}`}${seconds(began)}`,
  );

  const started = performance.now();
  const engines = composeEngines(config, "migrate", logger);
  try {
    for (const { topic, setting, wanted, found } of await engines.eventLog.ensureTopics(topicSettings(config))) {
      logger.warn(
        `topic ${topic} keeps its ${setting} ${found}; the configuration says ${wanted}, which is for new topics`,
      );
    }
  } finally {
    await engines.close();
  }
  logger.info(`topics are there${seconds(started)}`);
}

/** For a role that runs by itself: checks that there is a database, and that it is up to date. @throws what explain() can put into words. */
export async function checkDatabase(config: Config, logger: Logger): Promise<void> {
  const embedded = config.engines.DATABASE_URL === undefined;
  if (embedded && ownerOf(config.dataDir) === undefined) {
    throw new StartError(
      "There is no PostgreSQL to work with",
      `DATABASE_URL isn't set, and no Fieldwatch is running on the data folder ${config.dataDir}.`,
      "Start everything with `npm start`, and this role beside it,\nor set DATABASE_URL to a PostgreSQL 15 or later.",
    );
  }
  const pending = await patiently(() => pendingMigrations(databaseConnection(config)), logger);
  if (pending.length === 0) return;
  throw new StartError("The database isn't up to date", `It needs ${pending.join(", ")}.`, "npm run migrate");
}

async function patiently<T>(work: () => Promise<T>, logger: Logger): Promise<T> {
  const deadline = performance.now() + PATIENCE_MS;
  for (let told = false; ; told = true) {
    try {
      return await work();
    } catch (error) {
      if (!STARTING.has(errorCode(error) ?? "") || performance.now() > deadline) throw error;
      if (!told) logger.warn(`PostgreSQL doesn't answer yet (${errorCode(error)}); trying for ${PATIENCE_MS / 1000} s`);
      await delay(500);
    }
  }
}

function seconds(since: number): string {
  return ` (${((performance.now() - since) / 1000).toFixed(1)} s)`;
}
