import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import pg from "pg";
import pino from "pino";
import { createKafkaEventLog } from "@/server/adapters/kafka/event-log";
import { topicSettings } from "@/server/compose";
import { loadConfig } from "@/server/config/config";
import { TOPICS } from "@/server/domain/terms";
import { type RunningEngines, startEngines } from "../engines/engines";
import { treeOf } from "../processes";
import { cleanEnv, runProduct, startProduct } from "../product";
import { until } from "../waiting";
import { cpuSeconds } from "./cpu";
import { machine, markdownTable } from "./report";
import { buildTelegraf, TELEGRAF, telegrafSettings } from "./telegraf";
import { fill, handled } from "./telemetry-topic";

const PATIENCE = { timeoutMs: 900_000, everyMs: 50 };
/** Telegraf's table is whole when it hasn't grown for so long, in milliseconds. */
const STILL_MS = 3000;

/**
 * One topic, one PostgreSQL, the same messages: Fieldwatch's worker with everything it does (archive, readings, twins, totals, live
 * frames) beside Telegraf, which inserts a row a message.
 */
export async function main(argv: string[]): Promise<number> {
  const { values } = parseArgs({ args: argv, options: { messages: { type: "string", default: "300000" } } });
  const messages = Number(values.messages);
  const telegraf = buildTelegraf();
  const folder = mkdtempSync(path.join(tmpdir(), "fieldwatch-peers-"));
  const engines = await startEngines({ kafka: true, postgres: true });
  try {
    const columns: [string, Figures][] = [["Fieldwatch", await fieldwatch(engines, folder, messages)]];
    if ("program" in telegraf)
      columns.push([`Telegraf ${TELEGRAF}`, await telegrafAlone(engines, folder, messages, telegraf.program)]);
    const names = [...columns[0]![1].keys()];
    const rows = names.map((name) => [name, ...columns.map(([, figures]) => figures.get(name) ?? "–")]);
    console.log(`${machine()}\n\n${markdownTable([`${messages} messages`, ...columns.map(([name]) => name)], rows)}`);
    if ("missing" in telegraf) console.log(`\nTelegraf: not built (${telegraf.missing})`);
  } finally {
    await engines.stop();
    rmSync(folder, { recursive: true, force: true });
  }
  return 0;
}

type Figures = ReadonlyMap<string, string>;

/** A moment of a drain: so many messages were stored, for so much processor time. */
interface Mark {
  readonly at: number;
  readonly messages: number;
  readonly cpu: number;
  readonly postgres: number;
}

function figuresOf(first: Mark, last: Mark, bytes: number): Figures {
  const messages = last.messages - first.messages;
  const perMillion = (seconds: number) => `${((seconds / messages) * 1e6).toFixed(1)} s`;
  return new Map([
    ["messages/s", Math.round(messages / ((last.at - first.at) / 1000)).toString()],
    ["CPU per million messages", perMillion(last.cpu - first.cpu)],
    ["PostgreSQL CPU per million messages", perMillion(last.postgres - first.postgres)],
    ["bytes on disk per message", Math.round(bytes / last.messages).toString()],
  ]);
}

async function fieldwatch(engines: RunningEngines, folder: string, messages: number): Promise<Figures> {
  const env = { ...engines.env, LOG_FORMAT: "json" };
  const migrated = await runProduct(["migrate"], env);
  if (migrated.code !== 0) throw new Error(`migrate failed:\n${migrated.output}`);
  const config = loadConfig({ ...cleanEnv(), ...env }, "");
  const log = createKafkaEventLog({ settings: config.engines, role: "bench", logger: pino({ level: "silent" }) });
  const pool = new pg.Pool({ connectionString: engines.env.DATABASE_URL, max: 1 });
  try {
    await log.ensureTopics(topicSettings(config));
    await fill(log, messages);
    const before = await databaseBytes(pool);
    const worker = await startProduct({ dataDir: path.join(folder, "data"), role: "worker", env });
    try {
      const reached = async (count: number): Promise<Mark> => {
        await until(async () => (await handled(pool)).messages >= count, { ...PATIENCE, what: `${count} messages` });
        const done = (await handled(pool)).messages;
        return { at: performance.now(), messages: done, cpu: cpuSeconds(worker.pid), postgres: postgresCpu(engines) };
      };
      const first = await reached(1);
      const last = await reached(messages);
      return figuresOf(first, last, (await databaseBytes(pool)) - before);
    } finally {
      await worker.stop();
    }
  } finally {
    await Promise.all([log.close(), pool.end()]);
  }
}

async function telegrafAlone(
  engines: RunningEngines,
  folder: string,
  messages: number,
  program: string,
): Promise<Figures> {
  const { KAFKA_BROKERS: brokers = "", DATABASE_URL: url = "" } = engines.env;
  const admin = new pg.Client({ connectionString: url });
  await admin.connect();
  await admin.query("CREATE DATABASE telegraf");
  // What was written before is none of its work.
  await admin.query("CHECKPOINT");
  await admin.end();
  const own = Object.assign(new URL(url), { pathname: "/telegraf" }).href;
  const settings = path.join(folder, "telegraf.toml");
  writeFileSync(settings, telegrafSettings(brokers, own, TOPICS.telemetry));
  const pool = new pg.Pool({ connectionString: own, max: 1 });
  const before = await databaseBytes(pool);
  const child = spawn(program, [settings], { stdio: ["ignore", "inherit", "inherit"] });
  try {
    const look = async () => {
      // Counting rows meanwhile would be work of its own; the table stops growing when all are there.
      const { rows } = await pool.query<{ bytes: number }>(
        "SELECT coalesce(pg_relation_size(to_regclass('telemetry')), 0)::float8 AS bytes",
      );
      const usage = { cpu: cpuSeconds(child.pid!), postgres: postgresCpu(engines) };
      return { at: performance.now(), ...usage, bytes: rows[0]!.bytes };
    };
    let first = await look();
    let last = first;
    await until(
      async () => {
        if (child.exitCode !== null) throw new Error("Telegraf ended");
        const now = await look();
        if (first.bytes === 0) first = now;
        if (now.bytes > last.bytes) last = now;
        return last.bytes > 0 && now.at - last.at > STILL_MS;
      },
      { ...PATIENCE, what: "Telegraf's last row" },
    );
    const { rows } = await pool.query<{ count: number }>("SELECT count(*)::int AS count FROM telemetry");
    if (rows[0]!.count !== messages) throw new Error(`Telegraf wrote ${rows[0]!.count} of ${messages} rows`);
    const messagesAtFirst = Math.round((messages * first.bytes) / last.bytes);
    const bytes = (await databaseBytes(pool)) - before;
    return figuresOf({ ...first, messages: messagesAtFirst }, { ...last, messages }, bytes);
  } finally {
    child.kill("SIGTERM");
    await pool.end();
  }
}

function postgresCpu({ postgres }: RunningEngines): number {
  return treeOf(postgres!.pid).reduce((sum, { pid }) => sum + cpuSeconds(pid), 0);
}

async function databaseBytes(pool: pg.Pool): Promise<number> {
  const { rows } = await pool.query<{ bytes: number }>("SELECT pg_database_size(current_database())::float8 AS bytes");
  return rows[0]!.bytes;
}
