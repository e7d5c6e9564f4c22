import { parseArgs } from "node:util";
import { detectorOf, type DetectorState, stepDetector } from "@/server/domain/oddness/detector";
import { pack, writeKnown } from "@/server/oddness/states";
import { migrate } from "@/server/postgres/migrate";
import { withTransaction } from "@/server/postgres/transaction";
import { createOddWorker, ODD_STEP as STEP } from "@/server/testing/odd-rig";
import { machine, markdownTable } from "./report";
import { scratchPostgres } from "./scratch-postgres";

const METRICS = 7;
const BEGIN = Date.UTC(2026, 0, 15);
/** Rounds measured: an hour, in which each device's state is stored once. */
const ROUNDS = 12;

/** What it costs the worker and PostgreSQL to follow odd behaviour of a fleet whose devices send all their metrics every five minutes. */
export async function main(argv: string[]): Promise<number> {
  const { values } = parseArgs({ args: argv, options: { devices: { type: "string", default: "10000" } } });
  const devices = Number(values.devices);
  const scratch = await scratchPostgres();
  try {
    await migrate(scratch.connectionString);
    const { pool } = scratch;
    await pool.query(
      `INSERT INTO metric (name, kind) SELECT 'm' || m, 'number' FROM generate_series(1, ${METRICS}) m;
       INSERT INTO device (name) SELECT 'd' || d FROM generate_series(1, ${devices}) d;
       INSERT INTO device_metric (device_id, metric_id) SELECT d, m FROM generate_series(1, ${devices}) d, generate_series(1, ${METRICS}) m`,
    );
    const packed = pack(new Map(Array.from({ length: METRICS }, (_, m) => [m + 1, knownSeries()])));
    const known = { version: 1, until: BEGIN, packed };
    for (let first = 1; first <= devices; first += 1000)
      await withTransaction(pool, (tx) =>
        writeKnown(tx, new Map(Array.from({ length: 1000 }, (_, i) => [first + i, known] as const))),
      );
    const run = createOddWorker(pool);
    const rounds: { seconds: number; cpu: number }[] = [];
    for (let i = 0; i <= ROUNDS; i++) {
      const time = BEGIN + i * STEP;
      await pool.query(
        `INSERT INTO sample (device_id, time, metrics, values)
         SELECT d, $1, ARRAY(SELECT generate_series(1, ${METRICS})), ARRAY(SELECT 20 + sin(d + $2::integer * m) FROM generate_series(1, ${METRICS}) m) FROM generate_series(1, ${devices}) d`,
        [new Date(time), i],
      );
      await pool.query(`UPDATE device SET last_event_time = $1, last_seen = $1`, [new Date(time)]);
      const began = performance.now();
      const cpu = process.cpuUsage();
      await run(time + STEP - 1000);
      const used = process.cpuUsage(cpu);
      rounds.push({ seconds: (performance.now() - began) / 1000, cpu: (used.user + used.system) / 1e6 });
    }
    // The first reads what is stored, as after a restart.
    const steady = rounds.slice(1);
    const mean = (of: (round: (typeof rounds)[number]) => number) =>
      steady.reduce((sum, round) => sum + of(round), 0) / steady.length;
    const series = devices * METRICS;
    console.log(`${machine()}\n\n${devices} devices × ${METRICS} metrics, one step\n`);
    console.log(
      markdownTable(
        ["", "mean"],
        [
          ["seconds a step of the fleet", mean((round) => round.seconds).toFixed(2)],
          ["worker's processor, s", mean((round) => round.cpu).toFixed(2)],
          ["worker's processor, µs a series", ((mean((round) => round.cpu) * 1e6) / series).toFixed(1)],
          ["of a core, one step in five minutes, %", ((mean((round) => round.cpu) / 300) * 100).toFixed(2)],
          ["memory of states, MB", ((packed.length * devices) / 1e6).toFixed(1)],
        ],
      ),
    );
  } finally {
    await scratch.stop();
  }
  return 0;
}

/** What is known of a series after a month. */
function knownSeries(): DetectorState {
  const state = detectorOf();
  for (let i = 0; i < 8640; i++) {
    const value = 20 + Math.sin(i * i);
    stepDetector(state, BEGIN - (8640 - i) * STEP, { mean: value, min: value, max: value });
  }
  return state;
}
