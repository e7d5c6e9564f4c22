import { afterAll, beforeAll, expect, test } from "vitest";
import { migrate } from "@/server/postgres/migrate";
import { freshDatabase, goBackBefore, type TestDatabase } from "@/server/testing/database";
import { readKeptCounts } from "./kept-counts";

let db: TestDatabase;
beforeAll(async () => {
  db = await freshDatabase();
});
afterAll(() => db.drop());

test("dead letters of the version before are summed up by reason, those of longer ago as earlier", async () => {
  await goBackBefore(db, "20261204040000_refused_totals");
  await db.pool.query(
    `INSERT INTO pipeline_position (cluster, topic, partition, epoch, next, messages, dead_letters)
       VALUES ('c', 't', 0, 0, 9, 9, 5), ('c', 't', 0, 1, 9, 4, 2), ('c', 't', 1, 0, 3, 3, 1), ('c', 't', 2, 0, 3, 3, 0);
     INSERT INTO pipeline_refused (bucket, cluster, topic, partition, reason, letters)
       VALUES (now(), 'c', 't', 0, 'badValue', 2), (now() - interval '1 min', 'c', 't', 0, 'badValue', 1), (now(), 'c', 't', 1, 'tooOld', 1)`,
  );
  await migrate(db.connectionString);
  const { partitions, deadLetters } = await readKeptCounts(db.pool);
  expect(deadLetters).toEqual([
    { reason: "badValue", letters: 3 },
    { reason: "earlier", letters: 4 },
    { reason: "tooOld", letters: 1 },
  ]);
  expect(partitions.map(({ partition, messages }) => [partition, messages])).toEqual([
    [0, 13],
    [1, 3],
    [2, 3],
  ]);
  expect(await db.pool.query(`SELECT FROM pipeline_refused WHERE bucket > '-infinity'`)).toMatchObject({ rowCount: 3 });
});
