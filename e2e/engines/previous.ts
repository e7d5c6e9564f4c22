import { readFileSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { isAlive, startedAt } from "@/server/postgres/embedded/processes";
import { StartError } from "@/server/postgres/start-error";

interface Recorded {
  readonly pid: number;
  /** Tells the process from another one that got the same id later. */
  readonly started?: string | undefined;
}

const fileOf = (dataDir: string) => path.join(dataDir, "engine.json");

/** Notes in the data folder which process runs on it. */
export function recordProcess(dataDir: string, pid: number): void {
  const file = fileOf(dataDir);
  writeFileSync(`${file}.new`, JSON.stringify({ pid, started: startedAt(pid) } satisfies Recorded));
  renameSync(`${file}.new`, file);
}

/**
 * Waits for the end of the process that runs on the data folder: when its starter was killed, its guard is just stopping it.
 * @throws StartError when it still runs after 15 s: somebody uses it.
 */
export async function awaitPrevious(dataDir: string): Promise<void> {
  const deadline = performance.now() + 15_000;
  for (;;) {
    const previous = read(dataDir);
    if (!previous || !isAlive(previous.pid) || startedAt(previous.pid) !== previous.started) return;
    if (performance.now() > deadline)
      throw new StartError(
        "Another engine runs on this folder",
        `Process ${previous.pid} uses ${dataDir}.`,
        `Stop what started it, or it: kill ${previous.pid}`,
      );
    await delay(100);
  }
}

function read(dataDir: string): Recorded | undefined {
  try {
    return JSON.parse(readFileSync(fileOf(dataDir), "utf8")) as Recorded;
  } catch {
    return undefined; // There is none, or a full disk cut it short.
  }
}
