import { afterAll, beforeAll, expect, test } from "vitest";
import { createPostgresDeadLetters } from "@/server/adapters/postgres/dead-letters";
import { createPostgresMessageArchive } from "@/server/adapters/postgres/message-archive";
import { composeJobs, type JobParts } from "@/server/compose-jobs";
import { NEVER_RESENT } from "@/server/ports/dead-letters";
import { freshDatabase, type TestDatabase } from "@/server/testing/database";
import { jobContext } from "@/server/testing/job-context";

let db: TestDatabase;
beforeAll(async () => {
  db = await freshDatabase();
});
afterAll(() => db.drop());

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
        senderSite: null,
        ...{ source: null, delivery: null },
        ...NEVER_RESENT,
      },
    ]);
    await db.pool.query(`INSERT INTO pipeline_rate VALUES ($1, 'c', 't', 0, 1, 1, 0, 0, '{1}')`, [
      new Date(now - days * DAY + DAY / 2).toISOString(),
    ]);
    await db.pool.query(
      `INSERT INTO job_run (id, job, lane, trigger, state, created_at, finished_at) VALUES ($1, 'j', 'j', 'request', 'done', $2, $2)`,
      [`${offset}`, new Date(time)],
    );
  }
  await db.pool.query(
    `INSERT INTO sample VALUES (1, '1990-01-01', '{1}', '{1}'), (1, now(), '{1}', '{1}');
     INSERT INTO log_topic (name, retention_ms, durable) VALUES ('t', 1800000, true);
     INSERT INTO log_partition SELECT id, 0, 0, 2 FROM log_topic;
     INSERT INTO log_batch SELECT id, 0, n, 1, now() - (1 - n) * interval '1 hour', '' FROM log_topic, generate_series(0, 1) n`,
  );
  const retention = { READINGS_RETENTION_DAYS: 365, ARCHIVE_RETENTION_DAYS: 30, DEAD_LETTER_RETENTION_DAYS: 30 };
  const parts = {
    config: { pipeline: retention, cold: { COLD_AFTER_DAYS: 90 }, access: {}, dataDir: "/nowhere" },
    engines: { coldStore: null, inspection: { kafka: null, mongodb: null } },
    work: db.pool,
  } as unknown as JobParts;
  const jobs = composeJobs(parts).filter(({ name }) => name.endsWith("-retention"));
  for (const job of jobs) await job.run(jobContext(db.pool, { now }));
  for (const table of ["archive_fresh", "dead_letter", "pipeline_rate", "sample", "job_run", "log_batch"]) {
    const { rows } = await db.pool.query(`SELECT count(*)::int AS count FROM ${table}`);
    expect([table, rows[0]]).toEqual([table, { count: 1 }]);
  }
});

test("no two jobs have the same name", () => {
  const pipeline = { READINGS_RETENTION_DAYS: 365, ARCHIVE_RETENTION_DAYS: 30, DEAD_LETTER_RETENTION_DAYS: 30 };
  const engines = { coldStore: {}, inspection: { kafka: null, mongodb: null } };
  const names = composeJobs({
    config: { pipeline, cold: { COLD_AFTER_DAYS: 90 }, access: {}, dataDir: "/nowhere" },
    engines,
    work: db.pool,
  } as unknown as JobParts).map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const name of names) expect(name).toMatch(/^[a-z-]{1,64}$/);
});
