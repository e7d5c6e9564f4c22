import { expect, test } from "vitest";
import { readBlocks } from "@/server/readings/blocks";
import { addRule, alertsOf, changeRule, eventsOf } from "@/server/testing/alert-rig";
import { pipelineBench } from "@/server/testing/pipeline-bench";
import { recheckLate } from "./recheck";
import { judgeScores } from "./scored";
import { seedRules } from "./turn";

const bench = pipelineBench({ partitions: 1 });
const T = Date.UTC(2026, 0, 15, 10);
const S = 1000;
const RULE = { kind: "quality", below: 80, forMs: 300 * S, severity: "warning", of: { devices: ["press-*"] } };

const deps = () => ({ pool: bench.pool, readBlocks, staleMs: 600 * S });

/** Scores the devices as the job does, and has them judged. @param scores by device, of its series */
async function scored(second: number, scores: Readonly<Record<string, readonly (number | null)[]>>) {
  for (const [device, of] of Object.entries(scores))
    for (const [metric, score] of of.entries())
      await bench.pool.query(
        `INSERT INTO quality_day (device_id, metric_id, bucket, received, validity, timeliness, plausibility, uniqueness, score)
         SELECT d.id, m.id, '2026-01-15T00:00:00Z', 1, 1, 1, 1, 1, $3 FROM device d, metric m WHERE d.name = $1 AND m.name = $2
         ON CONFLICT (device_id, metric_id, bucket) DO UPDATE SET score = excluded.score`,
        [device, ["a", "b"][metric], score],
      );
  expect(await judgeScores(deps(), T + second * S)).toBe(true);
}

test("a device whose worst series stays below the limit fires, goes on through a changed rule and late readings, and is over when it is better", async () => {
  for (const device of ["press-1", "press-2", "other"])
    bench.log.append(0, { device, time: T, readings: { a: 1, b: 2 } }, T);
  await (await bench.rig()).drain();
  const rule = await addRule(bench.pool, "bad", RULE);
  const good = { "press-1": [95, 100], "press-2": [null, null], other: [10, 10] };
  await scored(0, good);
  await scored(300, { ...good, "press-1": [95, 60] });
  expect(await alertsOf(bench.pool, T)).toEqual([]);
  await scored(600, { ...good, "press-1": [95, 50] });
  await scored(600, { ...good, "press-1": [95, 50] });
  const firing = {
    device: "press-1",
    state: "firing",
    severity: "warning",
    started: 300,
    fired: 600,
    first: 60,
    worst: 50,
  };
  expect(await alertsOf(bench.pool, T)).toMatchObject([firing]);

  // Nothing that it sends says anything of it.
  bench.log.append(0, { device: "press-1", time: T + 700 * S, readings: { a: 1, b: 2 } }, T + 700 * S);
  bench.log.append(0, { device: "press-1", time: T + 10 * S, readings: { a: 1, b: 2 } }, T + 701 * S);
  await (await bench.rig()).drain();
  await recheckLate(deps(), 0);
  await changeRule(bench.pool, rule, { ...RULE, below: 78 });
  await seedRules(deps());
  await scored(900, { ...good, "press-1": [95, 55] });
  expect(await alertsOf(bench.pool, T)).toMatchObject([{ ...firing, last: 55 }]);

  await scored(1200, good);
  expect(await alertsOf(bench.pool, T)).toMatchObject([{ ...firing, state: "resolved", ended: 1200 }]);
  expect(await eventsOf(bench.pool, T)).toEqual(["fired 600", "rule-changed 900", "resolved 1200"]);
});

test("a changed rule by which it is good closes the alert, and says that it was the rule", async () => {
  bench.log.append(0, { device: "press-1", time: T, readings: { a: 1, b: 2 } }, T);
  await (await bench.rig()).drain();
  const rule = await addRule(bench.pool, "bad", { ...RULE, forMs: 0 });
  await scored(0, { "press-1": [70, 70] });
  await changeRule(bench.pool, rule, { ...RULE, forMs: 0, below: 60 });
  await seedRules(deps());
  await scored(300, { "press-1": [70, 70] });
  expect(await alertsOf(bench.pool, T)).toMatchObject([{ state: "closed", reason: "rule changed" }]);
});
