import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { migrate } from "@/server/postgres/migrate";
import { addRule, changeRule, eventsOf } from "@/server/testing/alert-rig";
import { freshDatabase, goBackBefore, type TestDatabase } from "@/server/testing/database";
import { createPipelineLooks, type Measured } from "./pipeline-looks";
import { judgePipeline } from "./pipeline-rules";

let db: TestDatabase;
beforeAll(async () => {
  db = await freshDatabase();
});
afterAll(() => db.drop());
afterEach(async () => {
  await db.pool.query("TRUNCATE alert, alert_rule, alert_rule_version, alert_state CASCADE");
});

const T = Date.UTC(2026, 0, 15, 10);

/** The pipeline as a test says it is. */
function scripted() {
  let now: readonly Measured[] | null = null;
  const measure = () => (now === null ? Promise.reject(new Error("away")) : Promise.resolve(now));
  const measures = { lagSeconds: measure, deadLetterPercent: measure, freeDiskPercent: measure };
  const looks = createPipelineLooks({ ...measures, engineAway: measure, sourceSilentMinutes: measure });
  const judge = () => judgePipeline(db.pool, looks);
  return {
    judge,
    /** Looks each ten seconds from one to another, both included; what is found is judged at once unless that can't be. */
    async see(
      from: number,
      to: number,
      found: Record<string, number> | null | ((at: number) => number),
      judges = true,
    ) {
      for (let at = from; at <= to; at += 10) {
        const figures = typeof found === "function" ? { "": found(at) } : found;
        now = figures === null ? null : Object.entries(figures).map(([subject, value]) => ({ subject, value }));
        await looks.look(T + at * 1000);
        if (judges) await judge();
      }
    },
  };
}

const alerts = async () =>
  (
    await db.pool.query<object>(
      `SELECT subject, device_id AS device, severity, state, closed_reason AS reason, first_value AS first, worst_value AS worst,
         extract(epoch FROM started_at - $1)::float8 AS started, extract(epoch FROM fired_at - $1)::float8 AS fired,
         extract(epoch FROM ended_at - $1)::float8 AS ended FROM alert ORDER BY id`,
      [new Date(T)],
    )
  ).rows;

const LAG = { kind: "pipeline", measure: "lagSeconds", limit: 60, forMs: 60_000, severity: "critical" };
const AWAY = { kind: "pipeline", measure: "engineAway", forMs: 30_000 };

test("a lag that lasts fires once, with its figures, and ends", async () => {
  await addRule(db.pool, "behind", LAG);
  const { see, judge } = scripted();
  await judge();
  await see(0, 50, { "": 10 });
  await see(60, 300, (at) => at);
  await see(310, 330, { "": 0 });
  // 61 s were waited for at 61, though nobody looked then.
  expect(await eventsOf(db.pool, T)).toEqual(["fired 121", "resolved 310"]);
  // Written every 20 s while it goes on.
  expect(await alerts()).toMatchObject([
    {
      subject: "",
      device: null,
      severity: "critical",
      state: "resolved",
      first: 61,
      worst: 290,
      started: 61,
      ended: 310,
    },
  ]);
  expect((await db.pool.query(`SELECT state->>'phase' AS phase FROM alert_state`)).rows).toEqual([{ phase: "normal" }]);
});

test("a worker that was away says for how long messages have waited", async () => {
  await addRule(db.pool, "behind", LAG);
  const { see, judge } = scripted();
  await judge();
  await see(600, 600, { "": 600 });
  await see(610, 610, { "": 0 });
  expect(await eventsOf(db.pool, T)).toEqual(["fired 121", "resolved 610"]);
});

