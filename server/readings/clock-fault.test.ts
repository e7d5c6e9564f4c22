import { afterAll, beforeAll, expect, test } from "vitest";
import { withTransaction } from "@/server/postgres/transaction";
import { freshDatabase, type TestDatabase } from "@/server/testing/database";
import { findClockFault } from "./clock-fault";
import { writeSamples } from "./samples";

let db: TestDatabase;
beforeAll(async () => void (db = await freshDatabase()));
afterAll(() => db.drop());

const HOUR = 3_600_000;
const now = Date.UTC(2026, 10, 28, 1);
/** Stores a reading of two metrics at each of these times. */
async function store(deviceId: number, times: readonly number[]): Promise<void> {
  await withTransaction(db.pool, async (client) => {
    const samples = times.map((time) => ({ deviceId, time, metrics: [1, 2], values: [1, 2] }));
    await writeSamples(client, samples, new Map());
  });
}

test("a clock that was not set is told from a history that began long ago", async () => {
  const hours = (from: number, count: number, stepMs = HOUR) =>
    Array.from({ length: count }, (_, i) => from + i * stepMs);
  const cases: [name: string, times: number[], fault: Awaited<ReturnType<typeof findClockFault>>][] = [
    ["nothing", [], null],
    ["one reading", [now], null],
    ["only 1970: there is nothing else to show", [3000, 13_000], null],
    ["1970", [3000, 13_000, 23_000, ...hours(now, 9)], { from: 0, to: HOUR, readings: 6 }],
    ["2000", [Date.UTC(2000, 0, 1), now], { from: Date.UTC(2000, 0, 1), to: Date.UTC(2000, 0, 1, 1), readings: 2 }],
    ["1970 and 2015", [3000, Date.UTC(2015, 0, 1), now], { from: 0, to: Date.UTC(2015, 0, 1, 1), readings: 4 }],
    ["a recording of 2010", hours(Date.UTC(2010, 0, 1), 30), null],
    ["a reading a year, for 40 years", hours(Date.UTC(1986, 0, 1), 40, 366 * 24 * HOUR), null],
  ];
  for (const [i, [name, times, fault]] of cases.entries()) {
    await store(i + 1, times);
    expect(await findClockFault(db.pool, i + 1), name).toEqual(fault);
  }
});
