import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import path from "node:path";
import { pause, until } from "../waiting";
import { type Drill, readOptions, runDrills } from "./drill";
import { type Proxy, startProxy } from "./proxy";
import { now, recovered } from "./recovery";
import { settle, type SimulatorOptions, startSimulator } from "./simulator";
import type { Stage } from "./stage";

/** Runs a command with a small file system of its own on a folder, seen by nobody else, gone when it ends. */
const SMALL_DISK = 'mount -t tmpfs -o size="$1" tmpfs "$2" && shift 2 && exec "$@"';
const DISK = "640k";

/**
 * Web can't be reached, and the simulator's outbox fills: first up to OUTBOX_MAX_BYTES, then until its disk is full. It goes on, says what it
 * drops and how many, and delivers the rest: whatever is missing between the first and the last message was dropped and counted.
 */
export const outboxFull: Drill = {
  name: "outbox-full",
  stage: "plain",
  async run(stage, { short, say }) {
    const proxy = await startProxy();
    proxy.aim(Number(new URL(stage.product.url).port));
    const base = { url: `http://127.0.0.1:${proxy.port}`, intervalMs: 200 };
    const recoveries: number[] = [];
    const wrong: string[] = [];
    try {
      const bound = {
        ...base,
        ...{ dataDir: path.join(stage.folder, "bound"), devices: 40, seed: 21 },
        env: { OUTBOX_MAX_BYTES: "65536" },
      };
      recoveries.push(await fill(stage, proxy, bound, "OUTBOX_MAX_BYTES", short ? 4 : 20, say, wrong));

      const dataDir = path.join(stage.folder, "disk");
      mkdirSync(dataDir);
      const under = ["unshare", "--map-root-user", "--mount", "sh", "-c", SMALL_DISK, "sh", DISK, dataDir];
      const [command = "", ...args] = [...under, "true"];
      if (spawnSync(command, args).status === 0) {
        const disk = { ...base, dataDir, devices: 100, seed: 22, under };
        recoveries.push(await fill(stage, proxy, disk, `a disk of ${DISK}`, short ? 10 : 30, say, wrong));
      } else say("LEFT OUT: a full disk, for no small one can be mounted here (unshare --map-root-user --mount)");
    } finally {
      await proxy.close();
    }
    return { recoveries, wrong };
  },
};

async function fill(
  stage: Stage,
  proxy: Proxy,
  options: SimulatorOptions,
  what: string,
  seconds: number,
  say: (line: string) => void,
  wrong: string[],
): Promise<number> {
  const simulator = startSimulator(stage, options);
  await recovered(stage, simulator, now());
  proxy.cut();
  const told = () => /"msg":"the outbox('s disk takes nothing| is full)/.test(simulator.log());
  await pause(seconds * 1000);
  if (simulator.hasExited()) throw new Error(`The simulator ended by itself.\n${simulator.log().slice(-3000)}`);
  proxy.mend();
  const took = await recovered(stage, simulator, now());
  await until(told, { timeoutMs: 10_000, what: "the simulator to say that its outbox is full" }).catch(
    (error: unknown) => wrong.push((error as Error).message),
  );
  const sum = await simulator.stop();
  const { lost, strange, gaps } = await settle(stage, options, sum);
  say(`${what} for ${seconds} s: ${sum.accepted} accepted, ${sum.dropped} dropped by its own count, ${gaps} missing`);
  wrong.push(...strange.slice(0, 3).map((key) => `stored, but never made: ${key}`));
  if (lost !== 0) wrong.push(`${lost} messages accepted and not stored`);
  if (sum.dropped === 0) wrong.push(`${what}: nothing was dropped: it was not full`);
  if (sum.dropped !== gaps) wrong.push(`${what}: ${sum.dropped} dropped by its own count, but ${gaps} are missing`);
  return took;
}

export async function main(argv: string[]): Promise<number> {
  return runDrills([outboxFull], readOptions(argv));
}
