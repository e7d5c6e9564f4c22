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

test("while all that is silent was told of, the log isn't asked again; what changes that is seen", async () => {
  await addReadyRules(bench.pool);
  const now = Date.now();
  for (const device of ["a", "b"])
    bench.log.append(0, { device, time: now - 3600_000, readings: { t: 1 } }, now - 3600_000);
  await (await bench.rig()).drain();
  let asked = 0;
  const describe = () => (asked++, bench.log.describe());
  const turn = createTurn({ pool: bench.pool, readBlocks, staleMs: 600_000, describe });
  const take = async () => {
    const before = asked;
    await turn(AbortSignal.timeout(60_000));
    return asked > before;
  };
  const open = async () => (await bench.pool.query("SELECT FROM alert WHERE ended_at IS NULL")).rowCount;
  expect([await take(), await open()]).toEqual([true, 2]);
  expect([await take(), await open()]).toEqual([false, 2]);
  // A site is cut off by five.
  await bench.pool.query(`INSERT INTO site (name) VALUES ('north'); UPDATE device SET site_id = (SELECT id FROM site)`);
  expect(await take()).toBe(false);
  await bench.pool.query("UPDATE device SET stale_seconds = 7200 WHERE name = 'a'");
  expect([await take(), await open()]).toEqual([true, 1]);
  expect(await take()).toBe(false);
  await bench.pool.query("UPDATE device SET stale_seconds = NULL WHERE name = 'a'");
  expect([await take(), await open()]).toEqual([true, 2]);
  expect(await take()).toBe(false);
  await bench.pool.query("UPDATE device SET gone_at = now() WHERE name = 'b'");
  await bench.pool.query("DELETE FROM alert_state WHERE device_id = (SELECT id FROM device WHERE name = 'b')");
  expect(await take()).toBe(true);
  await take();
  // Or by two, which it has.
  await bench.pool.query(
    `UPDATE alert_rule SET spec = jsonb_set(spec::jsonb, '{atLeast}', '2') WHERE name = 'Site cut off'`,
  );
  expect(await take()).toBe(true);
});
