import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { freshDatabase, type TestDatabase } from "@/server/testing/database";
import { addReadings, createOddWorker, ODD_DAY as DAY, ODD_STEP as STEP } from "@/server/testing/odd-rig";

let db: TestDatabase;
beforeAll(async () => {
  db = await freshDatabase();
});
afterAll(() => db.drop());
beforeEach(async () => {
  await db.pool.query(
    `TRUNCATE device, metric, sample RESTART IDENTITY CASCADE;
     INSERT INTO device (name) VALUES ('a'), ('b');
     INSERT INTO metric (name, kind) VALUES ('heat', 'number'), ('load', 'number'), ('door', 'boolean');
     INSERT INTO device_metric (device_id, metric_id) SELECT d, m FROM generate_series(1, 2) d, generate_series(1, 3) m`,
  );
});

const BEGIN = Date.UTC(2026, 0, 1);
const KNOWN = BEGIN + 15 * DAY;
const HEAT = `20 + 8 * sin(n * pi() / 144) + sin(n * n)`;
const LOAD = `50 + 3 * cos(n * 17.3)`;
const DOOR = `n % 2`;

/** Readings of both devices in [from, to); those of the first one's heat are moved by `jump`. */
async function add(from: number, to: number, jump = 0) {
  await addReadings(db.pool, 1, [`${HEAT} + ${jump}`, LOAD, DOOR], { begin: BEGIN, from, to });
  await addReadings(db.pool, 2, [HEAT, LOAD, DOOR], { begin: BEGIN, from, to });
}

async function stretches() {
  const { rows } = await db.pool.query<{
    device: string;
    metric: string;
    from: Date;
    goes_on: boolean;
    peak: number;
    score: number;
    ends: number[];
    scores: number[];
    channel: string;
  }>(
    `SELECT d.name AS device, m.name AS metric, from_time AS from, goes_on, peak, score, step_ends AS ends, step_scores AS scores, channel
     FROM odd_stretch s JOIN device d ON d.id = device_id JOIN metric m ON m.id = metric_id WHERE peak >= 1.5 ORDER BY from_time`,
  );
  return rows;
}

const states = async () =>
  (await db.pool.query<{ state: string }>(`SELECT encode(state, 'base64') AS state FROM odd_state ORDER BY device_id`))
    .rows;

test("the past is taken silently; what is farther than ever is a stretch with its steps, until it isn't", async () => {
  const run = createOddWorker(db.pool);
  await add(BEGIN, KNOWN);
  await run(KNOWN + 60_000);
  expect(await stretches()).toEqual([]);
  expect((await db.pool.query(`SELECT steps, since FROM odd_state WHERE device_id = 1`)).rows).toEqual([
    { steps: 15 * 288, since: new Date(BEGIN) },
  ]);
  await add(KNOWN, KNOWN + STEP, 40);
  await run(KNOWN + STEP + 60_000);
  await add(KNOWN + STEP, KNOWN + 3 * STEP, 40);
  await run(KNOWN + 3 * STEP + 60_000);
  const [one, ...others] = await stretches();
  expect(others).toEqual([]);
  expect(one).toMatchObject({
    device: "a",
    metric: "heat",
    from: new Date(KNOWN),
    goes_on: true,
    ends: [300, 600, 900],
  });
  expect(one!.peak).toBe(Math.max(...one!.scores));
  await add(KNOWN + 3 * STEP, KNOWN + 110 * STEP);
  await run(KNOWN + 110 * STEP + 60_000);
  const [over] = await stretches();
  expect(over).toMatchObject({ goes_on: false });
  expect(over!.score).toBeLessThan(1.047);
  // A hundred steps at most, and the one that is usual again.
  expect(over!.ends.length).toBeLessThanOrEqual(101);
});

test("a state is the same whether it was followed step by step, by others, or made again", async () => {
  await add(BEGIN, KNOWN);
  const first = createOddWorker(db.pool);
  await first(KNOWN + 60_000);
  for (let to = KNOWN + STEP, i = 0; i < 26; i++, to += STEP) {
    await add(to - STEP, to, i === 20 ? 40 : 0);
    // Another worker knows only what is stored, as does one after a restart.
    await (i % 5 === 0 ? createOddWorker(db.pool) : first)(to + 60_000);
  }
  const end = KNOWN + 27 * STEP;
  await add(end - STEP, end);
  await db.pool.query(`UPDATE odd_state SET version = version`);
  const found = await stretches();
  expect(found).toHaveLength(1);
  expect(new Set(found[0]!.ends).size).toBe(found[0]!.ends.length);
  const late = end + 13 * STEP;
  await add(end, late);
  await first(late + 60_000);
  const followed = await states();
  await db.pool.query(`UPDATE odd_state SET state = NULL, version = version + 1, until = $1`, [new Date(late)]);
  await createOddWorker(db.pool)(late + 60_000);
  expect(
    (await db.pool.query(`SELECT count(*)::int AS n FROM odd_state WHERE until = $1`, [new Date(late)])).rows,
  ).toEqual([{ n: 2 }]);
  const again = await states();
  expect(again.map(({ state }) => state.length)).toEqual(followed.map(({ state }) => state.length));
  // What is stored is up to an hour old; taken on to the same moment it is the same.
  await db.pool.query(`UPDATE odd_state SET state = NULL, version = version + 1`);
  await first(late + 60_000);
  expect(await states()).toEqual(again);
});

test("booleans and counters are left alone, and a step that isn't over is waited for", async () => {
  await addReadings(db.pool, 1, [`n * 2.5`, LOAD, DOOR], { begin: BEGIN, from: BEGIN, to: KNOWN });
  const run = createOddWorker(db.pool);
  await run(KNOWN - STEP + 1000);
  const until = async () =>
    (await db.pool.query<{ until: Date }>(`SELECT until FROM odd_state WHERE device_id = 1`)).rows[0]!.until.getTime();
  expect(await until()).toBe(KNOWN - STEP);
  await addReadings(db.pool, 1, [`n * 90`, LOAD, DOOR], { begin: BEGIN, from: KNOWN, to: KNOWN + 24 * STEP });
  await run(KNOWN + 24 * STEP + 60_000);
  expect(await until()).toBe(KNOWN + 24 * STEP);
  expect(await stretches()).toEqual([]);
});
