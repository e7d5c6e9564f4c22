import path from "node:path";
import { locateBinaries } from "@/server/postgres/embedded/binaries";
import { DATABASE, prepareCluster } from "@/server/postgres/embedded/cluster";
import { prepareDataFolder } from "@/server/postgres/embedded/data-folder";
import { createDatabase } from "@/server/postgres/embedded/embedded-postgres";
import { createPostmaster } from "@/server/postgres/embedded/postmaster";
import { chooseLaunch } from "@/server/postgres/embedded/privileges";
import { StartError } from "@/server/postgres/start-error";
import { type Engine, engineFolder, startEngine } from "./engine";
import { freePort } from "./ports";

/** PostgreSQL with its default settings, not as small as the embedded one. */
const SETTINGS = ["wal_level=replica", "max_wal_senders=10", "shared_buffers=128MB", "autovacuum_naptime=1min"];

/** A plain PostgreSQL, durable, over TCP with a password; nothing starts it again when it dies. */
export interface PostgresServer extends Engine {
  /** postgresql:// with user, password and the database `fieldwatch`; stays the same over stop and start. */
  readonly url: string;
}

export interface PostgresOptions {
  /** Kept after the end. Not given: a temporary folder. */
  readonly dataDir?: string;
  /** A free port if left out. */
  readonly port?: number;
  /** More server settings, `name=value`. */
  readonly settings?: readonly string[];
}

/** Starts PostgreSQL and waits until it answers. @throws StartError when it doesn't start. */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const port = options.port ?? (await freePort());
  const folder = engineFolder("postgres", options.dataDir);
  prepareDataFolder(folder.dataDir);
  const binaries = locateBinaries();
  const launch = chooseLaunch(binaries.postgres, folder.dataDir);
  const logFile = path.join(folder.dataDir, "postgres.log");
  const settings = [...SETTINGS, ...(options.settings ?? [])];
  let url = "";
  const engine = await startEngine({
    folder,
    stopSignal: "INT",
    logFile,
    async launch(onLaunch) {
      const cluster = await prepareCluster(folder.dataDir, binaries, launch);
      url = `postgresql://${DATABASE}:${cluster.password}@127.0.0.1:${port}/${DATABASE}`;
      await createPostmaster({
        ...{ binaries, launch, folder: cluster.folder, port, settings, logFile, onLaunch },
        unwanted: () => false,
      }).catch((error: unknown) => {
        if (!(error instanceof StartError)) throw error;
        throw new StartError("PostgreSQL doesn't start", error.why, "Fix what it says.", { cause: error });
      });
      await createDatabase(url);
    },
  });
  return Object.assign(Object.create(engine) as Engine, { url });
}
