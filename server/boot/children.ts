import { withinOr } from "@/server/async/timeout";
import { type ChildProcess, fork } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { StartError } from "@/server/postgres/start-error";
import type { Logger } from "@/server/observability/logger";
import { type Death, environmentAfter } from "@/server/config/launch";
import { EXIT_EXPLAINED, EXIT_TEMPORARY } from "./explain";
import { READY, STOP } from "./role";

/** A role kept running in a process of its own. */
export interface Child {
  readonly role: string;
  /** Resolves when it has started. @throws when it ended before, or took too long. */
  readonly ready: Promise<void>;
  /** Asks it to stop, kills it after `timeoutMs`, and resolves when it is gone. */
  stop(timeoutMs: number): Promise<void>;
  kill(): void;
  /** Tells it something, and again whatever is started in its place: only the last word counts. */
  tell(message: object): void;
}

export interface ChildOptions {
  readonly role: string;
  /** The program, dist/main.mjs, and the folder to run it in. */
  readonly program: string;
  readonly logger: Logger;
  /** Called once when the role can't be kept running. */
  readonly onFailure: (error: unknown) => void;
  /** Called with what it tells beside being ready. */
  readonly onMessage?: (message: unknown) => void;
}

const START_WITHIN_MS = 90_000;
/** A batch's messages die together: with room for two batches the worker's garbage collector copies few of them. */
const NODE_ARGS: Readonly<Record<string, readonly string[]>> = {
  worker: ["--max-semi-space-size=32"],
  // It holds little and for a moment, and memory matters more here than copying and collecting: what a flood leaves behind, buffers above all,
  // would else lie there until there are 64 MB of it.
  intake: ["--max-semi-space-size=4", "--heap-growing-percent=30"],
};
/** The time after its start in which a process that ends by itself ended quickly, in milliseconds. */
const QUICK_MS = 5_000;
/** The number of quick ends in a row after which a process would go on like that for ever. */
const MOST_QUICK_DEATHS = 5;

/** Starts a role. Once it was ready, a death is answered by a new start. */
export function startChild(options: ChildOptions): Child {
  const { role, logger, onFailure } = options;
  let stopping = false;
  let quickDeaths = 0;
  let told: object | null = null;
  let child = launch(options);

  const again = async ({ code, signal }: Ending, startedAt: number) => {
    if (stopping) return;
    if (code === EXIT_EXPLAINED) return onFailure(explained(role));
    // One that was killed from outside, or whose database is away, did nothing wrong.
    const blameless = signal === "SIGKILL" || signal === "SIGTERM" || code === EXIT_TEMPORARY;
    quickDeaths = !blameless && performance.now() - startedAt < QUICK_MS ? quickDeaths + 1 : 0;
    if (quickDeaths >= MOST_QUICK_DEATHS) return onFailure(crashLoop(role));
    const death = { at: Date.now(), how: signal ?? `code ${code}` };
    logger.error(`${role} ended (${signal ?? `code ${code}`}); starting it again`);
    await delay(code === EXIT_TEMPORARY ? 2000 : 250 * 2 ** quickDeaths, undefined, { ref: false });
    if (stopping) return;
    child = launch(options, death);
    watch(child);
    if (!(await isReady(child))) return void child.process.kill("SIGKILL");
    logger.info(`${role} is back`);
    say();
  };
  const say = () => {
    if (told !== null && child.process.connected) child.process.send(told, () => {});
  };
  const watch = (watched: Launched) => void watched.exited.then((ending) => again(ending, watched.startedAt));

  const firstStart = async () => {
    if (await isReady(child)) {
      say();
      return watch(child);
    }
    if (stopping) return;
    const { code, signal } = await end(child, 0);
    if (code === EXIT_EXPLAINED) throw explained(role);
    throw new StartError(
      `The ${role} process doesn't start`,
      signal === null
        ? `It ended with code ${code}; its log lines above say why.`
        : `It wasn't ready within ${START_WITHIN_MS / 1000} s, or was killed.`,
      "Try again: `LOG_LEVEL=debug npm start`. If it stays so, please report it with these lines.",
    );
  };
  return {
    role,
    ready: firstStart(),
    async stop(timeoutMs) {
      stopping = true;
      await end(child, timeoutMs);
    },
    kill() {
      stopping = true;
      child.process.kill("SIGKILL");
    },
    tell(message) {
      told = message;
      say();
    },
  };
}

interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

interface Launched {
  readonly process: ChildProcess;
  readonly startedAt: number;
  /** True when it said so, false when it ended before. */
  readonly ready: Promise<boolean>;
  readonly exited: Promise<Ending>;
}

function launch({ role, program, onMessage }: ChildOptions, death: Death | null = null): Launched {
  // A session of its own: Ctrl-C reaches the supervisor alone, which stops everything in order.
  const child = fork(program, [role], {
    ...{ detached: process.platform !== "win32", stdio: "inherit" as const },
    // One web only: nothing would take its place while it waits.
    env: { ...environmentAfter(death), STOP_DELAY_SECONDS: "0" },
    execArgv: [...process.execArgv, ...(NODE_ARGS[role] ?? [])],
  });
  const exited = new Promise<Ending>((resolve) => {
    child.once("exit", (code, signal) => resolve({ code, signal }));
    child.once("error", () => resolve({ code: 1, signal: null }));
  });
  const ready = new Promise<boolean>((resolve) => {
    child.on("message", (message) => {
      if (message === READY) resolve(true);
      else onMessage?.(message);
    });
    void exited.then(() => resolve(false));
  });
  return { process: child, startedAt: performance.now(), ready, exited };
}

function isReady({ ready }: Launched): Promise<boolean> {
  return withinOr(START_WITHIN_MS, ready, false);
}

async function end({ process: child, exited }: Launched, timeoutMs: number): Promise<Ending> {
  if (child.connected && timeoutMs > 0) child.send(STOP, () => {});
  if (timeoutMs > 0 && (await withinOr(timeoutMs, exited, null)) !== null) return exited;
  child.kill("SIGKILL");
  return exited;
}

function explained(role: string): Explained {
  return new Explained(`${role} has said why it can't run`);
}

/** The reason is on the screen already. */
export class Explained extends Error {
  override readonly name = "Explained";
}

function crashLoop(role: string): StartError {
  return new StartError(
    `The ${role} process keeps ending`,
    `It ended ${MOST_QUICK_DEATHS} times in a row within ${QUICK_MS / 1000} s of its start; its log lines above say why.`,
    "What was accepted is safe in the event log, and is handled when the cause is gone.\nPlease report it with these lines.",
  );
}
