import { expect, test } from "vitest";
import { withTransaction } from "@/server/postgres/transaction";
import { countReceived } from "@/server/readings/received";
import { pipelineBench } from "@/server/testing/pipeline-bench";
import { DAY_MS, scoreDay } from "./scores";

const bench = pipelineBench({ partitions: 1 });
const DAY = Date.UTC(2026, 0, 15);
const T = DAY + 10 * 3_600_000;
const S = 1000;

interface Row {
  readonly device: string;
  readonly metric: string;
  readonly score: number | null;
  readonly expected: number | null;
  readonly received: number;
  readonly completeness: number | null;
  readonly uniqueness: number;
}

async function score(now: number, day = DAY): Promise<Row[]> {
  const { rows: devices } = await bench.pool.query<{ id: number }>(`SELECT id FROM device`);
  const ids = devices.map(({ id }) => id);
  await withTransaction(bench.pool, (tx) => scoreDay(tx, countReceived, ids, day, now));
  const { rows } = await bench.pool.query<Row>(
    `SELECT d.name AS device, m.name AS metric, score, expected, received, completeness, uniqueness
     FROM quality_day q JOIN device d ON d.id = q.device_id JOIN metric m ON m.id = q.metric_id WHERE bucket = $1 ORDER BY 1, 2`,
    [new Date(day)],
  );
  return rows;
}

/** Stores the states as a worker does a while later. */
async function storeStates() {
  const { createCheckQuality } = await import("./check-quality");
  const { readBlocks } = await import("@/server/readings/blocks");
  const check = createCheckQuality(readBlocks);
  await withTransaction(bench.pool, async (tx) => {
    const { rows } = await tx.query<{ id: number; latest: Date }>(`SELECT id, last_event_time AS latest FROM device`);
    const devices = new Map(
      rows.map(({ id, latest }) => [id, { latest: latest.getTime(), rolledUntil: null, saidLabels: null, judged: 1 }]),
    );
    const batch = {
      ...{ records: [], letters: [], mark: 1, rulesEpoch: 0, devices },
      written: { added: [], duplicates: 0, conflicts: [], late: 0 },
    };
    const touched = [...devices.keys()].map((deviceId) => ({ deviceId, metrics: [] }) as never);
    await check(tx, { ...batch, messages: touched, processedTime: T });
    await check(tx, { ...batch, messages: touched, processedTime: T + DAY_MS });
  });
}

test("a day is scored by what came of what was due from the first reading on; the next from its begin", async () => {
  for (let i = 0; i < 360; i++) {
    const time = T + i * 10 * S;
    bench.log.append(0, { device: "whole", time, readings: { a: Math.sin(i), ...(i % 3 ? {} : { b: i }) } }, time);
    if (i < 270) bench.log.append(0, { device: "gone", time, readings: { a: Math.sin(i) } }, time);
    if (i < 270) bench.log.append(0, { device: "gone", time, readings: { a: Math.sin(i) } }, time);
  }
  bench.log.append(0, { device: "once", time: T, readings: { a: 1 } }, T);
  await (await bench.rig()).drain();
  await storeStates();
  const rows = await score(T + 3600 * S + 60 * S);
  expect(rows).toMatchObject([
    { device: "gone", metric: "a", expected: 360, received: 270, completeness: 0.75, uniqueness: 0.5 },
    { device: "once", metric: "a", expected: null, received: 1, completeness: null, score: null },
    { device: "whole", metric: "a", expected: 360, received: 360, completeness: 1, score: 100 },
    { device: "whole", metric: "b", expected: 120, received: 120, completeness: 1, score: 100 },
  ]);
  // A minute is left for what is under way.
  const next = await score(DAY + DAY_MS + 3600 * S + 60 * S, DAY + DAY_MS);
  expect(next.map(({ device, metric, score: of }) => [device, metric, of && Math.round(of)])).toEqual([
    ["gone", "a", 1],
    ["once", "a", null],
    ["whole", "a", 1],
    ["whole", "b", 1],
  ]);
  // What was silent for a whole day isn't scored the day after.
  expect(await score(DAY + 2 * DAY_MS + 3600 * S, DAY + 2 * DAY_MS)).toEqual([]);
});

test("what came in the last minute, when more may be under way, is neither expected nor counted", async () => {
  const from = DAY + 5 * DAY_MS + 3_600_000;
  for (let i = 0; i < 300; i++) {
    const time = from + i * 2 * S;
    // Of the 270 of the nine minutes that are over, 26 are missing; all of the last came.
    if (i >= 230 && i < 256) continue;
    bench.log.append(0, { device: "short", time, readings: { a: Math.sin(i) } }, time);
  }
  await (await bench.rig()).drain();
  await storeStates();
  const now = from + 600 * S;
  const [alone] = (await score(now, DAY + 5 * DAY_MS)).filter(({ device }) => device === "short");
  expect(alone).toMatchObject({ expected: 268, received: 244 });
  // The same of a block of many readings.
  const { mergeJobs } = await import("@/server/readings/merge");
  const { jobContext } = await import("@/server/testing/job-context");
  await mergeJobs()[0]!.run(jobContext(bench.pool, { now }));
  const [merged] = (await score(now, DAY + 5 * DAY_MS)).filter(({ device }) => device === "short");
  expect(merged).toMatchObject({ expected: 268, received: 244 });
});
