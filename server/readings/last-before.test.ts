import { afterAll, beforeAll, expect, test } from "vitest";
import type { Sample } from "@/server/ports/commit-batch";
import { withTransaction } from "@/server/postgres/transaction";
import { freshDatabase, type TestDatabase } from "@/server/testing/database";
import { mergeAll, storeSamples } from "@/server/testing/stored-readings";
import { findHeldDevice } from "./held-hours";
import { readLastBefore } from "./last-before";

const [MINUTE, HOUR, DAY] = [60_000, 3_600_000, 86_400_000];
const START = Date.UTC(2026, 9, 1);
/** A flag, metric 2, once a day at half past twelve; metric 1 each ten minutes of ten days. */
const at = (day: number) => START + day * DAY + 12 * HOUR + 30 * MINUTE;
const samples: Sample[] = [
  ...Array.from({ length: 1440 }, (_, i) => ({
    deviceId: 1,
    time: START + i * 10 * MINUTE,
    metrics: [1],
    values: [i],
  })),
  ...Array.from({ length: 10 }, (_, day) => ({ deviceId: 1, time: at(day) + 1, metrics: [2], values: [day % 2] })),
].sort((a, b) => a.time - b.time);

let db: TestDatabase;
beforeAll(async () => {
  db = await freshDatabase();
  await db.pool.query(
    "INSERT INTO device (name) VALUES ('a'); INSERT INTO metric (name, kind) VALUES ('heat', 'number'), ('door', 'boolean')",
  );
  await storeSamples(db.pool, samples);
});
afterAll(() => db.drop());

const before = (time: number, metrics?: readonly number[]) =>
  withTransaction(db.pool, async (client) =>
    Object.fromEntries(await readLastBefore(client, (await findHeldDevice(client, 1, "all"))!, time, metrics)),
  );

// Hours have no rollups at first: what is told is the same.
test.each([["the readings alone"], ["rollups, and the readings of an hour"]])(
  "the last reading of each metric before a moment, from %s",
  async (from) => {
    if (from !== "the readings alone") await mergeAll(db.pool);
    const noon = START + 5 * DAY + 12 * HOUR;
    expect(await before(noon)).toEqual({
      1: { time: noon - 10 * MINUTE, value: 5 * 144 + 71 },
      2: { time: at(4) + 1, value: 0 },
    });
    // To the millisecond, within an hour and a minute.
    expect(await before(at(5) + 1, [2])).toEqual({ 2: { time: at(4) + 1, value: 0 } });
    expect(await before(at(5) + 2, [2])).toEqual({ 2: { time: at(5) + 1, value: 1 } });
    expect(await before(START)).toEqual({});
    expect(await before(at(9) + 40 * DAY)).toEqual({});
  },
);
