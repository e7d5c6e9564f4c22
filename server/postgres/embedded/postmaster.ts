import { withinOr } from "@/server/async/timeout";
import { spawn, spawnSync } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync, renameSync, statfsSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { bareEnvironment } from "@/server/config/bare-environment";
import { StartError } from "../start-error";
import type { Binaries } from "./binaries";
import type { Launch } from "./privileges";
import { isAlive, isPostmasterOf, readPostmaster } from "./processes";

/** Small and durable: for one machine that also does other things. */
const SETTINGS = [
  "listen_addresses=127.0.0.1",
  "unix_socket_directories=",
  "max_connections=100",
  "shared_buffers=64MB",
  "fsync=on",
  // What a backup reads while everything runs.
  "wal_level=replica",
  "max_wal_senders=2",
  "max_replication_slots=2",
  "wal_compression=on",
  // While a job writes much, whoever sends would wait for each new file of the log to be filled with zeros, 30 ms and more.
  "wal_init_zero=off",
  // One step of such a job fills the 2 MB that it would be, and everybody waits for their being written.
  "wal_buffers=4MB",
  "max_wal_size=1GB",
  "random_page_cost=1.1",
  "jit=off",
  // Reads are done by the connection itself: no three idle processes for it.
  "io_method=sync",
  "max_logical_replication_workers=0",
  "autovacuum_naptime=20s",
  "timezone=UTC",
  "log_timezone=UTC",
  // Without the values of rows, such as e-mail addresses, that the details of an error tell.
  "log_error_verbosity=terse",
];

const LOG_KEEP_BYTES = 16 * 1024 * 1024;

/** One run of the server process. */
export interface Postmaster {
  readonly pid: number;
  /** Resolves when the process has ended. */
  readonly exited: Promise<void>;
  signal(signal: NodeJS.Signals): void;
  /** Fast, after `timeoutMs` (6 s) immediate (recovers at the next start), after 500 ms more by force. */
  stop(timeoutMs?: number): Promise<void>;
}

interface PostmasterOptions {
  readonly binaries: Binaries;
  readonly launch: Launch;
  readonly folder: string;
  readonly port: number;
  readonly settings: readonly string[];
  readonly logFile: string;
  /** Called with every process that is launched, before it is ready. */
  readonly onLaunch: (postmaster: Postmaster) => void;
  /** True when there is no use in trying again. */
  readonly unwanted: () => boolean;
}

/** Starts the server and waits until it takes connections. @throws StartError with the end of its log when it doesn't. */
export async function createPostmaster(options: PostmasterOptions): Promise<Postmaster> {
  // After a kill -9 the old server's processes hold on to its shared memory for a moment: then try for longer.
  const unclean = readPostmaster(options.folder) !== undefined;
  const deadline = performance.now() + (unclean ? 30_000 : 2_000);
  for (;;) {
    const postmaster = launchPostmaster(options);
    options.onLaunch(postmaster);
    if (await isReady(postmaster, options.folder)) return postmaster;
    if (options.unwanted() || performance.now() > deadline) throw startFailure(options);
    await delay(300);
  }
}

function launchPostmaster({ binaries, launch, folder, port, settings, logFile }: PostmasterOptions): Postmaster {
  if (existsSync(logFile) && statSync(logFile).size > LOG_KEEP_BYTES) renameSync(logFile, `${logFile}.old`);
  const args = ["-D", folder, "-p", String(port), ...[...SETTINGS, ...settings].flatMap((setting) => ["-c", setting])];
  const [command = binaries.postgres, ...rest] = [...launch.prefix, binaries.postgres, ...args];
  // Output goes to a file, not a pipe: the server must be able to log when this process is gone.
  const log = openSync(logFile, "a", 0o600);
  // A session of its own: Ctrl-C must not stop it before those who use it.
  const child = spawn(command, rest, {
    stdio: ["ignore", log, log],
    detached: true,
    windowsHide: true,
    env: bareEnvironment(),
  });
  closeSync(log);
  const exited = new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
    child.once("error", () => resolve());
  });
  const pid = child.pid ?? 0;
  const signal = (name: NodeJS.Signals) => {
    if (child.exitCode === null && child.signalCode === null && pid > 0) sendSignal(pid, name, binaries);
  };
  const endsWithin = (ms: number) =>
    withinOr(
      ms,
      exited.then(() => true),
      false,
    );
  return {
    pid,
    exited,
    signal,
    async stop(timeoutMs = 6000) {
      signal("SIGINT");
      if (await endsWithin(timeoutMs)) return;
      signal("SIGQUIT");
      if (await endsWithin(500)) return;
      signal("SIGKILL");
      await exited;
    },
  };
}

async function isReady(postmaster: Postmaster, folder: string): Promise<boolean> {
  let ended = false;
  void postmaster.exited.then(() => (ended = true));
  // Recovery after a crash may go through a gigabyte of log.
  const deadline = performance.now() + 300_000;
  while (!ended && performance.now() < deadline) {
    const found = readPostmaster(folder);
    if (found?.pid === postmaster.pid && found.ready) return true;
    await delay(25);
  }
  await postmaster.stop();
  return false;
}

/** Stops a server that a killed Fieldwatch left running in the folder. */
export async function stopStale(folder: string, binaries: Binaries): Promise<void> {
  const found = readPostmaster(folder);
  if (!found || !isPostmasterOf(found.pid, folder)) return;
  for (const [signal, ms] of [
    ["SIGINT", 8000],
    ["SIGQUIT", 3000],
    ["SIGKILL", 3000],
  ] as const) {
    sendSignal(found.pid, signal, binaries);
    const deadline = performance.now() + ms;
    while (isAlive(found.pid) && performance.now() < deadline) await delay(25);
    if (!isAlive(found.pid)) return;
  }
}

/** Signals a PostgreSQL process; on Windows, where only killing is built in, through its own tool. */
export function sendSignal(pid: number, signal: NodeJS.Signals, binaries?: Binaries): void {
  if (process.platform === "win32" && signal !== "SIGKILL" && binaries) {
    spawnSync(binaries.pgCtl, ["kill", signal.slice(3), String(pid)], { stdio: "ignore", windowsHide: true });
    return;
  }
  try {
    process.kill(pid, signal);
  } catch {
    // Gone already.
  }
}

/** `preferred` if it is free on loopback, else any free port. */
export async function freePort(preferred = 0): Promise<number> {
  const port = await new Promise<number | null>((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(null));
    server.listen(preferred, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : null));
    });
  });
  return port ?? freePort();
}

function startFailure({ folder, logFile }: PostmasterOptions): StartError {
  const { bavail, bsize } = statfsSync(folder);
  const lines = readFileSync(logFile, "utf8").trimEnd().split("\n").slice(-8).join("\n");
  const full = bavail * bsize < 32 * 1024 * 1024;
  return new StartError(
    full ? "The disk of the data folder is full" : "The embedded PostgreSQL doesn't start",
    `The end of ${logFile}:\n${lines}`,
    full
      ? "Free some space, or choose another disk: `FIELDWATCH_DATA_DIR=/path/to/folder npm start`"
      : "Fix what it says, choose another folder (`FIELDWATCH_DATA_DIR=/path/to/folder npm start`),\nor set DATABASE_URL to a PostgreSQL of your own.",
  );
}
