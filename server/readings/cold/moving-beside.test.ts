import type { PoolClient } from "pg";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { monthOf, watchMonth } from "@/server/postgres/months";
import { withTransaction } from "@/server/postgres/transaction";
import { addBlocks, addCatalog, AUGUST, type ColdRig, coldRig, hourOf } from "@/server/testing/cold-rig";
import { jobContext } from "@/server/testing/job-context";
import { mergeJobs } from "../merge";
import { takeMetric } from "../removals";
import { removeNextReadings } from "../series-removal";
import { bringBack } from "./bring-back";

const NOW = Date.UTC(2026, 10, 28);
const [X, Y] = [1, 2];
let rig: ColdRig;
beforeEach(async () => {
  rig = await coldRig();
  await addCatalog(rig.db.pool, { devices: ["a"], metrics: ["x", "y"], rolledUntil: Date.UTC(2026, 9, 1) });
  await addBlocks(
    rig.db.pool,
    Array.from({ length: 30 }, (_, hour) => hourOf(1, hour, { count: 4, metrics: [hour === 0 ? Y : X] })),
  );
  await rig.db.pool.query("UPDATE device SET rolled_until = NULL, last_seen = '2026-11-28Z'");
  await mergeJobs(rig.cold)[0]!.run(jobContext(rig.db.pool, { now: NOW }));
});
afterEach(() => rig.close());

const readings = async (metric: number) =>
  (await rig.readings(1)).filter((text) => text.split(" ")[1] === String(metric)).length;

/** Moves the month, as another worker does meanwhile: it ends, or waits for the transaction that goes on. */
async function moveBeside(): Promise<{ readonly ended: Promise<string> }> {
  let hasEnded = false;
  const ended = rig
    .move()
    .then(() => "moved")
    .catch((error: Error) => error.message)
    .finally(() => void (hasEnded = true));
  await vi.waitFor(async () => {
    const { rows } = await rig.db.pool.query(
      "SELECT FROM pg_locks WHERE relation = 'sample'::regclass AND mode = 'AccessExclusiveLock' AND NOT granted",
    );
    expect(hasEnded || rows.length > 0).toBe(true);
  }, 20_000);
  return { ended };
}

test("a metric that is merged into another keeps all its readings while its month is moved to cold storage", async () => {
  const steps: Promise<string>[] = [];
  for (let isThrough = false; !isThrough;)
    await withTransaction(rig.db.pool, async (tx) => {
      await tx.query("SELECT FROM device WHERE id = 1 FOR NO KEY UPDATE");
      if (await bringBack(tx, rig.cold, 1, { metric: X })) return;
      // Moved after cold storage was looked into, and before PostgreSQL is.
      if (steps.length === 0) steps.push((await moveBeside()).ended);
      isThrough = (await takeMetric(tx, 1, { metric: X, into: Y }, rig.cold)).taken === 0;
    });
  // What it copied has changed since.
  expect(await steps[0]).toContain("its readings changed while they were copied");
  expect([await readings(X), await readings(Y)]).toEqual([0, 30 * 4]);
});

test("what a rule removes is gone though its month is moved to cold storage meanwhile", async () => {
  const group = { device: 1, metrics: [X], before: { raw: NOW, minutes: null, hours: null } };
  const steps: Promise<string>[] = [];
  for (let isThrough = false; !isThrough;)
    await withTransaction(rig.db.pool, async (tx) => {
      const between = afterQuery(tx, "AS has", async () => {
        if (steps.length === 0) steps.push((await moveBeside()).ended);
      });
      ({ isThrough } = await removeNextReadings(between, rig.cold, group, NOW));
    });
  await Promise.all(steps);
  expect([await readings(X), await readings(Y)]).toEqual([0, 4]);
});

test("nobody misses readings that go to a partition of their own for the move", async () => {
  const { pool } = rig.db;
  await pool.query(`CREATE TABLE august AS TABLE sample; DROP TABLE sample_2026_08; INSERT INTO sample TABLE august`);
  const count = () => pool.query("SELECT FROM sample WHERE device_id = $1 AND time >= $2", [1, new Date(AUGUST)]);
  const before = await count();
  expect(before.rowCount).toBeGreaterThan(0);
  const beside = await withTransaction(pool, async (tx) => {
    await watchMonth(tx, monthOf(AUGUST));
    const reading = count();
    await vi.waitFor(async () => {
      const { rowCount } = await tx.query("SELECT FROM pg_locks WHERE NOT granted AND mode = 'AccessShareLock'");
      expect(rowCount).toBe(1);
    });
    return { reading };
  });
  expect(await beside.reading).toEqual(before);
});

/** A client that does something after each statement with `part` in it. */
function afterQuery(tx: PoolClient, part: string, work: () => Promise<void>): PoolClient {
  const run = tx.query.bind(tx) as (...all: unknown[]) => Promise<unknown>;
  const query = (text: unknown, ...rest: unknown[]) => {
    const result = run(text, ...rest);
    if (typeof text !== "string" || !text.includes(part)) return result;
    return result.then(async (rows) => (await work(), rows));
  };
  return new Proxy(tx, { get: (of, name) => (name === "query" ? query : Reflect.get(of, name, of)) as unknown });
}
