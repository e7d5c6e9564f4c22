import { expect, test } from "vitest";
import { readBlocks } from "@/server/readings/blocks";
import { readSeriesHours } from "@/server/readings/hour-means";
import { mergeJobs } from "@/server/readings/merge";
import { createColdReader } from "@/server/readings/cold/reader";
import { jobContext, runKilled } from "@/server/testing/job-context";
import { pipelineBench } from "@/server/testing/pipeline-bench";
import { slowQualityJobs } from "./slow-jobs";

const bench = pipelineBench({ partitions: 1 });
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const T = Date.UTC(2026, 0, 12);
const [hours, profiles] = slowQualityJobs(readBlocks, readSeriesHours);

/** A temperature by the time of day, and what moves with it. */
function append(device: string, from: number, to: number, value: (time: number) => number, everyMs = 900_000): void {
  for (let time = from; time < to; time += everyMs) {
    const temperature = value(time);
    bench.log.append(
      0,
      {
        device,
        time,
        type: "press",
        site: "north",
        readings: { temperature, dew: 2 * temperature - 5, on: time % 2 === 0 },
      },
      time,
    );
  }
}
const usual = (time: number) => 20 + 5 * Math.sin((time / DAY) * 2 * Math.PI) + Math.sin(time / 7919);

async function flags(): Promise<string[]> {
  const { rows } = await bench.pool.query<
    Record<"device" | "metric" | "check", string> & Record<"from" | "to" | "count", number>
  >(
    `SELECT d.name AS device, m.name AS metric, f."check", count, (extract(epoch FROM from_time) * 1000)::float8 AS from, (extract(epoch FROM to_time) * 1000)::float8 AS to
     FROM quality_flag f JOIN device d ON d.id = f.device_id JOIN metric m ON m.id = f.metric_id
     WHERE f."check" IN ('drift', 'climatology', 'attenuated', 'unit', 'cross', 'neighbor') OR (f."check" = 'range' AND f.level = 'suspect') ORDER BY 1, 2, 3`,
  );
  return rows.map(({ device, metric, check }) => `${device} ${metric} ${check}`);
}

test("hours and days are held against what their series were for weeks, once whoever is killed", async () => {
  for (let n = 1; n <= 6; n++) append(`press-${n}`, T, T + 15 * DAY, (time) => usual(time) + n / 10);
  await (await bench.rig()).drain();
  for (const job of mergeJobs(createColdReader(null)))
    await job.run(jobContext(bench.pool, { now: T + 15 * DAY + HOUR }));
  await profiles!.run(jobContext(bench.pool, { now: T + 15 * DAY + 2 * HOUR }));
  const { rows } = await bench.pool.query<{ n: number }>(`SELECT count(*)::int AS n FROM series_profile`);
  expect(rows).toEqual([{ n: 12 }]);
  expect(await flags()).toEqual([]);

  // The next day: one leaves its neighbors, one says °F.
  const end = T + 15 * DAY + 3 * HOUR;
  for (let n = 1; n <= 6; n++)
    append(`press-${n}`, T + 15 * DAY, end + 600_000, (time) => {
      const value = usual(time) + n / 10;
      return n === 2 ? value - 6 : n === 3 ? value * 1.8 + 32 : value;
    });
  await (await bench.rig()).drain();
  const ctx = jobContext(bench.pool, { now: end + 600_000 });
  await runKilled(hours!, ctx, 0);
  await hours!.run(ctx);
  await hours!.run(ctx);
  expect(await flags()).toEqual([
    ...["press-2 dew neighbor", "press-2 temperature neighbor"],
    ...["press-3 dew range", "press-3 dew unit", "press-3 temperature range", "press-3 temperature unit"],
  ]);
  const { rows: counted } = await bench.pool.query(`SELECT count FROM quality_flag WHERE "check" = 'unit'`);
  expect(counted).toEqual([{ count: 1 }, { count: 1 }]);
});
