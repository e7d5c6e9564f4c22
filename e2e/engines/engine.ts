import { spawn } from "node:child_process";
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { StartError } from "@/server/postgres/start-error";
import { isAlive, killNow, standsStill, treeOf } from "../processes";
import { until } from "../waiting";
import { createGuard } from "./guard";
import { awaitPrevious, recordProcess } from "./previous";

/** A log longer than this is put aside at the next start. */
const LOG_KEEP_BYTES = 16 * 1024 * 1024;

/** One engine as local processes that end with this process, however it ends. */
export interface Engine {
  /** Process id while it runs; changes with every start. @throws Error when it doesn't run. */
  readonly pid: number;
  /** Folder of its data and its log. */
  readonly dataDir: string;
  isRunning(): boolean;
  /** Resolves when the process that runs now ends, however that comes about. */
  readonly ended: Promise<void>;
  /** All it has logged. */
  log(): string;
  /** Starts it again on the same data and port, and waits until it answers. */
  start(): Promise<void>;
  /** Stops it cleanly; after 20 s by force. */
  stop(): Promise<void>;
  /** SIGKILL to all its processes; waits until they are gone. */
  kill(): Promise<void>;
  /** SIGSTOP: connections stay open, nothing answers once this has resolved. */
  suspend(): Promise<void>;
  /** SIGCONT. */
  resume(): void;
  /** Stops it and removes its data, if the folder was temporary. Without this a temporary folder goes when this process ends. */
  remove(): Promise<void>;
}

/** A process that was launched, ready or not. */
export interface Launched {
  readonly pid: number;
  /** Resolves when the process has ended. */
  readonly exited: Promise<void>;
}

export interface EngineOptions {
  readonly folder: EngineFolder;
  readonly stopSignal: "TERM" | "INT";
  readonly logFile: string;
  /** Launches the server, reports every process at once, and resolves when it answers. */
  readonly launch: (onLaunch: (launched: Launched) => void) => Promise<void>;
}

export interface EngineFolder {
  readonly dataDir: string;
  readonly temporary: boolean;
}

/** `dataDir`, or a new temporary folder. */
export function engineFolder(name: string, dataDir: string | undefined): EngineFolder {
  if (dataDir !== undefined) return { dataDir: path.resolve(dataDir), temporary: false };
  return { dataDir: mkdtempSync(path.join(tmpdir(), `fieldwatch-${name}-`)), temporary: true };
}

/** Gives the engine its ways to start and stop, and starts it; a failed start leaves nothing behind. */
export async function startEngine({ folder, stopSignal, logFile, launch }: EngineOptions): Promise<Engine> {
  const { dataDir, temporary } = folder;
  const guard = createGuard(stopSignal, temporary ? dataDir : undefined);
  let running: Launched | undefined;
  let suspended: readonly number[] = [];

  const needed = (): Launched => {
    if (!running) throw new Error(`The engine in ${dataDir} isn't running.`);
    return running;
  };
  const engine: Engine = {
    get pid() {
      return needed().pid;
    },
    dataDir,
    isRunning: () => running !== undefined,
    get ended() {
      return needed().exited;
    },
    log: () => readFileSync(logFile, "utf8"),
    async start() {
      if (running) throw new Error(`The engine in ${dataDir} runs already.`);
      await awaitPrevious(dataDir);
      try {
        await launch((launched) => {
          running = launched;
          guard.watch([launched.pid]);
          recordProcess(dataDir, launched.pid);
          void launched.exited.then(() => {
            if (running !== launched) return;
            running = undefined;
            suspended = [];
            guard.watch([]);
          });
        });
      } catch (error) {
        await engine.kill();
        throw error;
      }
    },
    async stop() {
      if (!running) return;
      engine.resume();
      const { pid, exited } = running;
      signal([pid], `SIG${stopSignal}`);
      const stopped = await Promise.race([exited.then(() => true), delay(20_000, false, { ref: false })]);
      if (!stopped) await engine.kill();
    },
    async kill() {
      if (!running) return;
      const { pid, exited } = running;
      const pids = treeOf(pid).map((one) => one.pid);
      killNow(pids);
      await exited;
      await until(() => !pids.some(isAlive), { timeoutMs: 10_000, what: "killed processes to be gone" });
    },
    async suspend() {
      const { pid } = needed();
      // The first one stopped can't start more.
      signal([pid], "SIGSTOP");
      suspended = treeOf(pid).map((one) => one.pid);
      guard.watch(suspended);
      signal(suspended, "SIGSTOP");
      await until(() => suspended.every(standsStill), { timeoutMs: 10_000, what: "the processes to stand still" });
    },
    resume() {
      signal(suspended, "SIGCONT");
      suspended = [];
      if (running) guard.watch([running.pid]);
    },
    async remove() {
      await engine.stop();
      if (temporary) rmSync(dataDir, { recursive: true, force: true, maxRetries: 5 });
      guard.end();
    },
  };
  try {
    await engine.start();
  } catch (error) {
    await engine.remove();
    throw error;
  }
  return engine;
}

/** Launches a program whose output goes to the end of a file. */
export function launchLogged(
  command: string,
  args: readonly string[],
  options: { readonly logFile: string; readonly env?: Readonly<Record<string, string>> },
): Launched {
  const { logFile } = options;
  if (existsSync(logFile) && statSync(logFile).size > LOG_KEEP_BYTES) renameSync(logFile, `${logFile}.old`);
  const log = openSync(logFile, "a", 0o600);
  // A session of its own: Ctrl-C must not stop the engine before those who use it.
  const child = spawn(command, args, {
    stdio: ["ignore", log, log],
    detached: true,
    env: { ...process.env, ...options.env },
  });
  closeSync(log);
  const exited = new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
    child.once("error", () => resolve());
  });
  return { pid: child.pid ?? 0, exited };
}

/**
 * Waits until `answers` is true.
 * @throws StartError with the end of the log when the process ends before, or after two minutes (a loaded machine takes its time).
 */
export async function untilAnswers(
  name: string,
  launched: Launched,
  logFile: string,
  answers: () => Promise<boolean>,
): Promise<void> {
  let ended = false;
  void launched.exited.then(() => (ended = true));
  const deadline = performance.now() + 120_000;
  while (!(await answers())) {
    if (!ended && performance.now() < deadline) {
      await delay(50);
      continue;
    }
    const lines = readFileSync(logFile, "utf8").trimEnd().split("\n");
    const errors = lines.filter((line) => /\b(ERROR|FATAL|Exception)\b/.test(line));
    throw new StartError(
      `${name} ${ended ? "ended while starting" : "doesn't answer two minutes after its start"}`,
      `From ${logFile}:\n${(errors.length > 0 ? errors : lines).slice(-8).join("\n")}`,
      "Fix what it says. If its data is broken, remove the folder of that file.",
    );
  }
}

function signal(pids: readonly number[], name: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, name);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  }
}
