import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import pg from "pg";
import pino from "pino";
import { createKafkaEventLog } from "@/server/adapters/kafka/event-log";
import { topicSettings } from "@/server/compose";
import { loadConfig } from "@/server/config/config";
import type { LiveRecord } from "@/server/contracts/live";
import { noteWatched } from "@/server/pipeline/live-watch";
import { TOPICS } from "@/server/domain/terms";
import type { EventLog } from "@/server/ports/event-log";
import { type RunningEngines, startEngines } from "../engines/engines";
import { treeOf } from "../processes";
import { cleanEnv, runProduct, startProduct } from "../product";
import { pause, until } from "../waiting";
import { cpuSeconds } from "./cpu";
import { drainWithRules } from "./drain-rules";
import { machine, markdownTable, percentile } from "./report";
import { fill, handled, recordOf } from "./telemetry-topic";

const logger = pino({ level: "silent" });
const MB = 2 ** 20;

/** A worker makes frames for as long as somebody is known to watch. */
const WATCH_EVERY_MS = 10_000;

/** So long what the drain left to be merged, and code that V8 hasn't optimised, weigh on the steady stream. */
const SETTLE_MS = 15_000;

/**
 * What one worker does on real engines, all on this machine: drains a filled Kafka topic through the complete pipeline,
 * with the archive in MongoDB and then in PostgreSQL, and keeps up with a steady stream whose latency is measured.
 */
