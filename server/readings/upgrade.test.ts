import { afterAll, beforeAll, expect, test } from "vitest";
import { migrate } from "@/server/postgres/migrate";
import { freshDatabase, goBackBefore, type TestDatabase } from "@/server/testing/database";
import { readSeries } from "./reading-queries";

let db: TestDatabase;
beforeAll(async () => {
  db = await freshDatabase();
});
afterAll(() => db.drop());

const AT = Date.UTC(2026, 0, 15, 10);

test("sums that were cut off at the largest double are counted anew, others stay", async () => {
  await goBackBefore(db, "20261128170000_large_sums");
  const bucket = (table: string) =>
    `INSERT INTO ${table} (device_id, bucket, metrics, counts, sums, mins, maxs, firsts, first_at, lasts, last_at)
     VALUES (1, '2026-01-15T10:00:00Z', '{1,2}', '{3,3}', '{1.7976931348623157e308,6}', '{1.5e308,1}', '{1.7e308,3}', '{1.6e308,1}', '{0,0}', '{1.7e308,3}', '{2000,2000}')`;
  await db.pool.query(
    `INSERT INTO device (name) VALUES ('meter-1');
     INSERT INTO metric (name, kind) VALUES ('large', 'number'), ('small', 'number');
     INSERT INTO sample_other (device_id, time, metrics, values) VALUES
       (1, '2026-01-15T10:00:00Z', '{1,2}', '{1.6e308,1}'), (1, '2026-01-15T10:00:01Z', '{1,2}', '{1.5e308,2}'), (1, '2026-01-15T10:00:02Z', '{1,2}', '{1.7e308,3}');
     ${bucket("rollup_minute_other")}; ${bucket("rollup_hour")}`,
  );
  await migrate(db.connectionString);
  for (const resolution of ["minute", "hour"] as const) {
    const of = async (metric: number) =>
      (
        await readSeries(db.pool, {
          sites: "all",
          device: 1,
          metric,
          from: AT,
          to: AT + 60_000,
          resolution,
          maxPoints: 10,
        })
      ).points[0]!;
    expect((await of(1)).mean / 1.6e308).toBeCloseTo(1, 12);
    expect((await of(2)).mean).toBe(2);
    const { rows } = await db.pool.query(`SELECT metric, sum FROM reading_${resolution} ORDER BY metric`);
    expect(rows).toEqual([
      { metric: "large", sum: null },
      { metric: "small", sum: 6 },
    ]);
  }
});
