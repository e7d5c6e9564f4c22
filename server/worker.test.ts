import pino from "pino";
import { afterAll, beforeAll, expect, test } from "vitest";
import { composeEngines, topicSettings, type Engines } from "./compose";
import { loadConfig } from "./config/config";
import { TOPICS } from "./domain/terms";
import { freshDatabase, type TestDatabase } from "./testing/database";
import { until } from "./testing/until";
import { archivedMessages } from "@/server/testing/archived";
import { runWorker } from "./worker";

let db: TestDatabase;
beforeAll(async () => {
  db = await freshDatabase();
});
afterAll(() => db.drop());

const logger = pino({ level: "silent" });

const config = () => loadConfig({ NODE_ENV: "test", DATABASE_URL: db.appUrl, WORKER_BATCH_MESSAGES: "50" }, "");

/** Appends messages `from` to before `to`, of ten devices with two readings each. */
async function send(engines: Engines, from: number, to: number): Promise<void> {
  const records = [];
  for (let i = from; i < to; i++) {
    const device = `d${i % 10}`;
    const message = { device, time: Date.UTC(2026, 0, 1) + i * 1000, readings: { temp: i, on: true } };
    records.push({ key: device, value: Buffer.from(JSON.stringify(message)) });
  }
  await engines.eventLog.append(TOPICS.telemetry, records);
}

async function handled(): Promise<{ messages: number; readings: number; duplicates: number }> {
  const { rows } = await db.pool.query<{ messages: number; readings: number; duplicates: number }>(
    `SELECT COALESCE(sum(messages), 0)::int AS messages, sum(readings)::int AS readings,
            sum(duplicates)::int AS duplicates FROM pipeline_position`,
  );
  return rows[0]!;
}

async function expectAllOnce(messages: number): Promise<void> {
  expect(await handled()).toEqual({ messages, readings: 2 * messages, duplicates: 0 });
  const { rows } = await db.pool.query(
    `SELECT (SELECT count(*)::int FROM reading) AS readings, (SELECT sum(count)::int FROM reading_minute) AS minutes,
            (SELECT sum(count)::int FROM reading_hour) AS hours`,
  );
  expect(rows[0]).toEqual({ readings: 2 * messages, minutes: 2 * messages, hours: 2 * messages });
  expect(await archivedMessages(db.pool)).toHaveLength(messages);
}

test("two workers share the log, one leaves and another comes, and every reading is there once", async () => {
  const engines = await composeEngines(config(), "test", logger);
  await engines.eventLog.ensureTopics(topicSettings(config()));
  const first = await runWorker(config(), logger);
  await send(engines, 0, 1000);
  await until(async () => (await handled()).messages > 0, { timeoutMs: 20_000 });
  const second = await runWorker(config(), logger);
  await send(engines, 1000, 2000);
  await first.stop();
  await send(engines, 2000, 3000);
  const third = await runWorker(config(), logger);
  await until(async () => (await handled()).messages === 3000, { timeoutMs: 20_000 });
  await Promise.all([second.stop(), third.stop()]);
  await expectAllOnce(3000);
  await engines.close();
});

test("connections cut off in the middle of batches lose nothing and count nothing twice", async () => {
  const engines = await composeEngines(config(), "test", logger);
  await send(engines, 3000, 6000);
  const workers = await Promise.all([runWorker(config(), logger), runWorker(config(), logger)]);
  for (let cut = 1; cut <= 4; cut++) {
    const before = (await handled()).messages;
    await until(async () => (await handled()).messages > before || before === 6000, { timeoutMs: 20_000 });
    await db.pool.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE datname = current_database() AND application_name LIKE 'fieldwatch worker %'`,
    );
  }
  await until(async () => (await handled()).messages === 6000, { timeoutMs: 30_000 });
  await Promise.all(workers.map((worker) => worker.stop()));
  await expectAllOnce(6000);
  await engines.close();
}, 60_000);

test("a worker started before PostgreSQL is there waits for it, and stops when asked", async () => {
  const nowhere = loadConfig({ NODE_ENV: "test", DATABASE_URL: "postgresql://nobody@127.0.0.1:9/none" }, "");
  const worker = await runWorker(nowhere, logger);
  await worker.stop();
});
