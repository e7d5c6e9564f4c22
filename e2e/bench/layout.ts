import { createHash } from "node:crypto";
import { parseArgs } from "node:util";
import type { Pool } from "pg";
import { machine, markdownTable, median, ratio } from "./report";
import { createFleet, type Message, METRICS, START_MS } from "./layout-data";
import { ARRAYS, type Layout, ROWS } from "./layout-tables";
import { scratchPostgres } from "./scratch-postgres";

const BATCH = 5000;
const HOUR = 3_600_000;

/**
 * Compares two ways readings can lie in PostgreSQL, side by side in one run: a row per reading, and a row per (device,
 * time) with parallel arrays. Prints readings/s, bytes per reading and query times, and their ratio.
 */
export async function main(argv: string[]): Promise<number> {
  const { values } = parseArgs({
    args: argv,
    options: {
      messages: { type: "string", default: "100000" },
      devices: { type: "string", default: "10" },
      rounds: { type: "string", default: "3" },
    },
  });
  const messages = createFleet(Number(values.messages), Number(values.devices));
  const postgres = await scratchPostgres();
  try {
    const measured = new Map<Layout, Measured[]>([
      [ROWS, []],
      [ARRAYS, []],
    ]);
    for (let round = 0; round < Number(values.rounds); round++) {
      // Taking turns at going first evens out what a warm cache or a busy neighbour gives one of them.
      const order = round % 2 === 0 ? [ROWS, ARRAYS] : [ARRAYS, ROWS];
      for (const layout of order) measured.get(layout)?.push(await measure(postgres.pool, layout, messages));
    }
    print(measured, messages.length, Number(values.rounds));
    return 0;
  } finally {
    await postgres.stop();
  }
}

type Measured = Readonly<Record<keyof typeof TITLES, number>>;

const TITLES = {
  insert: "insert readings/s",
  insertWithRollups: "insert with minute and hour rollups, readings/s",
  readingBytes: "reading, bytes on disk with its index",
  readingWal: "reading, bytes of write-ahead log",
  rollupBytes: "minute rollup of one series, bytes on disk with its index",
  hourRaw: "one metric of one device, 1 hour raw, ms",
  dayRaw: "one metric of one device, 1 day raw, ms",
  dayByMinute: "one metric, 1 day, grouped by minute from readings, ms",
  dayRollup: "one metric, 1 day of minute rollups, ms",
  deviceHour: "all metrics of one device, 1 hour raw, ms",
  allMean: "mean of one metric over all devices and times, ms",
} as const;

async function measure(pool: Pool, layout: Layout, messages: readonly Message[]): Promise<Measured> {
  const readings = messages.length * METRICS.length;
  await pool.query(layout.drop);
  await pool.query(layout.create);
  await pool.query("CHECKPOINT");

  const before = await walPosition(pool);
  const insert = await timed(() => insertAll(pool, layout, messages, false));
  const wal = (await walPosition(pool)) - before;
  await pool.query(layout.clear);
  const insertWithRollups = await timed(() => insertAll(pool, layout, messages, true));
  await pool.query(layout.vacuum);

  const end = messages.at(-1)?.time ?? START_MS;
  const hour = [3, 2, new Date(end - HOUR), new Date(end)];
  const day = [3, 2, new Date(end - 24 * HOUR), new Date(end)];
  const buckets = (await pool.query<{ n: number }>(layout.countRollups)).rows[0]?.n ?? 0;
  return {
    insert: readings / (insert / 1000),
    insertWithRollups: readings / (insertWithRollups / 1000),
    readingBytes: (await size(pool, layout.readingTable)) / readings,
    readingWal: wal / readings,
    rollupBytes: (await size(pool, layout.rollupTable)) / buckets,
    hourRaw: await query(pool, layout.raw, hour),
    dayRaw: await query(pool, layout.raw, day),
    dayByMinute: await query(pool, layout.byMinute, day),
    dayRollup: await query(pool, layout.rollups, day),
    deviceHour: await query(pool, layout.device, [3, new Date(end - HOUR), new Date(end)]),
    allMean: await query(pool, layout.mean, [2], 5),
  };
}

/** One transaction a batch, as the worker does it. */
async function insertAll(pool: Pool, layout: Layout, messages: readonly Message[], rollups: boolean): Promise<void> {
  const client = await pool.connect();
  try {
    for (let at = 0; at < messages.length; at += BATCH) {
      const batch = messages.slice(at, at + BATCH).sort((a, b) => a.device - b.device || a.time - b.time);
      await client.query("BEGIN");
      await layout.insert(client, batch);
      if (rollups) await layout.roll(client, batch);
      await client.query("COMMIT");
    }
  } finally {
    client.release();
  }
}

async function query(pool: Pool, text: string, values: unknown[], times = 25): Promise<number> {
  const name = createHash("md5").update(text).digest("hex");
  await pool.query({ name, text, values });
  const took: number[] = [];
  for (let i = 0; i < times; i++) took.push(await timed(() => pool.query({ name, text, values })));
  return median(took);
}

async function walPosition(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ at: string }>(
    "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::text AS at",
  );
  return Number(rows[0]?.at);
}

async function size(pool: Pool, table: string): Promise<number> {
  const { rows } = await pool.query<{ bytes: string }>("SELECT pg_total_relation_size($1::regclass)::text AS bytes", [
    table,
  ]);
  return Number(rows[0]?.bytes);
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

function print(measured: ReadonlyMap<Layout, readonly Measured[]>, messages: number, rounds: number): void {
  console.log(
    `${machine()}\n${messages} messages of ${METRICS.length} readings, batches of ${BATCH} messages; median of ${rounds} rounds, taking turns\n`,
  );
  const rows = (Object.keys(TITLES) as (keyof typeof TITLES)[]).map((key) => {
    const [a, b] = [ROWS, ARRAYS].map((layout) => median((measured.get(layout) ?? []).map((one) => one[key]))) as [
      number,
      number,
    ];
    const digits = a > 1000 ? 0 : 2;
    return [TITLES[key], a.toFixed(digits), b.toFixed(digits), ratio(b, a)];
  });
  console.log(markdownTable(["", ROWS.name, ARRAYS.name, "second : first"], rows));
}
