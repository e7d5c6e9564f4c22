import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import pg from "pg";
import { killNow, treeOf } from "../processes";
import { cleanEnv, freePort, ROOT, startProduct } from "../product";
import { pause, until } from "../waiting";
import { drainBacklog } from "./backlog";
import { machine, markdownTable } from "./report";

const MB = 2 ** 20;

/**
 * Measures what a newcomer feels and an operator pays: time from `npm start` to the first live reading, cold and warm;
 * memory of the idle tree; and how fast the whole pipeline drains. `--cold` clones and installs, and takes a minute or two.
 */
export async function main(argv: string[]): Promise<number> {
  const { values } = parseArgs({
    args: argv,
    options: {
      cold: { type: "boolean", default: false },
      messages: { type: "string", default: "200000" },
      idle: { type: "string", default: "60" },
    },
  });
  const rows: [string, string][] = [];
  const folder = mkdtempSync(path.join(tmpdir(), "fieldwatch-performance-"));
  try {
    if (values.cold) {
      const clone = path.join(folder, "clone");
      const cloned = spawnSync("git", ["clone", "--quiet", ROOT, clone], { stdio: "inherit" });
      if (cloned.status !== 0) throw new Error("git clone failed");
      rows.push([
        "`npm start` → first live reading, fresh clone (install, build, new data folder)",
        seconds(await firstReading(clone, path.join(folder, "cold"))),
      ]);
      rows.push(["the same, second start", seconds(await firstReading(clone, path.join(folder, "cold")))]);
    }
    rows.push([
      "`npm start` → first live reading, built, new data folder",
      seconds(await firstReading(ROOT, path.join(folder, "warm"))),
    ]);
    rows.push([
      "`npm start` → first live reading, built, data folder there",
      seconds(await firstReading(ROOT, path.join(folder, "warm"))),
    ]);
    rows.push(...(await idle(path.join(folder, "idle"), Number(values.idle), "0", "idle, no simulator")));
    rows.push(...(await idle(path.join(folder, "demo"), Number(values.idle), "50", "50 simulated devices")));
    rows.push(...(await drain(path.join(folder, "drain"), Number(values.messages))));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  console.log(`${machine()}\n\n${markdownTable(["", "measured"], rows)}`);
  return 0;
}

/** Milliseconds from `npm start` until the first reading is committed. */
async function firstReading(root: string, dataDir: string): Promise<number> {
  const port = await freePort();
  const started = performance.now();
  const env = { ...cleanEnv(), PORT: String(port), FIELDWATCH_DATA_DIR: dataDir, DEMO_DEVICES: "50" };
  const child = spawn("npm", ["start"], { cwd: root, env, stdio: "ignore", shell: process.platform === "win32" });
  try {
    // A data folder that was there has readings already: the first of this start is one more.
    const before = await readings(dataDir, 300_000, () => child.exitCode === null, -1);
    await readings(dataDir, 60_000, () => child.exitCode === null, before);
    return performance.now() - started;
  } finally {
    const tree = treeOf(child.pid ?? -1).map((one) => one.pid);
    const supervisor = treeOf(child.pid ?? -1).find(
      (one) => /main\.mjs start/.test(one.command) && !/^(\S*\/)?(sh|npm)\b/.test(one.command),
    );
    if (supervisor) process.kill(supervisor.pid, "SIGTERM");
    await until(() => treeOf(child.pid ?? -1).length === 0, { timeoutMs: 20_000, what: "npm start to stop" }).catch(
      () => killNow(tree),
    );
  }
}

/** Sums the stored readings of an embedded PostgreSQL. @throws while there is none. */
async function storedReadings(dataDir: string): Promise<number> {
  const state = JSON.parse(readFileSync(path.join(dataDir, "postgres.json"), "utf8")) as { connectionString: string };
  const client = new pg.Client(state);
  try {
    await client.connect();
    const { rows } = await client.query<{ sum: string | null }>("SELECT sum(readings) FROM pipeline_position");
    return Number(rows[0]?.sum ?? 0);
  } finally {
    await client.end();
  }
}

/** Waits for more readings than `than` and says how many there are. */
async function readings(dataDir: string, timeoutMs: number, alive: () => boolean, than: number): Promise<number> {
  let found = 0;
  await until(
    async () => {
      if (!alive()) throw new Error("npm start ended");
      found = await storedReadings(dataDir).catch(() => -1);
      return found > than;
    },
    { timeoutMs, everyMs: 20, what: "the first reading" },
  );
  return found;
}

async function idle(dataDir: string, forSeconds: number, devices: string, what: string): Promise<[string, string][]> {
  const product = await startProduct({ dataDir, env: { DEMO_DEVICES: devices } });
  try {
    await product.ready();
    await pause(forSeconds * 1000);
    const tree = treeOf(product.pid, { pss: true });
    const rss = tree.reduce((sum, one) => sum + one.rss, 0) / MB;
    const pss = tree.every((one) => one.pss !== null) ? tree.reduce((sum, one) => sum + (one.pss ?? 0), 0) / MB : null;
    const told = `${Math.round(rss)} MB in ${tree.length} processes${pss === null ? "" : `; ${Math.round(pss)} MB with shared pages counted once`}`;
    return [[`resident memory of the whole tree after ${forSeconds} s, ${what}`, told]];
  } finally {
    await product.stop();
  }
}

/** Fills the log, then times how long one worker needs. */
async function drain(dataDir: string, messages: number): Promise<[string, string][]> {
  const product = await startProduct({ dataDir, env: { DEMO_DEVICES: "0" } });
  try {
    await product.ready();
    const { fillMs, drainMs, readings } = await drainBacklog(product, messages);
    return [
      [
        `REST route into the log, ${messages} messages of 7 readings in requests of 1000, 4 at once`,
        `${rate(messages, fillMs)} messages/s`,
      ],
      [
        "drain of that by one worker through the whole pipeline",
        `${rate(messages, drainMs)} messages/s, ${rate(readings, drainMs)} readings/s`,
      ],
    ];
  } finally {
    await product.stop();
  }
}

function rate(count: number, ms: number): number {
  return Math.round(count / (ms / 1000));
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
