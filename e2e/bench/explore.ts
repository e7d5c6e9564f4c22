import { parseArgs } from "node:util";
import type { Pool } from "pg";
import { migrate } from "@/server/postgres/migrate";
import { createPartitions } from "@/server/readings/partitions";
import { quarterJob } from "@/server/readings/quarters";
import { jobContext } from "@/server/testing/job-context";
import { composeApiAlone } from "./api-alone";
import { machine, markdownTable, median } from "./report";
import { scratchPostgres } from "./scratch-postgres";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const METRICS = ["battery", "temperature", "humidity", "pressure"];

/** What is asked, of how many days, and the bar in ms. */
const QUESTIONS = [
  { name: "explore: 1,000 series, 30 d", verb: "getExplore", query: "metric=temperature", days: 30, bar: 1000 },
  { name: "explore: 1,000 series, 7 d", verb: "getExplore", query: "metric=temperature", days: 7, bar: 1000 },
  { name: "explore: 1,000 series, 1 d", verb: "getExplore", query: "metric=temperature", days: 1, bar: 1000 },
  {
    name: "explore: 50 series of a site, 30 d",
    verb: "getExplore",
    query: "metric=temperature&site=site-3",
    days: 30,
    bar: 1000,
  },
  {
    name: "explore: 20 sites of 1,000 devices, 30 d",
    verb: "getExplore",
    query: "metric=temperature&by=site",
    days: 30,
    bar: 1000,
  },
  { name: "strips of a device, 24 h", verb: "listStrips", query: "", days: 1, bar: 300 },
  { name: "strips of a device, 30 d", verb: "listStrips", query: "", days: 30, bar: 300 },
] as const;

/**
 * How long the server takes to answer what many series were: 1,000 devices of four metrics that sent every 30 s for 31 days, their hours rolled up but
 * for the one under way. Fails when a median is over its bar.
 */
export async function main(argv: string[]): Promise<number> {
  const { values } = parseArgs({
    args: argv,
    options: { devices: { type: "string", default: "1000" }, rounds: { type: "string", default: "7" } },
  });
  const [devices, rounds] = [Number(values.devices), Number(values.rounds)];
  const postgres = await scratchPostgres();
  try {
    await migrate(postgres.connectionString);
    const began = performance.now();
    await load(postgres.pool, devices, Date.now());
    console.log(`${machine()}\n${devices} devices loaded in ${Math.round((performance.now() - began) / 1000)} s\n`);
    const { api, close } = await composeApiAlone(postgres.connectionString);
    const rows: [string, string, string, string, string][] = [];
    let isOver = false;
    for (const { name, verb, query, days, bar } of QUESTIONS) {
      const times: number[] = [];
      let size = 0;
      for (let round = 0; round <= rounds; round++) {
        const to = Date.now();
        const range = `from=${new Date(to - days * DAY).toISOString()}&to=${new Date(to).toISOString()}`;
        const started = performance.now();
        const params: Record<string, string> = verb === "listStrips" ? { id: "device-000003" } : {};
        const answer = await api.handle(verb, new Request(`http://here/api?${query}&${range}`), params);

        const text = await answer.text();
        if (answer.status !== 200) throw new Error(text);
        size = text.length;
        // The first round warms up.
        if (round > 0) times.push(performance.now() - started);
      }
      isOver ||= median(times) >= bar;
      const millis = (ms: number) => `${Math.round(ms)} ms`;
      rows.push([
        name,
        millis(median(times)),
        millis(Math.max(...times)),
        millis(bar),
        `${Math.round(size / 1024)} KB`,
      ]);
    }
    console.log(markdownTable(["asked", "median", "slowest", "bar", "answer"], rows));
    await close();
    return isOver ? 1 : 0;
  } finally {
    await postgres.stop();
  }
}

/** Fills in what a month of merging leaves, in the order it writes: hour after hour of all devices. */
async function load(pool: Pool, devices: number, now: number): Promise<void> {
  const hour = Math.floor(now / HOUR) * HOUR;
  const from = hour - 31 * DAY;
  await createPartitions(pool).ensure(Array.from({ length: 32 }, (_, i) => hour - i * DAY));
  await pool.query(`INSERT INTO site (name) SELECT 'site-' || i FROM generate_series(1, 20) i`);
  await pool.query(
    `INSERT INTO device (name, site_id, type, messages, last_seen, last_event_time, rolled_until)
     SELECT 'device-' || lpad(i::text, 6, '0'), 1 + i % 20, 'type-' || i % 5, i, $2, $2, $3 FROM generate_series(1, $1::int) i`,
    [devices, new Date(now), new Date(hour)],
  );
  await pool.query(`INSERT INTO metric (name, kind) SELECT name, 'number' FROM unnest($1::text[]) name`, [METRICS]);
  await pool.query(`INSERT INTO device_metric (device_id, metric_id) SELECT d.id, m.id FROM device d, metric m`);
  const all = (what: string) => `array_fill(${what}, ARRAY[${METRICS.length}])`;
  await pool.query(
    `INSERT INTO rollup_hour (device_id, bucket, metrics, counts, sums, mins, maxs, firsts, first_at, lasts, last_at)
     SELECT d.id, h, (SELECT array_agg(id ORDER BY id) FROM metric), ${all("120")}, ${all("120 * v")}, ${all("v - 1")}, ${all("v + 1")}, ${all("v")},
       ${all("0")}, ${all("v")}, ${all("3570000")}
     FROM generate_series($1::timestamptz, $2::timestamptz, '1 hour') h, device d, LATERAL (
       SELECT 20 + d.id % 7 + 5 * sin(extract(epoch FROM h)::float8 / 13750) + random()) AS x (v)`,
    [new Date(from), new Date(hour - HOUR)],
  );
  await pool.query(
    `INSERT INTO sample (device_id, time, metrics, values)
     SELECT d.id, t, (SELECT array_agg(id ORDER BY id) FROM metric), ${all("20 + random()")} FROM generate_series($1::timestamptz, $2::timestamptz, '30 s') t, device d`,
    [new Date(hour), new Date(now)],
  );
  await quarterJob().run(jobContext(pool));
  await pool.query("VACUUM ANALYZE");
}
