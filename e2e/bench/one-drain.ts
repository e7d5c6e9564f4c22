import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import pg from "pg";
import { Kafka, logLevel } from "@/server/adapters/kafka/kafkajs";
import { PIPELINE_GROUP } from "@/server/domain/terms";
import type { RunningEngines } from "../engines/engines";
import { treeOf } from "../processes";
import { cleanEnv } from "../product";
import { until } from "../waiting";
import { cpuSeconds } from "./cpu";
import { handled } from "./telemetry-topic";

/** What one drain took: processor seconds per million messages, messages a second, and the worker's peak memory in MB. */
export interface Drained {
  readonly worker: number;
  readonly postgres: number;
  readonly rate: number;
  readonly peak: number;
  /** Processor seconds of the worker from its start until then. */
  readonly until: number;
  /** The database, if it was to be kept. */
  readonly name: string;
  readonly url: string;
}

export interface DrainOptions {
  /** The program's bundle. */
  readonly main: string;
  /** The folder it runs in. */
  readonly cwd: string;
  /** Messages that are in the database when all is done. */
  readonly messages: number;
  /** Measured is what comes after so many of them, by which the worker has come to know its devices; left out: after the first batch. */
  readonly after?: number;
  /** The database that the worker's own begins as; left out: an empty one. */
  readonly template?: string;
  /** Further settings of the worker. */
  readonly env?: Readonly<Record<string, string>>;
  /** A CPU profile of the worker goes into this folder. */
  readonly profile?: string | undefined;
  /** Its database stays. */
  readonly keep?: boolean;
}

/** Drains what the database hasn't had by one worker, into a database of its own. */
export async function drainOnce(
  engines: RunningEngines,
  { main, cwd, messages, after = 1, template, env: more, profile, keep = false }: DrainOptions,
): Promise<Drained> {
  const folder = mkdtempSync(path.join(tmpdir(), "fieldwatch-drain-"));
  const { name, url, drop } = await createDatabase(engines, template);
  await forgetGroup(engines.env.KAFKA_BROKERS!);
  const own = { DATABASE_URL: url, FIELDWATCH_DATA_DIR: path.join(folder, "data") };
  const env = { ...cleanEnv(), ...engines.env, ...more, ...own };
  if (template === undefined) migrate(main, cwd, env);
  const profiling = profile ? ["--cpu-prof", `--cpu-prof-dir=${path.resolve(profile)}`] : [];
  const pool = new pg.Pool({ connectionString: url, max: 1 });
  // A pool that has ended may have a connection closing yet, which is cut off when the database is dropped.
  pool.on("error", () => undefined);
  const before = (await handled(pool)).messages;
  // As `npm run worker` does.
  const args = ["--max-semi-space-size=32", ...profiling, main, "worker"];
  const worker = spawn(process.execPath, args, { cwd, env, stdio: "ignore" });
  const look = async () => ({
    ...(await handled(pool)),
    at: performance.now(),
    worker: cpuSeconds(worker.pid!),
    postgres: treeOf(engines.postgres!.pid).reduce((sum, { pid }) => sum + cpuSeconds(pid), 0),
  });
  try {
    const some = async () => worker.exitCode !== null || (await handled(pool)).messages >= before + after;
    await until(some, { timeoutMs: 300_000, everyMs: 10, what: "the first batches" });
    const first = await look();
    const all = async () => worker.exitCode !== null || (await handled(pool)).messages >= messages;
    await until(all, { timeoutMs: 900_000, everyMs: 50, what: "the backlog to drain" });
    if (worker.exitCode !== null) throw new Error(`the worker of ${main} ended with ${worker.exitCode}`);
    const last = await look();
    const drained = last.messages - first.messages;
    return {
      worker: ((last.worker - first.worker) / drained) * 1e6,
      postgres: ((last.postgres - first.postgres) / drained) * 1e6,
      rate: (drained / (last.at - first.at)) * 1000,
      peak: peakMemory(worker.pid!),
      ...{ until: first.worker, name, url },
    };
  } finally {
    const exited = worker.exitCode === null ? once(worker, "exit") : null;
    worker.kill("SIGTERM");
    await exited;
    await pool.end();
    if (!keep) await drop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Brings a database up to date. */
export function migrate(main: string, cwd: string, env: NodeJS.ProcessEnv): void {
  const migrated = spawnSync(process.execPath, [main, "migrate"], { cwd, env, encoding: "utf8" });
  if (migrated.status !== 0) throw new Error(`migrate of ${main} failed:\n${migrated.stdout}${migrated.stderr}`);
}

let databases = 0;

/** Makes a database beside the engines' own. */
export async function createDatabase(
  engines: RunningEngines,
  template = "template1",
): Promise<{ readonly name: string; readonly url: string; drop(): Promise<void> }> {
  const url = new URL(engines.env.DATABASE_URL!);
  const root = async (sql: string) => {
    const client = new pg.Client({ connectionString: engines.env.DATABASE_URL });
    await client.connect();
    await client.query(sql);
    await client.end();
  };
  const name = `drain_${++databases}`;
  await root(`CREATE DATABASE ${name} TEMPLATE ${template}`);
  // What was written before is none of the next one's work.
  await root("CHECKPOINT");
  return {
    name,
    url: Object.assign(url, { pathname: `/${name}` }).href,
    drop: () => root(`DROP DATABASE ${name} WITH (FORCE)`),
  };
}

/** The most memory that a process was resident in, in MB. */
function peakMemory(pid: number): number {
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;
}

/** The next worker begins where its database ends. */
async function forgetGroup(brokers: string): Promise<void> {
  const admin = new Kafka({ brokers: brokers.split(","), logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  // None has been there yet, the first time.
  await admin.deleteGroups([PIPELINE_GROUP]).catch(() => undefined);
  await admin.disconnect();
}
