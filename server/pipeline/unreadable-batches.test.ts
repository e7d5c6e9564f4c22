import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { judgeLag, progressJudge } from "@/server/health/event-log";
import { signatureOf, SYSTEM } from "@/server/domain/access";
import type { UnreadableBatch } from "@/server/domain/unreadable";
import type { PartitionBounds } from "@/server/ports/event-log";
import { withTransaction } from "@/server/postgres/transaction";
import { migrate } from "@/server/postgres/migrate";
import { freshDatabase, goBackBefore } from "@/server/testing/database";
import { createPipelineState } from "./pipeline-state";
import { advancePositions, type PipelinePosition, takePosition } from "./positions";
import { noteUnreadable, readSkipped, readStopping, skipUnreadable } from "./unreadable-batches";

const db = await freshDatabase();
afterAll(() => db.drop());
beforeEach(() => db.pool.query("TRUNCATE pipeline_position, unreadable_batch"));

const TOPIC = "iot.telemetry";
const CLUSTER = "here";
const NOW = Date.UTC(2026, 10, 28);
const BATCH: UnreadableBatch = {
  ...{ partition: 1, from: 100, to: 119, records: 20 },
  ...{ reason: "undecompressable", codec: "lz4", detail: "a block ends after the data" },
};
const NOTHING = {
  ...{ messages: 0, readings: 0, duplicates: 0, conflicts: 0, deadLetters: 0, late: 0, skipped: 0 },
};

const boundsFrom = (start: number, cluster = CLUSTER): PartitionBounds => {
  return { cluster, topicId: "1", start, end: 1000, endOfTerm: async () => null };
};

async function positionAt(partition: number, start: number, cluster = CLUSTER): Promise<PipelinePosition> {
  const bounds = boundsFrom(start, cluster);
  return (await takePosition(db.pool, { topic: TOPIC, partition }, bounds, async () => bounds)).position;
}

const skip = (from = BATCH.from, to = BATCH.to) =>
  withTransaction(db.pool, (tx) =>
    skipUnreadable(tx, { partition: 1, from, to }, { name: "system", signature: signatureOf(SYSTEM), now: NOW }),
  );

test("a batch stops its partition from the first time it is met, until the position is past it", async () => {
  const position = await positionAt(1, 100);
  await positionAt(0, 0);
  expect(await noteUnreadable(db.pool, position, BATCH)).toBe(true);
  const [first] = (await readStopping(db.pool, CLUSTER)).values();
  expect(await noteUnreadable(db.pool, position, BATCH)).toBe(false);
  expect([...(await readStopping(db.pool, CLUSTER))]).toEqual([[1, first]]);
  expect(first).toEqual({ ...BATCH, since: first!.since });
  expect(await readStopping(db.pool, "elsewhere")).toEqual(new Map());

  // A later version of the worker can read it.
  await withTransaction(db.pool, (tx) =>
    advancePositions(tx, [{ position, to: 120, term: 3, totals: { ...NOTHING, messages: 20 } }]),
  );
  expect(await readStopping(db.pool, CLUSTER)).toEqual(new Map());
  expect(await skip()).toBeNull();
});

test("a skip moves the position once, counts what is lost, and is remembered; a stale page skips nothing else", async () => {
  const position = await positionAt(1, 100);
  await noteUnreadable(db.pool, position, BATCH);
  expect(await skip(100, 139)).toBeNull();
  expect(await skip(80, 119)).toBeNull();
  const results = await Promise.all([skip(), skip(), skip()]);
  const skipped = { ...BATCH, skippedAt: NOW, skippedBy: "system" };
  expect(results.filter((result) => result !== null)).toEqual([skipped]);
  expect(await readSkipped(db.pool, 10)).toEqual([skipped]);
  const { rows } = await db.pool.query(
    `SELECT next::int, messages::int, skipped::int FROM pipeline_position WHERE partition = 1`,
  );
  expect(rows).toEqual([{ next: 120, messages: 0, skipped: 20 }]);
  // Another worker that meets it with an old position changes nothing, nor can it commit.
  await noteUnreadable(db.pool, position, BATCH);
  expect(await readStopping(db.pool, CLUSTER)).toEqual(new Map());
  const committed = await withTransaction(db.pool, (tx) =>
    advancePositions(tx, [{ position, to: 120, term: 3, totals: NOTHING }]),
  );
  expect(committed.areAll).toBe(false);
});

test("of two clusters that stand at such a batch, the one that is read now is skipped", async () => {
  await noteUnreadable(db.pool, await positionAt(1, 100, "old"), BATCH);
  await noteUnreadable(db.pool, await positionAt(1, 100), BATCH);
  expect(await skip()).not.toBeNull();
  expect((await readStopping(db.pool, "old")).size).toBe(1);
  expect((await readStopping(db.pool, CLUSTER)).size).toBe(0);
});

test("a database from before goes on where it stood", async () => {
  const older = await freshDatabase();
  try {
    await goBackBefore(older, "20261128120000_unreadable_batches");
    await older.pool.query(
      `INSERT INTO pipeline_position (cluster, topic, epoch, partition, next, messages) VALUES ('here', '${TOPIC}', 0, 1, 100, 99)`,
    );
    await migrate(older.connectionString);
    const bounds = boundsFrom(0);
    const { position } = await takePosition(older.pool, { topic: TOPIC, partition: 1 }, bounds, async () => bounds);
    expect(await noteUnreadable(older.pool, position, BATCH)).toBe(true);
    expect([...(await readStopping(older.pool, CLUSTER)).keys()]).toEqual([1]);
  } finally {
    await older.drop();
  }
});

describe("health", () => {
  const pipelineState = createPipelineState({
    pool: db.pool,
    eventLog: {
      describe: async (topic) => ({
        ...{ cluster: CLUSTER, topic, topicId: "1", members: 1 },
        partitions: [0, 1].map((partition) => ({
          ...{ partition, start: 0, end: 300, readableEnd: 300, committed: null, oldestWaiting: 0, owner: "w" },
        })),
      }),
    },
    rejected: async () => 0,
    staleSeconds: 60,
    now: Date.now,
    onLogError: () => undefined,
  });

  test("names the partition, the batch, the cause and the fix, and judges the others by themselves", async () => {
    await positionAt(0, 300);
    await noteUnreadable(db.pool, await positionAt(1, 100), BATCH);
    const state = await pipelineState();
    expect(state).toMatchObject({ lag: 200, workers: 1 });
    expect(progressJudge()(state)).toEqual({
      status: "fail",
      summary: "Partition 1 has stopped: 20 messages at offsets 100–119 can't be read.",
      cause: expect.stringMatching(
        /^It can't be decompressed by lz4: a block ends after the data\. It has stood for \d+ s\. The 1 other partition goes on\.$/,
      ),
      fix: expect.stringContaining("skip this batch. Skipping is on the Pipeline page"),
    });
    expect(judgeLag(state)).toMatchObject({
      status: "pass",
      summary: "Nothing waits. Besides, 200 messages wait in partition 1, which has stopped.",
    });
    await skip();
    const after = await pipelineState();
    expect(after).toMatchObject({ lag: 180, totals: { skipped: 20 }, skippedBatches: [{ from: 100 }] });
    expect(progressJudge()(after).status).toBe("pass");
  });
});