test("what was seen while nothing could be judged is told as past; what was too short isn't", async () => {
  await addRule(db.pool, "away", AWAY);
  const { see, judge } = scripted();
  await judge();
  await see(0, 20, { PostgreSQL: 0, Kafka: 0 });
  await see(30, 150, { PostgreSQL: 1, Kafka: 0 }, false);
  await see(160, 170, { PostgreSQL: 1, Kafka: 1 }, false);
  await see(180, 180, { PostgreSQL: 0, Kafka: 0 });
  expect(await eventsOf(db.pool, T)).toEqual(["fired 60", "resolved 180"]);
  expect(await alerts()).toMatchObject([{ subject: "PostgreSQL", started: 30, fired: 60, ended: 180 }]);
});

test("each source is watched by itself, and one that is there no more closes its alert", async () => {
  await addRule(db.pool, "quiet", { kind: "pipeline", measure: "sourceSilentMinutes", limit: 5 });
  const { see, judge } = scripted();
  await judge();
  await see(0, 0, { north: 6, south: 4 });
  await see(120, 120, { north: 8, south: 6 });
  await see(130, 130, { south: 6.2 });
  expect(await alerts()).toMatchObject([
    { subject: "north", state: "closed", reason: "not watched any more", started: -59 },
    { subject: "south", state: "firing", started: 61, reason: null },
  ]);
});

test("what nobody looked at for long is no lasting, and one that fires waits", async () => {
  await addRule(db.pool, "away", { ...AWAY, forMs: 100_000 });
  const { see, judge } = scripted();
  await judge();
  await see(0, 20, { Kafka: 1 });
  await see(30, 300, null);
  await see(310, 400, { Kafka: 1 });
  expect(await eventsOf(db.pool, T)).toEqual([]);
  await see(410, 410, { Kafka: 1 });
  await see(420, 500, null);
  await see(510, 510, { Kafka: 0 });
  expect(await eventsOf(db.pool, T)).toEqual(["fired 410", "stale 470", "resolved 510"]);
});

test("a changed rule keeps what is still so and closes the rest; one that is off closes all", async () => {
  const id = await addRule(db.pool, "disk", { kind: "pipeline", measure: "freeDiskPercent", limit: 10 });
  const { see, judge } = scripted();
  await judge();
  await see(0, 20, { "": 7 });
  await changeRule(db.pool, id, { kind: "pipeline", measure: "freeDiskPercent", limit: 8, forMs: 600_000 });
  await see(30, 40, { "": 7 });
  expect(await eventsOf(db.pool, T)).toEqual(["fired 0", "rule-changed 30"]);
  await changeRule(db.pool, id, { kind: "pipeline", measure: "freeDiskPercent", limit: 5 });
  await see(50, 60, { "": 7 });
  expect(await alerts()).toMatchObject([{ state: "closed", reason: "rule changed", ended: 50 }]);
  await see(70, 80, { "": 4 });
  await db.pool.query(`UPDATE alert_rule SET enabled = false`);
  await judge();
  expect((await alerts())[1]).toMatchObject({ state: "closed", reason: "rule off" });
  expect((await db.pool.query(`SELECT FROM alert_state`)).rowCount).toBe(0);
});

test("a database from before such rules keeps its alerts and where they stand", async () => {
  await goBackBefore(db, "20261202060000_pipeline_rules");
  await db.pool.query(
    `INSERT INTO site (name) VALUES ('hall'); INSERT INTO device (name, site_id) VALUES ('kept', 1);
     INSERT INTO alert (rule_id, rule_version, device_id, severity, state, started_at, fired_at) SELECT 1, 1, id, 'warning', 'firing', now(), now() FROM device;
     INSERT INTO alert_state (device_id, rule_id, metric_id, state, version) SELECT id, 1, 0, '{"phase": "firing"}', 1 FROM device`,
  );
  await migrate(db.connectionString);
  expect(await alerts()).toMatchObject([{ subject: null, device: expect.any(Number) as number, state: "firing" }]);
  expect((await db.pool.query(`SELECT subject, state FROM alert_state`)).rows).toEqual([
    { subject: "", state: { phase: "firing" } },
  ]);
});
