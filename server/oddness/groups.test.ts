import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { freshDatabase, type TestDatabase } from "@/server/testing/database";
import { groupOdd } from "./groups";
import { listOdd } from "./list";

const T = Date.UTC(2026, 10, 24, 14, 10);
let db: TestDatabase;

beforeAll(async () => {
  db = await freshDatabase();
  // Twenty devices at each of two sites and one at none, of four number series and a boolean each.
  await db.pool.query(
    `INSERT INTO site (id, name) VALUES (1, 'north'), (2, 'south');
     INSERT INTO device (id, name, site_id) OVERRIDING SYSTEM VALUE SELECT n, 'd' || n, CASE WHEN n <= 20 THEN 1 WHEN n <= 40 THEN 2 END FROM generate_series(1, 41) n;
     INSERT INTO metric (id, name, kind) OVERRIDING SYSTEM VALUE VALUES (1, 'heat', 'number'), (2, 'flow', 'number'), (3, 'load', 'number'), (4, 'noise', 'number'), (5, 'door', 'boolean');
     INSERT INTO device_metric (device_id, metric_id) SELECT d.id, m.id FROM device d, metric m`,
  );
});
beforeEach(() => db.pool.query("DELETE FROM odd_stretch"));
afterAll(() => db.drop());

async function odd(device: number, metrics: readonly number[], { goesOn = true, peak = 2 } = {}): Promise<void> {
  await db.pool.query(
    `INSERT INTO odd_stretch (device_id, metric_id, from_time, to_time, goes_on, score, peak, peak_at, channel, now_value, usual, farthest, known_since, step_ends, step_scores)
     SELECT $1, m, $2, $2, $4, $5, $5, $2, 'value', 1, 0, 1, $2, '{}', '{}' FROM unnest($3::integer[]) m`,
    [device, new Date(T + device * 1000), metrics, goesOn, peak],
  );
}
const groups = async (query = {}) =>
  (await groupOdd(db.pool, { sites: "all", least: 1.3, ...query })).map(
    ({ site, device, odd: n, of }) => `${device ?? site} ${n} of ${of}`,
  );
/** The list as the first page has it: what is told as one, and how many stretches besides. */
async function besides(query = {}): Promise<number> {
  const found = await groupOdd(db.pool, { sites: "all", least: 1.3, ...query });
  const without = {
    devices: found.flatMap(({ deviceId }) => deviceId ?? []),
    sites: found.flatMap(({ deviceId, siteId }) => (deviceId === null ? siteId! : [])),
  };
  const asked = { sites: "all", least: 1.3, after: T - 86_400_000, without, ...query } as const;
  return (await listOdd(db.pool, asked, null, 100)).total;
}

test("two series of a device are two, three are one", async () => {
  await odd(1, [1, 2]);
  expect(await groups()).toEqual([]);
  await odd(1, [4]);
  await odd(41, [1, 2, 3, 4], { peak: 3 });
  expect(await groups()).toEqual(["d41 4 of 4", "d1 3 of 4"]);
  expect(await besides()).toBe(0);
  const [wide] = await groupOdd(db.pool, { sites: "all", least: 1.3 });
  expect(wide).toMatchObject({ site: null, devices: 1, from: T + 41_000, peak: 3 });
  expect(wide!.metrics.toSorted()).toEqual(["flow", "heat", "load", "noise"]);
});

test("a fifth of a site's series is one, and its devices are within it; those of another site are as they are", async () => {
  for (let device = 1; device <= 15; device++) await odd(device, [1]);
  expect(await groups()).toEqual([]);
  await odd(15, [2, 3]);
  await odd(21, [1, 2, 3]);
  await odd(22, [1]);
  // 17 of 80, and a boolean is no series that could be odd.
  expect(await groups()).toEqual(["north 17 of 80", "d21 3 of 4"]);
  expect(await besides()).toBe(1);
  expect((await groupOdd(db.pool, { sites: "all", least: 1.3 }))[0]).toMatchObject({
    ...{ devices: 15, metrics: ["heat", "flow", "load"], from: T + 1000 },
  });
  // Of one site that is asked for its devices are told, of one device its series.
  expect(await groups({ site: "north" })).toEqual(["d15 3 of 4"]);
  expect(await groups({ device: "d15" })).toEqual([]);
  expect(await besides({ device: "d15" })).toBe(3);
});

test("what is over isn't odd at once, nor what is less odd than asked for; sites that aren't one's own don't count", async () => {
  await odd(1, [1, 2]);
  await odd(1, [3], { goesOn: false });
  await odd(2, [1, 2, 3], { peak: 1.2 });
  await odd(30, [1, 2, 3]);
  expect(await groups()).toEqual(["d30 3 of 4"]);
  expect(await groups({ sites: [1] })).toEqual([]);
  expect(await groups({ least: 1.1 })).toEqual(["d30 3 of 4", "d2 3 of 4"]);
  expect(await besides()).toBe(3);
});

test("a site with one device that is odd is told as that device", async () => {
  await db.pool.query(`UPDATE device SET site_id = NULL WHERE id BETWEEN 2 AND 20`);
  await odd(1, [1, 2, 3, 4]);
  expect(await groups()).toEqual(["d1 4 of 4"]);
});
