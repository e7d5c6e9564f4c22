import { setTimeout as delay } from "node:timers/promises";
import { prepareFirstAccount } from "@/server/access/first-account";
import { ensureLocalKey } from "@/server/access/local-key";
import { composeEngines, type Engines, topicSettings } from "@/server/compose";
import type { Config } from "@/server/config/config";
import { databaseConnection, ownerConnection } from "@/server/postgres/connection";
import { folderError } from "@/server/postgres/embedded/data-folder";
import { ownerOf } from "@/server/postgres/embedded/owner";
import { DatabaseUnavailableError } from "@/server/postgres/client";
import { breakingMigrations } from "@/server/postgres/breaking-migrations";
import { migrate, pendingMigrations, readMigrations } from "@/server/postgres/migrate";
import { admitRuntimeRole } from "@/server/postgres/runtime-role";
import { errorCode, StartError } from "@/server/postgres/start-error";
import type { Logger } from "@/server/observability/logger";
import { UnavailableError } from "@/server/domain/unavailable";
import { explainEngines } from "./explain-engines";
import { type StartRecord, UNRECORDED } from "./start-record";

/** Codes of an engine that may be about to start, as when both are started by the same tool. */
const STARTING = new Set(["ECONNREFUSED", "ECONNRESET", "57P03"]);
const PATIENCE_MS = 10_000;

/**
 * Migrations, topics, document indexes and a way in: what every role relies on. Safe to run twice at once.
 * @param options.insist fail when Kafka or MongoDB is away. Otherwise start without it: /health says what is wrong, and
 *   the worker makes up for it when the engine is there.
 * @param options.record where the steps are written down; left out: nowhere.
 * @returns the secret of a link that makes the owner's account, as long as there is no account.
 * @throws what explain() can put into words.
 */
export async function prepareEngines(
  config: Config,
  logger: Logger,
  options: { insist: boolean; record?: StartRecord },
): Promise<string | null> {
  const { record = UNRECORDED } = options;
  const began = performance.now();
  const applied = await record.step("migrations", async () => {
    const owner = ownerConnection(config);
    const names = await patiently("PostgreSQL", () => migrate(owner), logger);
    await admitRuntimeRole(owner, databaseConnection(config));
    return names;
  });
  logger.info(`${migrated(applied)}${seconds(began)}`);
  warnOfBreaking(applied, logger);

  const engines = await composeEngines(config, "migrate", logger);
  const { names, inspection } = engines;
  const step = (
    name: string,
    engine: string,
    asked: Partial<Engines["inspection"]>,
    done: string,
    work: () => Promise<void>,
  ) =>
    record.step(name, async () => {
      const started = performance.now();
      try {
        await patiently(engine, work, logger);
        logger.info(`${done}${seconds(started)}`);
      } catch (error) {
        if (!(error instanceof UnavailableError)) throw error;
        const known = await explainEngines({ kafka: null, mongodb: null, ...asked });
        if (options.insist) throw known ?? error;
        const why = known?.why ?? error.message;
        record.warned(name, { what: `Started without ${engine}`, cause: why, fix: known?.fix ?? null });
        logger.warn(`starting without ${engine}: ${why} /health follows it, and says how to mend it`);
      }
    });
  try {
    await ensureLocalKey(engines.pool, config.dataDir).catch((error: unknown) => {
      throw folderError(config.dataDir, error);
    });
    const { ADMIN_EMAIL: email, ADMIN_PASSWORD_FILE: passwordFile } = config.access;
    const byProvider = config.provider.OIDC_ROLES.some(({ role, site }) => role === "admin" && site === null);
    const firstLink = await prepareFirstAccount(engines.pool, { email, passwordFile, byProvider });
    await Promise.all([
      step("topics", names.eventLog, { kafka: inspection.kafka }, "topics are there", async () => {
        for (const { topic, setting, wanted, found } of await engines.eventLog.ensureTopics(topicSettings(config))) {
          logger.warn(
            `topic ${topic} keeps its ${setting} ${found}; the configuration says ${wanted}, which is for new topics`,
          );
        }
      }),
      step("documents", names.documents, { mongodb: inspection.mongodb }, "document store is ready", () =>
        engines.prepareDocuments(),
      ),
    ]);
    return firstLink;
  } finally {
    await engines.close();
  }
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
  const pending = await patiently("PostgreSQL", () => pendingMigrations(databaseConnection(config)), logger);
  if (pending.length === 0) return;
  throw new StartError("The database isn't up to date", `It needs ${pending.join(", ")}.`, "`npm run migrate`");
}

async function patiently<T>(engine: string, work: () => Promise<T>, logger: Logger): Promise<T> {
  const deadline = performance.now() + PATIENCE_MS;
  for (let told = false; ; told = true) {
    try {
      return await work();
    } catch (error) {
      if (!mayBeStarting(error) || performance.now() > deadline) throw error;
      const why = errorCode(error) ?? (error as Error).message;
      if (!told) logger.warn(`${engine} doesn't answer yet (${why}); trying for ${PATIENCE_MS / 1000} s`);
      await delay(500);
    }
  }
}

function mayBeStarting(error: unknown): boolean {
  // An error of the driver without a code (no TLS there, no PostgreSQL there) is rather a wrong setting.
  if (error instanceof DatabaseUnavailableError) return false;
  return error instanceof UnavailableError || STARTING.has(errorCode(error) ?? "");
}

function seconds(since: number): string {
  return ` (${((performance.now() - since) / 1000).toFixed(1)} s)`;
}

/** After an upgrade: what processes of the version before, if any still run on this database, can't work with. */
function warnOfBreaking(names: readonly string[], logger: Logger): void {
  if (names.length === 0 || names.includes(readMigrations()[0]!.name)) return;
  const broken = breakingMigrations().filter(({ migration }) => names.includes(migration));
  if (broken.length === 0) return;
  const changes = broken.map((one) => one.changes).join("; ");
  logger.warn(`stop web, worker and simulator of the version before, if any run on this database: ${changes}`);
}

/** Names the migrations, unless a first start or a long step between versions makes a page of them. */
function migrated(names: readonly string[]): string {
  if (names.length === 0) return "database is up to date";
  return `database migrated: ${names.length > 3 ? `${names.length} steps, up to ${names.at(-1)}` : names.join(", ")}`;
}
