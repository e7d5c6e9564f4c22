import pino from "pino";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createPostgresDeadLetters } from "@/server/adapters/postgres/dead-letters";
import { createPostgresMessageArchive } from "@/server/adapters/postgres/message-archive";
import { freshDatabase, type TestDatabase } from "@/server/testing/database";
import { until } from "@/server/testing/until";
import { retentionJobs } from "@/server/compose-jobs";
import { NEVER_REPLAYED } from "@/server/ports/dead-letters";
import { runJobs } from "./run-jobs";

let db: TestDatabase;
beforeAll(async () => {
  db = await freshDatabase();
});
afterAll(() => db.drop());

const logger = pino({ level: "silent" });
const DAY = 24 * 3_600_000;

test("each store keeps what is younger than its retention", async () => {
  const archive = createPostgresMessageArchive(db.pool);
  const deadLetters = createPostgresDeadLetters(db.pool);
  const now = Date.now();
  for (const [offset, days] of [1, 50].entries()) {
    const time = now - days * DAY;
    const position = { log: "l", partition: 0, offset };
    const times = { eventTime: time, ingestTime: time, processedTime: time };
    await archive.store([{ position, device: "d", body: "{}", ...times }]);
    await deadLetters.store([
      {
        ...times,
        id: `${offset}`,
        position,
        reason: "notJson",
        detail: "",
        device: null,
        field: null,
        raw: Buffer.of(1),
        ...NEVER_REPLAYED,
      },
    ]);
    await db.pool.query(`INSERT INTO pipeline_rate VALUES ($1, 'c', 't', 0, 1, 1, 0, 0, '{1}')`, [
      new Date(now - days * DAY + DAY / 2).toISOString(),
    ]);
  }
  await db.pool.query(`INSERT INTO sample VALUES (1, '1990-01-01', '{1}', '{1}'), (1, now(), '{1}', '{1}')`);
  let expired = 0;
  const jobs = retentionJobs({
    pool: db.pool,
    archive,
    deadLetters,
    removeExpiredRecords: async () => ++expired,
    readingsDays: 365,
    archiveDays: 30,
    deadLetterDays: 30,
  });
  for (const job of jobs) await job.run(now);
  for (const table of ["message_archive", "dead_letter", "pipeline_rate", "sample"]) {
    const { rows } = await db.pool.query(`SELECT count(*)::int AS count FROM ${table}`);
    expect([table, rows[0]]).toEqual([table, { count: 1 }]);
  }
  expect(expired).toBe(1);
});

test("jobs run when due, one process at a time, and outlive a failure", async () => {
  let at = 0;
  let most = 0;
  const runs = [0, 0];
  const start = (i: number) =>
    runJobs({
      pool: db.pool,
      logger,
      firstMs: 0,
      jobs: [
        {
          name: "test",
          everyMs: 5,
          async run() {
            most = Math.max(most, ++at);
            runs[i]!++;
            await db.pool.query("SELECT pg_sleep(0.005)");
            at--;
            throw new Error("always");
          },
        },
      ],
    });
  const processes = [start(0), start(1)];
  await until(() => runs[0]! > 2 && runs[1]! > 2);
  await Promise.all(processes.map((process) => process.stop()));
  expect(most).toBe(1);
});
