import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import type { Logger } from "@/server/observability/logger";
import { setRuntimeRole } from "../runtime-role";
import { StartError } from "../start-error";
import { locateBinaries } from "./binaries";
import { DATABASE, prepareCluster, runtimePassword } from "./cluster";
import { folderError, prepareDataFolder } from "./data-folder";
import { takeOwnership } from "./owner";
import { createPostmaster, freePort, type Postmaster, stopStale } from "./postmaster";
import { chooseLaunch } from "./privileges";
import { readPostmaster } from "./processes";
import { readState, removeState, writeState } from "./state";

/** Name of the role everything but migrations is done by. */
const RUNTIME_ROLE = "fieldwatch_app";

/** Interval of reading the server's own word on its state, in milliseconds. */
const STATE_CHECK_MS = 1000;

/** A PostgreSQL of our own, in a data folder, reachable from this machine only. */
export interface EmbeddedPostgres {
  /** As the runtime role, which can't change what tables there are. Stays the same when the server is restarted after a crash. */
  readonly connectionString: string;
  /** As the owner, for migrations. */
  readonly ownerConnectionString: string;
  /** True if the folder was made by this start. */
  readonly created: boolean;
  /** Process id of the server; changes when it is restarted. */
  pid(): number | undefined;
  /** Stops it cleanly; what isn't stopped within `timeoutMs` (6 s) is stopped at once and recovers at its next start. Lets go of the folder. */
  stop(timeoutMs?: number): Promise<void>;
  /** Tells it to stop at once, without waiting. */
  kill(): void;
}

export interface EmbeddedOptions {
  /** Absolute path of the data folder; made if it isn't there. */
  readonly dataDir: string;
  readonly logger: Logger;
  /** More server settings, `name=value`. */
  readonly settings?: readonly string[];
  /** Called once when the server died and could not be brought back. */
  readonly onFailure?: (error: unknown) => void;
}

/**
 * Starts PostgreSQL from its npm package in `<data folder>/postgres`, after stopping one that a killed Fieldwatch left
 * there. If it dies, however it dies, it is started again on the same port.
 * @throws StartError with the fix: folder in use, not writable, full, or the server can't start.
 */
export async function startEmbeddedPostgres(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const { dataDir, logger, settings = [] } = options;
  prepareDataFolder(dataDir);
  const release = takeOwnership(dataDir);
  try {
    const binaries = locateBinaries();
    const launch = chooseLaunch(binaries.postgres, dataDir);
    if (launch.mayReadAll)
      logger.warn(
        { dataDir },
        "PostgreSQL's own user can't reach the data folder or its programs below folders that only root may enter, so it may read all files; FIELDWATCH_DATA_DIR and an installation elsewhere mend that, and running as a normal user does",
      );
    const { folder, password, created } = await prepareCluster(dataDir, binaries, launch);
    await stopStale(folder, binaries);
    const port = await freePort(readState(dataDir)?.port);
    const connectionOf = (user: string, secret: string) =>
      `postgresql://${user}:${secret}@127.0.0.1:${port}/${DATABASE}`;
    const ownerConnectionString = connectionOf(DATABASE, password);
    const connectionString = connectionOf(RUNTIME_ROLE, runtimePassword(dataDir, launch.owner));
    const logFile = path.join(dataDir, "postgres.log");

    let stopping = false;
    let postmaster: Postmaster | undefined;
    const launchServer = async () => {
      const onLaunch = (launched: Postmaster) => (postmaster = launched);
      const unwanted = () => stopping;
      const ready = await createPostmaster({ binaries, launch, folder, port, settings, logFile, onLaunch, unwanted });
      writeState(dataDir, { connectionString, port, pid: ready.pid });
      const watch = setInterval(() => hastenStop(ready), STATE_CHECK_MS).unref();
      void ready.exited.then(() => {
        clearInterval(watch);
        if (!stopping) void recover();
      });
    };
    // Somebody's plain `kill` makes it refuse new connections until the old ones end, which they never do.
    const hastenStop = ({ pid, signal }: Postmaster) => {
      const found = readPostmaster(folder);
      if (!stopping && found?.pid === pid && found.stopping) signal("SIGINT");
    };
    const recover = async () => {
      logger.error("the embedded PostgreSQL died; starting it again");
      for (let attempt = 1; !stopping; attempt++) {
        try {
          await launchServer();
          logger.info("the embedded PostgreSQL is back");
          return;
        } catch (error) {
          if (stopping) return;
          if (attempt === 5) {
            options.onFailure?.(error);
            return;
          }
          await delay(attempt * 500);
        }
      }
    };

    // However this process ends, the server gets told; PostgreSQL finishes on its own.
    const onExit = () => postmaster?.signal("SIGINT");
    process.on("exit", onExit);
    await launchServer();
    const stop = async (timeoutMs?: number) => {
      stopping = true;
      await postmaster?.stop(timeoutMs);
      process.off("exit", onExit);
      removeState(dataDir);
      release();
    };
    try {
      await createDatabase(ownerConnectionString);
      await setRuntimeRole(ownerConnectionString, connectionString);
    } catch (error) {
      await stop();
      throw error;
    }
    let stopped: Promise<void> | undefined;
    return {
      connectionString,
      ownerConnectionString,
      created,
      pid: () => postmaster?.pid,
      stop: (timeoutMs) => (stopped ??= stop(timeoutMs)),
      kill() {
        stopping = true;
        postmaster?.signal("SIGQUIT");
      },
    };
  } catch (error) {
    release();
    throw error instanceof StartError ? error : folderError(dataDir, error);
  }
}

/** Makes the database the connection string names the server for, unless it is there. */
export async function createDatabase(connectionString: string): Promise<void> {
  const admin = new URL(connectionString);
  admin.pathname = "/postgres";
  const client = new pg.Client({ connectionString: admin.href });
  client.on("error", () => {}); // The query that fails says it.
  await client.connect();
  try {
    const { rowCount } = await client.query("SELECT FROM pg_database WHERE datname = $1", [DATABASE]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${DATABASE}`);
  } finally {
    await client.end();
  }
}
