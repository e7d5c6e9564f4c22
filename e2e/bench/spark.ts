import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Pool } from "pg";
import { createFolderColdStore } from "@/server/adapters/cold/folder";
import { binaryRows, copyBinary } from "@/server/postgres/copy";
import { migrate } from "@/server/postgres/migrate";
import { withTransaction } from "@/server/postgres/transaction";
import { addBlock, BLOCK_TARGET } from "@/server/readings/blocks";
import { coldJobs } from "@/server/readings/cold/jobs";
import { createColdReader } from "@/server/readings/cold/reader";
import { mergeJobs } from "@/server/readings/merge";
import { createPartitions } from "@/server/readings/partitions";
import { jobContext } from "@/server/testing/job-context";
import { seeded } from "../waiting";
import { machine } from "./report";
import { scratchPostgres } from "./scratch-postgres";

const AUGUST = Date.UTC(2026, 7, 1);
const [DEVICES, HOURS, MOMENTS] = [20, 31 * 24, 60];
const METRICS = ["temperature", "humidity", "co", "lpg", "smoke", "light", "motion"];
const HOUR = 3_600_000;

/**
 * A month of readings is moved to cold storage, and Spark computes its hourly rollups from the files: each must be ours. Needs Java 17 and a
 * Python with pyspark, named by PYTHON: `pip install pyspark`.
 */
export async function main(): Promise<number> {
  console.log(machine());
  const folder = mkdtempSync(path.join(tmpdir(), "fieldwatch-spark-"));
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
    writeFileSync(path.join(folder, "rollups.ndjson"), await rollups(postgres.pool));
    const python = process.env.PYTHON ?? "python3";
    const script = path.join("e2e", "bench", "spark", "hourly.py");
    const args = [script, path.join(folder, "readings"), path.join(folder, "rollups.ndjson")];
    return spawnSync(python, args, { stdio: "inherit" }).status ?? 1;
  } finally {
    await postgres.stop();
    rmSync(folder, { recursive: true, force: true });
  }
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
