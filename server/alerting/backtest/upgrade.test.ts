import { afterAll, beforeAll, expect, test } from "vitest";
import { migrate } from "@/server/postgres/migrate";
import { freshDatabase, goBackBefore, type TestDatabase } from "@/server/testing/database";

let db: TestDatabase;
beforeAll(async () => {
  db = await freshDatabase();
});
afterAll(() => db.drop());

test("a database from before rules were tried keeps its runs of jobs, and what a run finds goes with it", async () => {
  await goBackBefore(db, "20261202010000_rule_backtest");
  await db.pool.query(
    `INSERT INTO job_run (id, job, lane, trigger, state) VALUES ('old', 'job-retention', 'old', 'request', 'done'), ('r', 'rule-backtest', 'r', 'request', 'done')`,
  );
  await migrate(db.connectionString);
  await db.pool.query(
    `INSERT INTO backtest_device (run_id, device_id, device, episodes, firing_ms, longest_ms, firing_now, last_fired_at, told_by)
     VALUES ('r', 1, 'd', 1, 0, 0, false, now(), '[]')`,
  );
  await db.pool.query(`DELETE FROM job_run WHERE id = 'r'`);
  expect((await db.pool.query(`SELECT FROM backtest_device`)).rowCount).toBe(0);
  expect((await db.pool.query(`SELECT id FROM job_run`)).rows).toEqual([{ id: "old" }]);
});
