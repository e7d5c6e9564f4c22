import { afterAll, beforeAll, expect, test } from "vitest";
import { migrate } from "@/server/postgres/migrate";
import { freshDatabase, goBackBefore, type TestDatabase } from "@/server/testing/database";
import { noteFleetLive, readFleetLive } from "./fleet-live";

let db: TestDatabase;
beforeAll(async () => {
  db = await freshDatabase();
});
afterAll(() => db.drop());

const HOUR = 3_600_000;
const NOW = Date.UTC(2026, 0, 15, 10, 30);

test("a database from before learns how many devices are usually live", async () => {
  await goBackBefore(db, "20261203020000_fleet_live");
  const seen = (secondsAgo: number) => `'${new Date(NOW - secondsAgo * 1000).toISOString()}'`;
  await db.pool.query(
    `INSERT INTO site (name) VALUES ('north');
     INSERT INTO device (name, site_id, last_seen) VALUES ('a', 1, ${seen(5)}), ('b', 1, ${seen(600)}), ('c', 1, ${seen(900)}),
       ('old', 1, ${seen(400_000)}), ('none', NULL, ${seen(7)}), ('new', 1, NULL);
     INSERT INTO device (name, site_id, last_seen, gone_at) VALUES ('gone', 1, ${seen(500)}, ${seen(500)})`,
  );
  await migrate(db.connectionString);

  const none = { site: null, known: 1, live: 1, usual: 1, lastSeen: NOW - 7000, fellAt: null };
  const north = { site: "north", known: 4, live: 1, usual: 3, lastSeen: NOW - 5000, fellAt: NOW - 900_000 };
  const before = await readFleetLive(db.pool, NOW, 60);
  expect(before).toEqual([north, none]);

  for (const [hours, live] of [
    [200, 99],
    [5, 4],
    [3, 2],
    [3, 4],
    [1, 5],
    [0, 1],
  ] as const)
    await noteFleetLive(db.pool, NOW - hours * HOUR, [{ ...north, live }]);
  // The median of 4, 3 and 5: this hour isn't over, and what is older than a week is gone.
  expect(await readFleetLive(db.pool, NOW, 60)).toEqual([{ ...north, usual: 4 }, none]);
  expect((await db.pool.query("SELECT DISTINCT hour FROM fleet_live")).rows).toHaveLength(4);
});
