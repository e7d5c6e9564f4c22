import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import pg, { type Pool } from "pg";
import { parseArgs } from "node:util";
import { createFolderColdStore } from "@/server/adapters/cold/folder";
import { binaryRows, copyBinary } from "@/server/postgres/copy";
import { migrate } from "@/server/postgres/migrate";
import { withTransaction } from "@/server/postgres/transaction";
import { addBlock, BLOCK_TARGET } from "@/server/readings/blocks";
import { coldJobs } from "@/server/readings/cold/jobs";
import { bucketStart } from "@/server/domain/rollup";
import { TOPICS } from "@/server/domain/terms";
import { createColdReader } from "@/server/readings/cold/reader";
import { mergeJobs } from "@/server/readings/merge";
import { createPartitions } from "@/server/readings/partitions";
import { jobContext } from "@/server/testing/job-context";
import { startEngines } from "../engines/engines";
import { ROOT } from "../product";
import { seeded } from "../waiting";
import { drainOnce } from "./one-drain";
import { machine } from "./report";
import { scratchPostgres } from "./scratch-postgres";
import { openTopics, recordOf } from "./telemetry-topic";

const AUGUST = Date.UTC(2026, 7, 1);
const [DEVICES, HOURS, MOMENTS] = [20, 31 * 24, 60];
const MESSAGES = 21_000;
const METRICS = ["temperature", "humidity", "co", "lpg", "smoke", "light", "motion"];
const HOUR = 3_600_000;

/**
 * Spark computes hourly rollups, and each must be ours: of a month of readings from the files of cold storage, or of messages from Kafka. Needs Java 17
 * and a Python with pyspark, named by PYTHON: `pip install pyspark`.
 */
export async function main(argv: string[]): Promise<number> {
  const { values } = parseArgs({ args: argv, options: { from: { type: "string", default: "files" } } });
  const ways: Record<string, (folder: string) => Promise<number>> = { files: fromFiles, kafka: fromKafka };
  const way = ways[values.from];
  if (!way) throw new Error(`--from ${values.from} is none of ${Object.keys(ways).join(", ")}`);
  console.log(machine());
  const folder = mkdtempSync(path.join(tmpdir(), "fieldwatch-spark-"));
  try {
    return await way(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A worker handles messages of seven hours, every tenth of which came twice, and Spark reads the same topic through its Kafka source. */
async function fromKafka(folder: string): Promise<number> {
  const engines = await startEngines({ kafka: true, postgres: true });
  try {
    const log = await openTopics(engines);
    const began = bucketStart(Date.now(), HOUR) - 8 * HOUR;
    const records = Array.from({ length: MESSAGES }, (_, i) => recordOf(i, began + (i * 7 * HOUR) / MESSAGES, DEVICES));
    await log.append(TOPICS.telemetry, [...records, ...records.filter((_, i) => i % 10 === 0)]);
    await log.close();
    const program = { main: path.join(ROOT, "dist", "main.mjs"), cwd: ROOT };
    const { name, url } = await drainOnce(engines, { ...program, messages: MESSAGES + MESSAGES / 10, keep: true });
    const pool = new pg.Pool({ connectionString: url });
    try {
      const cold = createColdReader(createFolderColdStore(folder));
      for (const job of mergeJobs(cold).slice(0, 1)) await job.run(jobContext(pool));
      const { rows } = await pool.query<{ left: number }>("SELECT count(*)::int AS left FROM late_hour");
      if (rows[0]!.left > 0) throw new Error(`${name} has ${rows[0]!.left} hours without rollups`);
      return await compare(folder, pool, ["kafka", engines.env.KAFKA_BROKERS!]);
    } finally {
      await pool.end();
    }
  } finally {
    await engines.stop();
  }
}

/** Moves a month of readings to cold storage; Spark reads its files. */
async function fromFiles(folder: string): Promise<number> {
  const postgres = await scratchPostgres();
  try {
    await migrate(postgres.connectionString);
    await fill(postgres.pool);
    const cold = createColdReader(createFolderColdStore(folder));
    for (const job of mergeJobs(cold).slice(0, 1)) await job.run(jobContext(postgres.pool));
    const began = performance.now();
    const [move] = coldJobs({ store: createFolderColdStore(folder), cold, afterDays: 1 });
    await move!.run(jobContext(postgres.pool));
    const { rows } = await postgres.pool.query<{ readings: number; bytes: number; left: number }>(
      "SELECT sum(readings)::float8 AS readings, sum(bytes)::float8 AS bytes, (SELECT count(*) FROM sample)::int AS left FROM cold_file",
    );
    const { readings, bytes, left } = rows[0]!;
    if (left > 0) throw new Error(`${left} rows were not moved`);
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    console.log(`${readings} readings moved in ${seconds} s, ${(bytes / readings).toFixed(2)} bytes each`);
    return await compare(folder, postgres.pool, ["files", path.join(folder, "readings")]);
  } finally {
    await postgres.stop();
  }
}

/** Has Spark compute the rollups of what `from` names, and compare them with those in the database: 0 if all are equal. */
async function compare(folder: string, pool: Pool, from: readonly [origin: string, place: string]): Promise<number> {
  const ours = path.join(folder, "rollups.ndjson");
  writeFileSync(ours, await rollups(pool));
  const script = path.join("e2e", "bench", "spark", "hourly.py");
  return spawnSync(process.env.PYTHON ?? "python3", [script, ...from, ours], { stdio: "inherit" }).status ?? 1;
}

async function fill(pool: Pool): Promise<void> {
  await pool.query("INSERT INTO metric (name, kind) SELECT unnest($1::text[]), 'number'", [METRICS]);
  const end = new Date(AUGUST + HOURS * HOUR);
  await pool.query(
    "INSERT INTO device (name, last_seen, last_event_time) SELECT 'spark-' || n, $2, $2 FROM generate_series(1, $1) n",
    [DEVICES, end],
  );
  await createPartitions(pool).ensure([AUGUST]);
  const random = seeded(1);
  for (let device = 1; device <= DEVICES; device++) {
    const rows = binaryRows();
    for (let hour = 0; hour < HOURS; hour++) {
      const times = Float64Array.from({ length: MOMENTS }, (_, i) => AUGUST + hour * HOUR + i * 60_000 + device);
      const values = Float64Array.from({ length: METRICS.length * MOMENTS }, (_, i) =>
        random() < 0.02 ? NaN : Math.round(random() * 2000 + (i % 7) * 100) / 100,
      );
      addBlock(rows, { device, times, metrics: METRICS.map((_, i) => i + 1), values });
    }
    await withTransaction(pool, (tx) => copyBinary(tx, BLOCK_TARGET, rows));
  }
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
