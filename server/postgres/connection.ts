import { hostname } from "node:os";
import pg from "pg";
import type { Config } from "@/server/config/config";
import { currentSecret } from "@/server/config/secret-files";
import type { Logger } from "@/server/observability/logger";
import { type ConnectionString, connectionStringOf, DatabasePool } from "./client";
import { DATABASE, readOwnerPassword } from "./embedded/cluster";
import { lookAtDataFolder } from "./embedded/data-folder";
import { readEmbeddedConnection } from "./embedded/state";
import { errorCode, StartError } from "./start-error";

/** A PostgreSQL's address and a pool on it. Connects at first use. */
export interface Database {
  readonly pool: pg.Pool;
  readonly connectionString: ConnectionString;
}

/**
 * Opens a pool to DATABASE_URL, or to the embedded PostgreSQL that a running `npm start` keeps in the data folder.
 * Outages are logged once; whoever runs a query gets the error.
 * @throws StartError when neither is there.
 */
export function connectDatabase(config: Config, role: string, logger: Logger): Database {
  const connectionString = databaseConnection(config);
  return {
    connectionString,
    pool: createPool(connectionString, {
      ...{ role, logger, size: config.engines.DATABASE_POOL_SIZE },
      // Others migrate, which may take as long as it must.
      ...(BOUNDED_ROLES.has(role) && { statementMs: ANSWER_MS + 1000 }),
    }),
  };
}

/** How to connect to the PostgreSQL of DATABASE_URL or the running embedded one. @throws StartError when there is neither. */
export function databaseConnection(config: Config): ConnectionString {
  const { DATABASE_URL: url } = config.engines;
  if (url !== undefined) return fresh(config, "DATABASE_URL", url);
  const connectionString = readEmbeddedConnection(config.dataDir);
  if (connectionString !== undefined) return connectionString;
  lookAtDataFolder(config.dataDir);
  throw new StartError(
    "There is no PostgreSQL to work with",
    `DATABASE_URL isn't set, and no Fieldwatch is running on the data folder ${config.dataDir}.`,
    "Start everything with `npm start`, and this role beside it,\nor set DATABASE_URL to a PostgreSQL 15 or later.",
  );
}

/** How to connect as the owner of the tables, by whom migrations are done. @throws StartError when there is no PostgreSQL. */
export function ownerConnection(config: Config): ConnectionString {
  const { MIGRATION_DATABASE_URL: owner, DATABASE_URL } = config.engines;
  if (DATABASE_URL !== undefined)
    return owner === undefined ? databaseConnection(config) : fresh(config, "MIGRATION_DATABASE_URL", owner);
  const url = new URL(connectionStringOf(databaseConnection(config)));
  return Object.assign(url, { username: DATABASE, password: readOwnerPassword(config.dataDir) }).href;
}

function fresh({ secretFiles }: Config, variable: string, loaded: string): ConnectionString {
  return variable in secretFiles ? () => currentSecret(secretFiles, variable, loaded) ?? loaded : loaded;
}

/** A time longer than any statement here should take: a connection that hangs without breaking counts as lost after it. */
const ANSWER_MS = 30_000;

/** What comes each minute finds its connection again: a new one costs PostgreSQL more than a batch does. */
const IDLE_MS = 90_000;

/** Bounds waiting for a lock that is held by someone who went away: that becomes an error, which is retried. */
const LOCK_MS = 20_000;

/** Roles whose statements the server itself ends, a moment after nobody here waits for them any more. */
const BOUNDED_ROLES: ReadonlySet<string> = new Set(["web", "worker", "intake"]);

/**
 * A pool whose connections survive outages, name their owner in pg_stat_activity, and read int8 as a number.
 * @param options.statementMs the server ends a statement that takes longer, in milliseconds; left out: it doesn't.
 * @param options.answerMs a connection that gives no answer for longer counts as lost; left out: 30 s.
 * @param options.prepares its connections prepare every statement, which must then be few.
 */
export function createPool(
  connectionString: ConnectionString,
  options: { role: string; logger: Logger; size: number; statementMs?: number; answerMs?: number; prepares?: boolean },
): pg.Pool {
  const { role, logger, size, statementMs, answerMs = ANSWER_MS, prepares = false } = options;
  const pool = new DatabasePool({
    connectionString,
    max: size,
    application_name: `fieldwatch ${role} ${hostname()}:${process.pid}`,
    types: TYPES,
    connectionTimeoutMillis: 10_000,
    idleTimeoutMillis: IDLE_MS,
    query_timeout: answerMs,
    lock_timeout: LOCK_MS,
    prepares,
    ...(statementMs !== undefined && { statement_timeout: statementMs }),
    keepAlive: true,
  });
  let lastLogged = -Infinity;
  // An error on a connection that nobody listens to would end the process. One outage breaks all of them: one line.
  const lost = (error: Error) => {
    if (performance.now() - lastLogged < 1000) return;
    lastLogged = performance.now();
    logger.warn({ code: errorCode(error), why: error.message }, "lost a connection to PostgreSQL");
  };
  pool.on("connect", (client) => void client.on("error", lost));
  pool.on("error", () => {}); // The client's own listener has said it.
  return pool;
}

const INT8 = 20;
const INT8_ARRAY = 1016;

const parserOf = pg.types.getTypeParser as (oid: number, format?: "text" | "binary") => (value: string) => unknown;

/** int8 as a number (offsets and counts stay far below 2^53); everything else as pg does. */
const TYPES: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: "text" | "binary") => {
    if (format === "binary") return parserOf(oid, format);
    if (oid === INT8) return Number;
    if (oid !== INT8_ARRAY) return parserOf(oid, format);
    const parse = parserOf(INT8_ARRAY) as (text: string) => unknown[];
    return (text: string) => parse(text).map((value) => (value === null ? null : Number(value)));
  }) as pg.CustomTypesConfig["getTypeParser"],
};
