import pino from "pino";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { readBlocks } from "@/server/readings/blocks";
import { addRule, alertsOf, changeRule } from "@/server/testing/alert-rig";
import { freshDatabase, type TestDatabase } from "@/server/testing/database";
import { addReadings, createOddWorker, ODD_DAY as DAY, ODD_STEP as STEP } from "@/server/testing/odd-rig";
import { judgeOddness } from "./oddness";
import { seedRules } from "./turn";

let db: TestDatabase;
beforeAll(async () => {
  db = await freshDatabase();
});
afterAll(() => db.drop());

const BEGIN = Date.UTC(2026, 0, 1);
const KNOWN = BEGIN + 15 * DAY;
const HEAT = `20 + 8 * sin(n * pi() / 144) + sin(n * n)`;
const RULE = { kind: "oddness", metric: "he*", above: 1.5, forMs: 2 * STEP, keepMs: 0 };

let run: (now: number) => Promise<void>;
beforeEach(async () => {
  await db.pool.query(
    `TRUNCATE device, metric, sample, odd_stretch, odd_state, alert, alert_rule, alert_rule_version, alert_state RESTART IDENTITY CASCADE;
     INSERT INTO device (name) VALUES ('a'), ('b');
     INSERT INTO metric (name, kind, unit) VALUES ('heat', 'number', '°C');
     INSERT INTO device_metric (device_id, metric_id) VALUES (1, 1), (2, 1)`,
  );
  run = createOddWorker(db.pool);
  await go(BEGIN, KNOWN, 0);
});

const deps = () => ({ pool: db.pool, readBlocks, staleMs: 60_000, logger: pino({ level: "silent" }) });

/** Both devices send, the first one's values moved; then they are followed and judged. */
async function go(from: number, to: number, jump: number) {
  await addReadings(db.pool, 1, [`${HEAT} + ${jump}`], { begin: BEGIN, from, to });
  await addReadings(db.pool, 2, [HEAT], { begin: BEGIN, from, to });
  await run(to + 60_000);
  while (await seedRules(deps()));
  while (await judgeOddness(deps()));
}
const alerts = async () =>
  (await alertsOf(db.pool, KNOWN)).map(({ device, state, started, fired, reason }) => ({
    device,
    state,
    started,
    fired,
    reason,
  }));

test("fires when a chosen series has been that odd for long enough, once, whatever the steps come in", async () => {
  await addRule(db.pool, "odd", RULE);
  await go(KNOWN, KNOWN + STEP, 40);
  expect(await alerts()).toEqual([]);
  await go(KNOWN + STEP, KNOWN + 4 * STEP, 40);
  const firing = { device: "a", state: "firing", started: 300, fired: 900, reason: null };
  expect(await alerts()).toEqual([firing]);
  await judgeOddness(deps());
  await go(KNOWN + 4 * STEP, KNOWN + 5 * STEP, 40);
  expect(await alerts()).toEqual([firing]);
  // After a hundred steps it is usual.
  await go(KNOWN + 5 * STEP, KNOWN + 110 * STEP, 40);
  expect(await alerts()).toMatchObject([{ device: "a", state: "resolved" }]);
});

test("a rule that is new fires for what is odd by then; another limit keeps or closes it; off and normal end it", async () => {
  await go(KNOWN, KNOWN + 4 * STEP, 40);
  const rule = await addRule(db.pool, "odd", RULE, { seeded: 0 });
  while (await seedRules(deps()));
  expect(await alerts()).toMatchObject([{ device: "a", state: "firing", started: 300 }]);
  await changeRule(db.pool, rule, { ...RULE, above: 2 });
  while (await seedRules(deps()));
  expect(await alerts()).toMatchObject([{ state: "firing" }]);
  await changeRule(db.pool, rule, { ...RULE, above: 99 });
  while (await seedRules(deps()));
  expect(await alerts()).toMatchObject([{ state: "closed", reason: "rule changed" }]);
});

test("a rule for others, or for what is only a little odd, fires for nobody", async () => {
  await addRule(db.pool, "others", { ...RULE, of: { devices: ["b"] } });
  await addRule(db.pool, "more", { ...RULE, above: 90 });
  await go(KNOWN, KNOWN + 5 * STEP, 40);
  expect(await alerts()).toEqual([]);
});
