import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { jobJobs } from "@/server/jobs/jobs";
import { migrate } from "@/server/postgres/migrate";
import { monthName, monthOf, readDivided, readMonths, startOf } from "@/server/postgres/months";
import { freshDatabase, goBackBefore, type TestDatabase } from "@/server/testing/database";
import { changeOf, eventOf, letterOf } from "@/server/testing/dead-letters/bench";
import { jobContext } from "@/server/testing/job-context";
import { createPostgresDeadLetters } from "../dead-letters";

const now = Date.now();
const month = monthOf(now);
/** A moment within the month that is so many after this one. */
const inMonth = (ahead: number) => startOf(month + ahead) + 86_400_000;

let db: TestDatabase;
beforeAll(async () => {
  db = await freshDatabase();
});
afterAll(() => db.drop());
beforeEach(() => db.pool.query("TRUNCATE dead_letter"));

const letters = () => createPostgresDeadLetters(db.pool);
const found = async () => (await letters().find({ sites: "all", limit: 100 })).map(({ id }) => id);
const placesOf = async () =>
  (
    await db.pool.query<{ place: string; count: number }>(
      `SELECT tableoid::regclass::text AS place, count(*)::integer AS count FROM dead_letter GROUP BY 1 ORDER BY 1`,
    )
  ).rows.map(({ place, count }) => [place, count]);

test("a month goes as a whole once all of it is old; what is being sent again stays, and can be settled", async () => {
  const old = [0, 1, 2].map((offset) => letterOf("d", offset, { ingestTime: inMonth(0) + offset }));
  const newer = letterOf("d", 3, { ingestTime: inMonth(1) });
  await letters().store([...old, newer]);
  const at = { table: "dead_letter", month };
  expect(await placesOf()).toEqual([
    [monthName(at), 3],
    [monthName({ ...at, month: month + 1 }), 1],
  ]);
  const sent = changeOf(old[1]!, { to: "resending", sends: true });
  await letters().change([sent]);
  expect(await letters().removeBefore(startOf(month + 1) - 1, 100), "not yet all of it").toBe(0);
  expect(await letters().removeBefore(startOf(month + 1), 100)).toBe(2);
  expect(await found()).toEqual([newer.id, old[1]!.id]);
  expect(await letters().removeBefore(startOf(month + 1), 100)).toBe(0);
  const settled = { id: old[1]!.id, from: ["resending"], resends: 1, to: "resent", event: eventOf("stored") } as const;
  expect((await letters().change([settled])).size).toBe(1);
  expect(await letters().removeBefore(startOf(month + 1), 100)).toBe(1);
  expect(await found()).toEqual([newer.id]);
});

test("months are made ahead by a job, not again, and told when they are in use", async () => {
  const ahead = jobJobs({ days: 1 }).find(({ name }) => name === "months-ahead")!;
  const run = async () => {
    const ctx = jobContext(db.pool, { now: inMonth(2) });
    await ahead.run(ctx);
    return ctx.noted()?.done ?? 0;
  };
  const tables = await readDivided(db.pool);
  expect(tables).toEqual(["dead_letter", "rollup_hour", "rollup_minute", "sample"]);
  const reader = await db.pool.connect();
  await reader.query("BEGIN; SELECT FROM dead_letter_other");
  await expect(run()).rejects.toThrow(monthName({ table: "dead_letter", month: month + 2 }));
  await reader.query("ROLLBACK");
  reader.release();
  expect(await run()).toBeGreaterThan(0);
  expect(await run()).toBe(0);
  const there = (await readMonths(db.pool, tables)).map(monthName);
  for (const table of tables)
    expect(there).toEqual(expect.arrayContaining([2, 3].map((more) => monthName({ table, month: month + more }))));
});

test("a letter that comes again with another time is the same, in whichever month", async () => {
  const letter = letterOf("d", 7, { ingestTime: inMonth(0) });
  await letters().store([letter]);
  const again = [inMonth(0) + 1, inMonth(1), 1000].map((ingestTime) => ({ ...letter, ingestTime }));
  await Promise.all(again.map((one) => letters().store([one])));
  expect(await found()).toEqual([letter.id]);
  const fresh = [1, 2, 3, 4].map((n) => ({ ...letterOf("d", 8), ingestTime: inMonth(n % 2) + n }));
  await Promise.all(fresh.map((one) => letters().store([one])));
  expect(await found()).toHaveLength(2);
});

test("letters of the version before are kept as they were, and removed by its rules", async () => {
  const old = await freshDatabase();
  try {
    await goBackBefore(old, "20261129130000_months_of_dead_letters");
    await old.pool.query(
      `INSERT INTO dead_letter (id, log, partition, "offset", reason, detail, device, ingest_time, processed_time, raw, status, resends)
       SELECT 'c/t/0/0/' || n || '/m', 'c/t/0', 0, n, 'notJson', 'x', 'd', now() - n * interval '20 days', now(), '{}',
              CASE n WHEN 4 THEN 'resending' ELSE 'open' END, 0
       FROM generate_series(0, 5) n`,
    );
    await migrate(old.connectionString);
    const store = createPostgresDeadLetters(old.pool);
    const offsets = async () =>
      (await store.find({ sites: "all", limit: 10 })).map(({ position }) => position.offset).join();
    expect(await offsets()).toBe("0,1,2,3,4,5");
    expect(await store.removeBefore(now - 50 * 86_400_000, 100)).toBe(2);
    expect(await offsets()).toBe("0,1,2,4");
    const next = letterOf("d", 9, { ingestTime: inMonth(1) });
    await store.store([next]);
    expect(await offsets()).toBe("9,0,1,2,4");
    await expect(old.pool.query("UPDATE dead_letter SET status = 'replayed'")).rejects.toThrow(
      "dead_letter_status_check",
    );
  } finally {
    await old.drop();
  }
});
