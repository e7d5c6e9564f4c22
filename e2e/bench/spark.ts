import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import pg, { type Pool } from "pg";
import { createFolderColdStore } from "@/server/adapters/cold/folder";
import { TOPICS } from "@/server/domain/terms";
import { coldJobs } from "@/server/readings/cold/jobs";
import { createColdReader } from "@/server/readings/cold/reader";
import { mergeJobs } from "@/server/readings/merge";
import { jobContext } from "@/server/testing/job-context";
import { startEngines, type RunningEngines } from "../engines/engines";
import { sendTransactionsByJava } from "../engines/java-producers";
import { fromPyPI } from "../made-programs";
import { ROOT } from "../product";
import { sendMonth, type MonthSent } from "./month-messages";
import { drainOnce } from "./one-drain";
import { machine } from "./report";
import { openTopics } from "./telemetry-topic";

const AUGUST = Date.UTC(2026, 7, 1);
const HOUR = 3_600_000;
/** The latest for which Maven Central has Spark's Kafka source. */
const PYSPARK = "pyspark==4.2.0";

/**
 * A worker handles a month of messages, and Spark computes its hourly rollups from the same topic in Kafka, and then from the files of cold storage that
 * the month was moved to: each must be ours. `--days` makes the month shorter. Needs a build, Java 17 and Maven; PYTHON
 * names a Python with another pyspark than the one that is fetched here.
 */
export async function main(argv: string[]): Promise<number> {
  const { values } = parseArgs({ args: argv, options: { days: { type: "string", default: "31" } } });
  const python = process.env.PYTHON ?? pythonWithSpark();
  console.log(machine());
  const folder = mkdtempSync(path.join(tmpdir(), "fieldwatch-spark-"));
  const engines = await startEngines({ kafka: true, postgres: true });
  try {
    const sent = await send(engines, Number(values.days) * 24);
    const program = { main: path.join(ROOT, "dist", "main.mjs"), cwd: ROOT };
    const { url } = await drainOnce(engines, { ...program, messages: sent.messages, keep: true });
    const pool = new pg.Pool({ connectionString: url, options: "-c timezone=UTC" });
    try {
      await isAsSent(pool, sent);
      const store = createFolderColdStore(folder);
      const cold = createColdReader(store);
      // By then all devices have been silent for long enough to merge their last hours.
      const now = Date.now() + 2 * HOUR;
      await mergeJobs(cold)[0]!.run(jobContext(pool, { now }));
      const ours = path.join(folder, "rollups.ndjson");
      writeFileSync(ours, await rollups(pool));
      const fromKafka = compare(python, ["kafka", engines.env.KAFKA_BROKERS!], ours);
      await coldJobs({ store, cold, afterDays: 1 })[0]!.run(jobContext(pool));
      await isMoved(pool);
      return Math.max(fromKafka, compare(python, ["files", path.join(folder, "readings")], ours));
    } finally {
      await pool.end();
    }
  } finally {
    await engines.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Sends the month, and transactions of Java's producer, of which some were aborted. */
async function send(engines: RunningEngines, hours: number): Promise<MonthSent> {
  const log = await openTopics(engines);
  const sent = await sendMonth(AUGUST, hours, (records) => log.append(TOPICS.telemetry, records));
  await log.close();
  const { committed, idempotent } = await sendTransactionsByJava(engines.env.KAFKA_BROKERS!, TOPICS.telemetry, 0, 10);
  return { ...sent, messages: sent.messages + committed + idempotent };
}

/** @throws Error where repeats, conflicts and dead letters aren't those that were sent: then equal rollups would tell little. */
async function isAsSent(pool: Pool, { messages, again, letters }: MonthSent): Promise<void> {
  const { rows } = await pool.query<Record<string, number>>(
    "SELECT sum(messages)::int AS messages, sum(readings)::int AS readings, sum(duplicates)::int AS repeats, sum(conflicts)::int AS conflicts, sum(late)::int AS late FROM pipeline_position",
  );
  const { rows: refused } = await pool.query<{ reason: string; letters: number }>(
    "SELECT reason, sum(letters)::int AS letters FROM pipeline_refused WHERE bucket = '-infinity' GROUP BY reason ORDER BY reason",
  );
  const found = Object.fromEntries(refused.map((one) => [one.reason, one.letters]));
  console.log("handled", JSON.stringify(rows[0]), "dead letters", JSON.stringify(found));
  const { messages: handled, repeats, conflicts } = rows[0]!;
  const sorted = Object.fromEntries(Object.entries(letters).sort());
  const wanted = JSON.stringify({ messages, again, letters: sorted });
  if (JSON.stringify({ messages: handled, again: repeats! + conflicts!, letters: found }) !== wanted)
    throw new Error(`sent were ${wanted}`);
}

async function isMoved(pool: Pool): Promise<void> {
  const { rows } = await pool.query<{ readings: number; bytes: number; left: number }>(
    "SELECT sum(readings)::float8 AS readings, sum(bytes)::float8 AS bytes, (SELECT count(*) FROM sample)::int AS left FROM cold_file",
  );
  const { readings, bytes, left } = rows[0]!;
  if (left > 0) throw new Error(`${left} rows were not moved`);
  console.log(`${readings} readings moved, ${(bytes / readings).toFixed(2)} bytes each`);
}

/** Has Spark compute the rollups of what `from` names, and compare them with ours: 0 if all are equal. */
function compare(python: string, from: readonly [origin: "kafka" | "files", place: string], ours: string): number {
  const script = path.join("e2e", "bench", "spark", "hourly.py");
  return spawnSync(python, [script, ...from, ours], { stdio: "inherit" }).status ?? 1;
}

function pythonWithSpark(): string {
  const found = fromPyPI("spark", [PYSPARK]);
  if ("missing" in found) throw new Error(`${PYSPARK} can't be had: ${found.missing}`);
  return path.join(found.bin, "python");
}

/** Every hourly rollup as a line of JSON. */
async function rollups(pool: Pool): Promise<string> {
  const { rows } = await pool.query<{ line: string }>(
    `SELECT json_build_object('device', d.name, 'metric', m.name, 'hour', (extract(epoch FROM r.bucket) * 1000)::bigint, 'count', v.count, 'sum', v.sum,
       'min', v.min, 'max', v.max, 'first', v.first, 'last', v.last)::text AS line
     FROM rollup_hour r JOIN device d ON d.id = r.device_id
     CROSS JOIN LATERAL unnest(r.metrics, r.counts, r.sums, r.mins, r.maxs, r.firsts, r.lasts) AS v (metric, count, sum, min, max, first, last)
     JOIN metric m ON m.id = v.metric`,
  );
  return rows.map(({ line }) => `${line}\n`).join("");
}
