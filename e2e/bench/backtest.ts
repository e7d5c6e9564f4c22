import { parseArgs } from "node:util";
import { backtestDevices, type TriableRule } from "@/server/alerting/backtest/run";
import { composeHistory } from "@/server/compose-history";
import { ruleSpec } from "@/server/domain/alerts/rule";
import { migrate } from "@/server/postgres/migrate";
import { createColdReader } from "@/server/readings/cold/reader";
import { createPartitions } from "@/server/readings/partitions";
import { type FleetTrial, tryBeside } from "./backtest-beside";
import { loadHistory } from "./history-data";
import { machine, markdownTable, median } from "./report";
import { scratchPostgres } from "./scratch-postgres";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const STALE_MS = 600_000;
/** The bars, in milliseconds. */
const BARS = { day: 300, month: 1000, fleet: 60_000, stop: 1000 };

/**
 * Tries rules on stored history: one series of a reading a second for a day and for 30 days, and a fleet that sends each minute for 7 days as a job
 * of the built product, beside devices that go on sending; another is stopped. Fails when one of them takes longer than its bar.
 */
export async function main(argv: string[]): Promise<number> {
  const { values } = parseArgs({
    args: argv,
    options: {
      devices: { type: "string", default: "10000" },
      days: { type: "string", default: "30" },
      rate: { type: "string", default: "500" },
    },
  });
  const [devices, days] = [Number(values.devices), Number(values.days)];
  const { pool, connectionString, stop } = await scratchPostgres();
  try {
    await migrate(connectionString);
    const to = Math.floor(Date.now() / HOUR) * HOUR;
    await loadHistory(connectionString, "bench-1hz", days, to);
    await pool.query(
      `INSERT INTO device_metric (device_id, metric_id) SELECT d.id, m.id FROM device d, metric m ON CONFLICT DO NOTHING`,
    );
    const history = composeHistory(createColdReader(null));
    const { rows } = await pool.query<{ id: number }>(`SELECT id FROM device WHERE name = 'bench-1hz'`);
    const above = (warning: number): TriableRule =>
      ruleSpec.parse({
        kind: "condition",
        conditions: [{ metric: "temperature", is: "above", warning }],
        forMs: 300_000,
      }) as TriableRule;
    const time = async (spec: TriableRule, from: number) => {
      const took: number[] = [];
      let episodes = 0;
      for (let i = 0; i < 5; i++) {
        const began = performance.now();
        const [found] = await backtestDevices(
          pool,
          history,
          [rows[0]!.id],
          { spec, from, to, staleMs: STALE_MS },
          new AbortController().signal,
        );
        took.push(performance.now() - began);
        episodes = found!.series[0]!.episodes.length;
      }
      return { ms: median(took), episodes };
    };
    const day = await time(above(25.5), to - DAY);
    const month = await time(above(26.8), to - days * DAY);
    const noisy = await time(above(25.5), to - days * DAY);
    const always = await time(above(0), to - days * DAY);

    await loadFleet(pool, devices, to);
    // One device in a hundred is too hot for an hour a day.
    const asked = { spec: above(30), from: to - 7 * DAY, to, perSecond: Number(values.rate) };
    const fleet = await tryBeside(pool, connectionString, asked);

    console.log(`${machine()}\n`);
    const ms = (value: number) => (value >= 10_000 ? `${(value / 1000).toFixed(1)} s` : `${Math.round(value)} ms`);
    console.log(
      markdownTable(
        ["what", "took", "bar", "found"],
        [
          ["1 series, 1 d at 1 s", ms(day.ms), ms(BARS.day), `${day.episodes} episodes`],
          [`1 series, ${days} d at 1 s`, ms(month.ms), ms(BARS.month), `${month.episodes} episodes`],
          ["… a limit amid the noise", ms(noisy.ms), ms(BARS.month), `${noisy.episodes} episodes`],
          ["… a limit below all", ms(always.ms), "", `${always.episodes} episodes`],
          [
            `${devices} devices, 7 d at 1 min, a job`,
            ms(fleet.tookMs),
            ms(BARS.fleet),
            `${fleet.episodes} episodes on ${fleet.firingDevices} devices, ${fleet.progressSeen} steps seen`,
          ],
          ["… until it had stopped", ms(fleet.stoppedAfterMs), ms(BARS.stop), `at ${fleet.stoppedAt} devices`],
          [`newest stored of ${values.rate} messages/s, alone, median`, ms(fleet.alone.median), "", ""],
          ["… p99", ms(fleet.alone.p99), "", ""],
          ["… beside the job, median", ms(fleet.beside.median), "", ""],
          ["… p99", ms(fleet.beside.p99), ms(besideBar(fleet)), `${fleet.sent} sent, ${fleet.lost} lost`],
        ],
      ),
    );
    const isKept =
      day.ms <= BARS.day &&
      month.ms <= BARS.month &&
      noisy.ms <= BARS.month &&
      fleet.tookMs <= BARS.fleet &&
      fleet.stoppedAfterMs <= BARS.stop &&
      fleet.beside.p99 <= besideBar(fleet) &&
      fleet.lost === 0;
    return isKept ? 0 : 1;
  } finally {
    await stop();
  }
}

