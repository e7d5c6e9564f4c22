import { afterAll, beforeAll, expect, test } from "vitest";
import type { LogLevel } from "@/server/domain/log-level";
import { freshDatabase, goBackBefore, type TestDatabase } from "@/server/testing/database";
import { until } from "@/server/testing/until";
import { followLogLevel, readLogLevel, writeLogLevel } from "./log-level";
import { migrate } from "./migrate";
import { withTransaction } from "./transaction";

let db: TestDatabase;
beforeAll(async () => {
  db = await freshDatabase();
});
afterAll(() => db.drop());

test("a level that is set is seen by who follows it, and is over after its time; the version before has none", async () => {
  await goBackBefore(db, "20261208010000_log_level");
  const seen: (LogLevel | null)[] = [];
  const stop = followLogLevel(db.pool, (level) => seen.push(level), 20);
  // Without the table nothing changes, and nobody is told.
  await migrate(db.connectionString);
  expect(await readLogLevel(db.pool)).toEqual({ level: null, until: null });
  const set = (level: LogLevel | null, minutes: number | null) =>
    withTransaction(db.pool, (tx) => writeLogLevel(tx, level, minutes));
  await set("debug", 10);
  await until(() => seen.length === 1);
  const { until: over } = await readLogLevel(db.pool);
  expect(over! - Date.now()).toBeGreaterThan(500_000);
  await db.pool.query("UPDATE log_level SET until = now() - interval '1 second'");
  await until(() => seen.length === 2);
  await set("error", null);
  await until(() => seen.length === 3);
  expect(await readLogLevel(db.pool)).toEqual({ level: "error", until: null });
  await set(null, null);
  await until(() => seen.length === 4);
  stop();
  expect(seen).toEqual(["debug", null, "error", null]);
});