export async function main(argv: string[]): Promise<number> {
  const { values } = parseArgs({
    args: argv,
    options: {
      messages: { type: "string", default: "500000" },
      archive: { type: "string", multiple: true, default: ["mongodb", "postgres"] },
      rate: { type: "string", default: "2000" },
      seconds: { type: "string", default: "30" },
      /** Writes a CPU profile of the worker into this folder. */
      profile: { type: "string" },
      /** Instead: what so many alert rules, and the checks of quality, cost on a fleet. */
      rules: { type: "string" },
      devices: { type: "string", default: "10000" },
      rounds: { type: "string", default: "3" },
      only: { type: "string", multiple: true },
    },
  });
  if (values.rules !== undefined) {
    const [rules, devices, rounds] = [values.rules, values.devices, values.rounds].map(Number) as [
      number,
      number,
      number,
    ];
    return drainWithRules({
      rules,
      devices,
      rounds,
      messages: Number(values.messages),
      profile: values.profile,
      only: values.only,
    });
  }
  const columns: Record<string, string>[] = [];
  for (const archive of values.archive) {
    const folder = mkdtempSync(path.join(tmpdir(), "fieldwatch-drain-"));
    const engines = await startEngines({ kafka: true, postgres: true, mongodb: archive === "mongodb" });
    try {
      columns.push(
        await measure(engines, folder, {
          messages: Number(values.messages),
          rate: Number(values.rate),
          seconds: Number(values.seconds),
          profile: values.profile,
        }),
      );
    } finally {
      await engines.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  }
  const names = [...new Set(columns.flatMap(Object.keys))];
  const rows = names.map((name) => [name, ...columns.map((column) => column[name] ?? "–")]);
  console.log(`${machine()}\n\n${markdownTable(["archive in", ...values.archive], rows)}`);
  return 0;
}

interface Size {
  readonly messages: number;
  readonly rate: number;
  readonly seconds: number;
  readonly profile: string | undefined;
}

async function measure(engines: RunningEngines, folder: string, size: Size): Promise<Record<string, string>> {
  const env = { ...engines.env, LOG_FORMAT: "json" };
  const migrated = await runProduct(["migrate"], env);
  if (migrated.code !== 0) throw new Error(`migrate failed:\n${migrated.output}`);
  const config = loadConfig({ ...cleanEnv(), ...env }, "");
  const log = createKafkaEventLog({ settings: config.engines, role: "bench", logger });
  const pool = new pg.Pool({ connectionString: engines.env.DATABASE_URL, max: 2 });
  try {
    await log.ensureTopics(topicSettings(config));
    await fill(log, size.messages);
    const nodeArgs = size.profile ? ["--cpu-prof", `--cpu-prof-dir=${path.resolve(size.profile)}`] : [];
    const started = performance.now();
    const worker = await startProduct({
      dataDir: path.join(folder, "data"),
      role: "worker",
      env,
      nodeArgs,
    });
    try {
      await until(async () => (await handled(pool)).messages > 0, {
        timeoutMs: 60_000,
        everyMs: 10,
        what: "the first batch",
      });
      const first = {
        at: performance.now(),
        ...(await handled(pool)),
        cpu: cpuSeconds(worker.pid),
        engines: enginesCpu(engines),
      };
      await until(() => worker.hasExited() || isDone(pool, size.messages), {
        timeoutMs: 900_000,
        everyMs: 100,
        what: "the backlog to drain",
      });
      const last = {
        at: performance.now(),
        ...(await handled(pool)),
        cpu: cpuSeconds(worker.pid),
        engines: enginesCpu(engines),
      };
      const took = (last.at - first.at) / 1000;
      const perMillion = (seconds: number) => `${((seconds / (last.messages - first.messages)) * 1e6).toFixed(1)} s`;
      const peak = peakRss(worker.pid);
      const watching = setInterval(() => void noteWatched(pool), WATCH_EVERY_MS);
      await noteWatched(pool);
      const latencies = await steady(log, size).finally(() => clearInterval(watching));
      return {
        "drained, messages": String(last.messages),
        "messages/s": Math.round((last.messages - first.messages) / took).toString(),
        "readings/s": Math.round((last.readings - first.readings) / took).toString(),
        "from the worker's start to the last commit": `${((last.at - started) / 1000).toFixed(1)} s`,
        "worker CPU per million messages": perMillion(last.cpu - first.cpu),
        ...Object.fromEntries(
          Object.entries(last.engines).map(([name, cpu]) => [
            `${name} CPU per million messages`,
            perMillion(cpu - first.engines[name]!),
          ]),
        ),
        "worker peak memory": `${Math.round(peak / MB)} MB`,
        [`produced → live frame at ${size.rate} messages/s, p50`]: `${percentile(latencies, 0.5)} ms`,
        [`produced → live frame at ${size.rate} messages/s, p99`]: `${percentile(latencies, 0.99)} ms`,
      };
    } finally {
      await worker.stop();
    }
  } finally {
    await Promise.all([log.close(), pool.end()]);
  }
}

/**
 * Sends at an even rate and listens to the live frames; milliseconds from a message's making to its frame, of each that
 * was sent for `seconds` after settling.
 */
async function steady(log: EventLog, { rate, seconds }: Size): Promise<number[]> {
  const latencies: number[] = [];
  const began = Date.now();
  const messages = rate * (seconds + SETTLE_MS / 1000);
  const listening = await log.consume({
    topic: TOPICS.live,
    group: null,
    maxRecords: 1000,
    maxBytes: 8 * MB,
    concurrency: 1,
    onError: () => undefined,
    async onBatch({ records }) {
      const now = Date.now();
      for (const { value } of records) {
        for (const { points } of (JSON.parse(Buffer.from(value).toString()) as LiveRecord).devices) {
          for (const [time] of points.temperature ?? []) if (time >= began + SETTLE_MS) latencies.push(now - time);
        }
      }
    },
  });
  const sending: Promise<void>[] = [];
  let sent = 0;
  while (sent < messages) {
    const due = Math.min(Math.floor(((Date.now() - began) / 1000) * rate), messages);
    if (due > sent) {
      // Event times are the moment of sending; of one device they stay apart, as a device has one reading a millisecond.
      const now = Date.now();
      sending.push(
        log.append(
          TOPICS.telemetry,
          Array.from({ length: due - sent }, (_, i) => recordOf(sent + i, now)),
        ),
      );
      sent = due;
    }
    await pause(10);
  }
  await Promise.all(sending);
  const awaited = rate * seconds;
  await until(() => latencies.length >= awaited * 0.99, { timeoutMs: 30_000, what: "the live frames" }).catch(() => {
    console.error(`only ${latencies.length} of ${awaited} messages were seen in live frames`);
  });
  await listening.stop(1000);
  return latencies.sort((a, b) => a - b);
}

async function isDone(pool: pg.Pool, messages: number): Promise<boolean> {
  return (await handled(pool)).messages >= messages;
}

function enginesCpu({ kafka, mongodb, postgres }: RunningEngines): Record<string, number> {
  const cpu = (pid: number) => treeOf(pid).reduce((sum, one) => sum + cpuSeconds(one.pid), 0);
  return {
    ...(kafka ? { Kafka: cpu(kafka.pid) } : {}),
    ...(postgres ? { PostgreSQL: cpu(postgres.pid) } : {}),
    ...(mongodb ? { "MongoDB-wire server": cpu(mongodb.pid) } : {}),
  };
}

function peakRss(pid: number): number {
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) * 1024;
}