/** How old what was stored last may be beside the job: a second, or half as much again as without it on a machine that is slower anyway. */
function besideBar({ alone }: FleetTrial): number {
  return Math.max(1000, 1.5 * alone.p99);
}

/** Fills in a message a minute of two metrics for a week, each hour one merged block with its rollup, by SQL: it is 20 million moments for 2,000 devices. */
async function loadFleet(
  pool: Awaited<ReturnType<typeof scratchPostgres>>["pool"],
  devices: number,
  to: number,
): Promise<void> {
  const from = to - 7 * DAY;
  await createPartitions(pool).ensure([from, to]);
  await pool.query(
    `WITH made AS (
       INSERT INTO device (name, type, rolled_until, last_event_time, last_seen, gap_median, gaps)
       SELECT 'fleet-' || i, 'press', to_timestamp($2 / 1000.0), to_timestamp($2 / 1000.0), to_timestamp($2 / 1000.0), 60000, 100
       FROM generate_series(1, $1::integer) i RETURNING id)
     INSERT INTO device_metric (device_id, metric_id) SELECT made.id, m.id FROM made, metric m WHERE m.name IN ('temperature', 'humidity')`,
    [devices, to],
  );
  const { rows } = await pool.query<{ first: number }>(`SELECT min(id) AS first FROM device WHERE name LIKE 'fleet-%'`);
  const ids = (
    await pool.query<{ ids: number[] }>(
      `SELECT array_agg(id ORDER BY id) AS ids FROM metric WHERE name IN ('temperature', 'humidity')`,
    )
  ).rows[0]!.ids;
  for (let hour = from; hour < to; hour += HOUR) {
    const isHot = (hour / HOUR) % 24 === 14;
    await pool.query(
      `WITH block AS (
         SELECT d.id, array_agg(20 + sin(d.id + n) * 4 + CASE WHEN $4 AND d.id % 100 = 0 THEN 12 ELSE 0 END ORDER BY n) AS a,
           array_agg(50 + cos(d.id + n) ORDER BY n) AS b, array_agg(59 * 60000 - n * 60000 ORDER BY n) AS offsets
         FROM device d, generate_series(0, 59) n WHERE d.id >= $1 AND d.name LIKE 'fleet-%' GROUP BY d.id),
       kept AS (
         INSERT INTO sample (device_id, time, metrics, values, offsets)
         SELECT id, to_timestamp($2 / 1000.0) + interval '59 min', $3::integer[], a || b, offsets FROM block)
       INSERT INTO rollup_hour (device_id, bucket, metrics, counts, sums, mins, maxs, firsts, first_at, lasts, last_at)
       SELECT id, to_timestamp($2 / 1000.0), $3::integer[], '{60,60}',
         ARRAY[(SELECT sum(v) FROM unnest(a) v), (SELECT sum(v) FROM unnest(b) v)], ARRAY[(SELECT min(v) FROM unnest(a) v), (SELECT min(v) FROM unnest(b) v)],
         ARRAY[(SELECT max(v) FROM unnest(a) v), (SELECT max(v) FROM unnest(b) v)], ARRAY[a[1], b[1]], '{0,0}', ARRAY[a[60], b[60]], ARRAY[3540000, 3540000]
       FROM block`,
      [rows[0]!.first, hour, ids, isHot],
    );
  }
  await pool.query("VACUUM ANALYZE");
}
