import pino from "pino";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createPostgresDeadLetters } from "@/server/adapters/postgres/dead-letters";
import { deadLetterJobs } from "@/server/dead-letters/jobs";
import { readMark } from "@/server/domain/resend-mark";
import { migrate } from "@/server/postgres/migrate";
import { freshDatabase, goBackBefore, type TestDatabase } from "@/server/testing/database";
import { until } from "@/server/testing/until";
import { readRun, readRuns } from "./read";
import { runJobs } from "./run-jobs";

let db: TestDatabase;
beforeAll(async () => {
  db = await freshDatabase();
});
afterAll(() => db.drop());

test("work on many dead letters from before the jobs is kept, and what ran goes on where it stood", async () => {
  await goBackBefore(db, "20261128170000_jobs");
  await db.pool.query(
    `INSERT INTO dead_letter_job (id, action, filter, until, per_second, status, total, done, skipped, created_at, finished_at, error) VALUES
       ('ended', 'discard', '{"reason":"notJson","device":null}', '2026-11-01T10:00:00.250Z', 50, 'failed', 9, 3, 2, '2026-11-02', '2026-11-03', 'why'),
       ('waits', 'restore', '{}', '2026-11-01', 7, 'waiting', 0, 0, 0, '2026-11-04', NULL, NULL),
       ('runs', 'replay', '{"device":"d"}', '2026-11-01', 100, 'running', 4, 2, 1, '2026-11-05', NULL, NULL);
     INSERT INTO dead_letter (id, log, partition, "offset", reason, detail, device, ingest_time, processed_time, raw, status, replays, job, changed_at)
     SELECT 'c/t/0/0/' || n || '/m', 'c/t/0', 0, n, 'notJson', '', 'd', '2026-10-01', '2026-10-01', '{}', status, replays, CASE replays WHEN 1 THEN 'runs' END, now()
     FROM (VALUES (1, 'replayed', 1), (2, 'replaying', 1), (3, 'open', 0)) l (n, status, replays)`,
  );
  await migrate(db.connectionString);
  expect((await readRuns(db.pool, "dead-letters", "all", 9)).map(({ id }) => id).sort()).toEqual([
    "ended",
    "runs",
    "waits",
  ]);
  expect(await readRun(db.pool, "dead-letters", "all", "ended")).toMatchObject({
    ...{ state: "failed", total: 9, done: 5, cursor: { skipped: 2 }, error: "why", trigger: "request" },
    params: {
      ...{ action: "discard", filter: { reason: "notJson", device: null }, perSecond: 50 },
      until: Date.UTC(2026, 10, 1, 10, 0, 0, 250),
    },
    createdAt: Date.UTC(2026, 10, 2),
    finishedAt: Date.UTC(2026, 10, 3),
  });

  const sent: string[] = [];
  const deadLetters = createPostgresDeadLetters(db.pool);
  const settle = (id: string) =>
    deadLetters.change([
      {
        ...{ id, from: ["resending"], resends: 1, to: "resent" },
        event: { time: 0, kind: "stored", detail: "", edited: false },
      },
    ]);
  const eventLog = {
    append: async (_topic: string, records: readonly { headers?: Record<string, string> }[]) => {
      for (const { headers } of records) sent.push(readMark(headers!)!.letter);
    },
    describe: async () => ({ cluster: "c", topic: "t", topicId: null, members: 1, partitions: [] }),
  };
  const jobs = deadLetterJobs({ deadLetters, eventLog, days: 100_000, settleLeft: async () => {}, lookMs: 10 });
  const logger = pino({ level: "silent" });
  const worker = runJobs({ pool: db.pool, work: db.pool, jobs, owner: "w", logger, lookMs: 10 });
  await until(() => sent.length === 1);
  await settle("c/t/0/0/2/m");
  await settle("c/t/0/0/3/m");
  await until(async () => (await readRun(db.pool, "dead-letters", "all", "runs"))?.state === "done");
  await until(async () => (await readRun(db.pool, "dead-letters", "all", "waits"))?.state === "done");
  await worker.stop();
  expect(sent).toEqual(["c/t/0/0/3/m"]);
  expect(await readRun(db.pool, "dead-letters", "all", "runs")).toMatchObject({
    ...{ done: 4, total: 4, cursor: { skipped: 1, stored: 3, refused: 0 } },
  });
});
