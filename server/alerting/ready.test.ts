import { expect, test } from "vitest";
import { pipelineBench } from "@/server/testing/pipeline-bench";
import { readBlocks } from "@/server/readings/blocks";
import { eventsOf } from "@/server/testing/alert-rig";
import { addReadyRules } from "./ready";
import { removeRule } from "./rules";
import { createTurn } from "./run-alerting";
import { withTransaction } from "@/server/postgres/transaction";

const bench = pipelineBench({ partitions: 1 });
const ALL = [
  "Device silent",
  "Disk nearly full",
  "Many dead letters",
  "Pipeline behind",
  "Site cut off",
  "Value out of its valid range",
];
const names = async () =>
  (await bench.pool.query<{ name: string }>(`SELECT name FROM alert_rule ORDER BY 1`)).rows.map(({ name }) => name);

test("rules to begin with are there once, and stay away when they are removed", async () => {
  await addReadyRules(bench.pool);
  await addReadyRules(bench.pool);
  expect(await names()).toEqual(ALL);
  const { rows } = await bench.pool.query<{ id: number }>(`SELECT id FROM alert_rule WHERE name = 'Device silent'`);
  await withTransaction(bench.pool, (tx) => removeRule(tx, rows[0]!.id));
  await addReadyRules(bench.pool);
  expect(await names()).toEqual(ALL.slice(1));
});

test("a whole turn finds a silent device once the log was handled to its end, and none before", async () => {
  await addReadyRules(bench.pool);
  const now = Math.floor(Date.now() / 1000) * 1000;
  for (const device of ["a", "b"])
    bench.log.append(0, { device, time: now - 3600_000, readings: { t: 1 } }, now - 3600_000);
  const rig = await bench.rig();
  await rig.begin(0);
  await rig.batch(0, 0, 1);
  const deps = { pool: bench.pool, readBlocks, staleMs: 600_000, describe: bench.log.describe };
  await createTurn(deps)(AbortSignal.timeout(60_000));
  expect(await eventsOf(bench.pool, now)).toEqual([]);
  await rig.batch(0, 1, 2);
  await createTurn(deps)(AbortSignal.timeout(60_000));
  await createTurn(deps)(AbortSignal.timeout(60_000));
  expect(await eventsOf(bench.pool, now)).toEqual(["fired -3000", "fired -3000"]);
});
