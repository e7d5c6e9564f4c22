import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import pg from "pg";
import pino from "pino";
import { createKafkaEventLog } from "@/server/adapters/kafka/event-log";
import { Kafka, logLevel } from "@/server/adapters/kafka/kafkajs";
import { topicSettings } from "@/server/compose";
import { loadConfig } from "@/server/config/config";
import { PIPELINE_GROUP } from "@/server/domain/terms";
import { type RunningEngines, startEngines } from "../engines/engines";
import { treeOf } from "../processes";
import { cleanEnv, ROOT } from "../product";
import { until } from "../waiting";
import { cpuSeconds } from "./cpu";
import { machine, markdownTable, median, ratio } from "./report";
import { fill, handled } from "./telemetry-topic";

/** What one drain took: processor seconds per million messages, and messages a second. */
interface Drained {
  readonly worker: number;
  readonly postgres: number;
  readonly rate: number;
}

/**
 * Lets workers of several builds drain the same messages from one Kafka into one PostgreSQL, in turn: of a machine that does other work, too,
 * only what is measured side by side tells something. Folders of other builds are arguments; this one is the last column.
 */
export async function main(argv: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: argv,
    allowPositionals: true,
    options: {
      messages: { type: "string", default: "200000" },
      rounds: { type: "string", default: "3" },
      /** Writes CPU profiles of the workers into this folder. */
      profile: { type: "string" },
    },
  });
  const builds = [...positionals.map((build) => path.resolve(build)), ROOT];
  const messages = Number(values.messages);
  const engines = await startEngines({ kafka: true, postgres: true });
  try {
    const config = loadConfig({ ...cleanEnv(), ...engines.env }, "");
    const log = createKafkaEventLog({ settings: config.engines, role: "bench", logger: pino({ level: "silent" }) });
    await log.ensureTopics(topicSettings(config));
    await fill(log, messages);
    await log.close();
    const found = builds.map((): Drained[] => []);
    for (let round = 0; round < Number(values.rounds); round++) {
      // Each is the first in every other round.
      const turns = [...builds.keys()];
      for (const at of round % 2 === 0 ? turns : turns.reverse())
        found[at]!.push(await drain(engines, builds[at]!, { messages, profile: values.profile }));
    }
    const row = (title: string, of: (one: Drained) => number) => {
      const medians = found.map((some) => median(some.map(of)));
      const here = medians.at(-1)!;
      const cells = medians.map((one) => `${one.toFixed(1)}${one === here ? "" : ` (${ratio(here, one)})`}`);
      return [title, ...cells];
    };
    const rows = [
      row("worker CPU per million messages, s", ({ worker }) => worker),
      row("PostgreSQL CPU per million messages, s", ({ postgres }) => postgres),
      row("messages/s", ({ rate }) => rate),
    ];
    console.log(`${machine()}\n\n${markdownTable(["median (here : there)", ...builds], rows)}`);
    return 0;
  } finally {
    await engines.stop();
  }
}

let databases = 0;

/** Drains everything once, by the worker of a build, into a database of its own. */
async function drain(
  engines: RunningEngines,
  build: string,
  { messages, profile }: { readonly messages: number; readonly profile: string | undefined },
): Promise<Drained> {
  const folder = mkdtempSync(path.join(tmpdir(), "fieldwatch-beside-"));
  const url = new URL(engines.env.DATABASE_URL!);
  const root = new pg.Client({ connectionString: url.href });
  await root.connect();
  const database = `beside_${++databases}`;
  await root.query(`CREATE DATABASE ${database}`);
  url.pathname = `/${database}`;
  await forgetGroup(engines.env.KAFKA_BROKERS!);
  const env = { ...cleanEnv(), ...engines.env, DATABASE_URL: url.href, FIELDWATCH_DATA_DIR: path.join(folder, "data") };
  const main = path.join(build, "dist", "main.mjs");
  const migrated = spawnSync(process.execPath, [main, "migrate"], { cwd: build, env, encoding: "utf8" });
  if (migrated.status !== 0) throw new Error(`migrate of ${build} failed:\n${migrated.stdout}${migrated.stderr}`);
  const profiling = profile
    ? ["--cpu-prof", `--cpu-prof-dir=${path.resolve(profile, build.replaceAll(path.sep, "-"))}`]
    : [];
  // As `npm run worker` does.
  const args = ["--max-semi-space-size=32", ...profiling, main, "worker"];
  const worker = spawn(process.execPath, args, { cwd: build, env, stdio: "ignore" });
  const pool = new pg.Pool({ connectionString: url.href, max: 1 });
  const look = async () => ({
    ...(await handled(pool)),
    at: performance.now(),
    worker: cpuSeconds(worker.pid!),
    postgres: treeOf(engines.postgres!.pid).reduce((sum, { pid }) => sum + cpuSeconds(pid), 0),
  });
  try {
    const some = async () => (await handled(pool)).messages > 0;
    await until(some, { timeoutMs: 60_000, everyMs: 10, what: "the first batch" });
    const first = await look();
    const all = async () => (await handled(pool)).messages >= messages;
    await until(all, { timeoutMs: 900_000, everyMs: 50, what: "the backlog to drain" });
    const last = await look();
    const drained = last.messages - first.messages;
    return {
      worker: ((last.worker - first.worker) / drained) * 1e6,
      postgres: ((last.postgres - first.postgres) / drained) * 1e6,
      rate: (drained / (last.at - first.at)) * 1000,
    };
  } finally {
    const exited = once(worker, "exit");
    worker.kill("SIGTERM");
    await exited;
    await pool.end();
    await root.query(`DROP DATABASE ${database} WITH (FORCE)`);
    await root.end();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The next worker begins at the start. */
async function forgetGroup(brokers: string): Promise<void> {
  const admin = new Kafka({ brokers: brokers.split(","), logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  // None has been there yet, the first time.
  await admin.deleteGroups([PIPELINE_GROUP]).catch(() => undefined);
  await admin.disconnect();
}
