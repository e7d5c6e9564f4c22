import { afterAll, beforeAll, expect, test } from "vitest";
import { migrate } from "@/server/postgres/migrate";
import { alertRows } from "@/server/testing/alert-rows";
import { freshDatabase, goBackBefore, type TestDatabase } from "@/server/testing/database";

let db: TestDatabase;
beforeAll(async () => {
  db = await freshDatabase();
});
afterAll(() => db.drop());

test("alerts and events of before stay as they are, and nobody has decided about them", async () => {
  await goBackBefore(db, "20261201100000_notifications");
  const alerts = alertRows(db.pool);
  const alert = await alerts.fire();
  await alerts.resolve(alert);
  const all = async () =>
    (
      await db.pool.query(
        `SELECT to_jsonb(a) AS alert, (SELECT json_agg(e ORDER BY e.id) FROM alert_event e) AS events FROM alert a`,
      )
    ).rows;
  const before = await all();
  await migrate(db.connectionString);
  expect(await all()).toMatchObject(before);
  expect(await alerts.verdicts()).toEqual({ unhandled: 2 });
});

test("an alert that is removed takes its verdicts along, and leaves the messages that named it", async () => {
  const alerts = alertRows(db.pool);
  const alert = await alerts.fire({ device: "another" });
  await db.pool.query(
    `INSERT INTO alert_verdict (event_id, verdict, at) SELECT id, 'no-route', now() FROM alert_event WHERE alert_id = $1`,
    [alert],
  );
  await db.pool.query(`DELETE FROM alert WHERE id = $1`, [alert]);
  expect((await db.pool.query(`SELECT FROM alert_verdict`)).rowCount).toBe(0);
});
