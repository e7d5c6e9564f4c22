import fc from "fast-check";
import pino from "pino";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createPostgresDeadLetters } from "@/server/adapters/postgres/dead-letters";
import { createPostgresDeviceTwins } from "@/server/adapters/postgres/device-twins";
import { createPostgresEventLog } from "@/server/adapters/postgres/event-log";
import { createPostgresMessageArchive } from "@/server/adapters/postgres/message-archive";
import { DocumentsUnavailableError } from "@/server/domain/unavailable";
import { PIPELINE_GROUP, TOPICS } from "@/server/domain/terms";
import type { Consumption, EventLog } from "@/server/ports/event-log";
import { createColdReader } from "@/server/readings/cold/reader";
import { archivedMessages } from "@/server/testing/archived";
import { freshDatabase, type TestDatabase } from "@/server/testing/database";
import { until } from "@/server/testing/until";
import { startConsumer } from "./consumer";
import { createPipeline } from "./pipeline";

const PARTITIONS = 4;
const LONGEST_MS = 400;
/** Past what the longest row of failures makes a partition wait before its next attempt. */
const BOUND_MS = 60_000;
const logger = pino({ level: "silent" });

/** What becomes of one call of a document store. */
type Luck = "works" | "away" | "neverAnswers" | "answersLate" | "breaks";
let luck: Luck[] = [];

let db: TestDatabase;
let log: EventLog;
let consumption: Consumption;

beforeAll(async () => {
  db = await freshDatabase();
  const { pool, connectionString } = db;
  log = createPostgresEventLog({ pool, connectionString, role: "test", logger });
  await log.ensureTopics([{ topic: TOPICS.telemetry, partitions: PARTITIONS, retentionMs: 86_400_000, durable: true }]);
  const archive = createPostgresMessageArchive(pool);
  const twins = createPostgresDeviceTwins(pool);
  const pipeline = createPipeline({
    pool,
    archive: { store: byLuck((messages) => archive.store(messages)) },
    twins: { merge: byLuck((updates) => twins.merge(updates)), get: twins.get, forget: twins.forget },
    deadLetters: createPostgresDeadLetters(pool),
    publishLive: { add() {}, leaveOut() {}, sent: async () => true, stop: async () => {} },
    timings: { add() {} },
    cold: createColdReader(null),
    ...{ maxDevices: 1000, maxMetrics: 1000, futureToleranceMs: 600_000 },
    oldestTaken: async () => () => null,
  });
  // Small batches, so that partitions have to wait for each other's room.
  const bounds = { maxRecords: 10, maxBytes: 1e6, longestMs: LONGEST_MS };
  const onFatal = (error: unknown) => expect.unreachable(String(error));
  consumption = await startConsumer({ eventLog: log, pool, pipeline, follow: () => null, ...bounds, logger, onFatal });
});
afterAll(async () => {
  luck = [];
  await consumption.stop(1000);
  await log.close();
  await db.drop();
});

function byLuck<A>(store: (some: A) => Promise<void>): (some: A) => Promise<void> {
  return async (some) => {
    const one = luck.shift() ?? "works";
    if (one === "away") throw new DocumentsUnavailableError("away");
    if (one === "breaks") throw new TypeError("x is not a function");
    if (one === "neverAnswers") await new Promise(() => {});
    if (one === "answersLate") await new Promise((resolve) => setTimeout(resolve, LONGEST_MS * 1.5));
    await store(some);
  };
}

const BEGIN = Date.now() - 60_000;
let sent = 0;
async function send(devices: readonly number[]): Promise<void> {
  const records = devices.map((device) => ({
    key: `d${device}`,
    value: Buffer.from(JSON.stringify({ device: `d${device}`, time: BEGIN + ++sent, readings: { a: sent } })),
  }));
  await log.append(TOPICS.telemetry, records);
}

async function lag(): Promise<number> {
  const { partitions } = await log.describe(TOPICS.telemetry, PIPELINE_GROUP);
  return partitions.reduce((sum, { committed, start, end }) => sum + end - (committed ?? start), 0);
}

test(
  "every partition goes on once the stores are back, whatever they did, and each message is kept once",
  { timeout: 240_000 },
  async () => {
    const lucks = fc.array(fc.constantFrom<Luck>("works", "away", "neverAnswers", "answersLate", "breaks"), {
      maxLength: 8,
    });
    const sendings = fc.array(fc.array(fc.nat(15), { minLength: 1, maxLength: 25 }), { minLength: 1, maxLength: 4 });
    await fc.assert(
      // One worker for all: what a fault leaves behind would show in a later one.
      fc.asyncProperty(lucks, sendings, async (given, messages) => {
        luck = [...given];
        for (const some of messages) await send(some);
        await until(async () => (await lag()) === 0, { timeoutMs: BOUND_MS, everyMs: 50, what: "nothing waits" });
      }),
      { numRuns: 15, endOnFailure: true },
    );
    const { rows } = await db.pool.query(`SELECT sum(messages)::int AS n FROM pipeline_position`);
    expect(rows).toEqual([{ n: sent }]);
    const letters = await db.pool.query<{ n: number }>(`SELECT count(*)::int AS n FROM dead_letter`);
    expect((await archivedMessages(db.pool)).length + letters.rows[0]!.n).toBeGreaterThanOrEqual(sent);
  },
);
