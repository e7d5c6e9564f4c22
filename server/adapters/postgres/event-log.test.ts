import { connect, createServer, type Socket } from "node:net";
import pino from "pino";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createPool } from "@/server/postgres/connection";
import type { StoredRecord } from "@/server/ports/event-log";
import { freshDatabase, type TestDatabase } from "@/server/testing/database";
import { eventLogContract, type OpenLog } from "@/server/testing/event-log.contract";
import { until } from "@/server/testing/until";
import { createPostgresEventLog, createPostgresLogRetention } from "./event-log";
import { encodeFrames } from "./event-log/framing";

const logger = pino({ level: "silent" });

/** Opens the log through a door of its own that can be shut, which ends its connections as a dying process would. */
async function openLog(connectionString: string): Promise<OpenLog> {
  const url = new URL(connectionString);
  const target = { host: url.hostname, port: Number(url.port || 5432) };
  const sockets = new Set<Socket>();
  let shut = false;
  const door = createServer((inner) => {
    if (shut) return void inner.destroy();
    const outer = connect(target);
    for (const [socket, other] of [
      [inner, outer],
      [outer, inner],
    ] as const) {
      sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        sockets.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  });
  await new Promise<void>((resolve) => door.listen(0, "127.0.0.1", resolve));
  url.hostname = "127.0.0.1";
  url.port = String((door.address() as { port: number }).port);
  const pool = createPool(url.href, { role: "test", logger, size: 4 });
  const log = createPostgresEventLog({ pool, connectionString: url.href, role: "test", logger });
  return {
    log: {
      ...log,
      async close() {
        await log.close();
        await pool.end();
        for (const socket of sockets) socket.destroy();
        await new Promise((resolve) => door.close(resolve));
      },
    },
    async cut() {
      shut = true;
      for (const socket of sockets) socket.destroy();
    },
    async restore() {
      shut = false;
    },
  };
}

eventLogContract("postgres", async () => {
  const { connectionString, drop } = await freshDatabase();
  return { open: () => openLog(connectionString), close: drop };
});

describe("event log on PostgreSQL", () => {
  let database: TestDatabase;
  let open: OpenLog;
  beforeAll(async () => {
    database = await freshDatabase();
    open = await openLog(database.connectionString);
  });
  afterAll(async () => {
    await open.log.close();
    await database.drop();
  });

  it("moves a partition when the connection of its owner is ended by the server", async () => {
    const { log } = open;
    await log.ensureTopics([{ topic: "ended", partitions: 3, retentionMs: 1e9, durable: true }]);
    const errors: unknown[] = [];
    const consumption = await log.consume({
      topic: "ended",
      group: "g",
      maxRecords: 10,
      maxBytes: 1e6,
      concurrency: 1,
      onBatch: async () => undefined,
      onError: (error) => errors.push(error),
    });
    await until(() => consumption.assigned().length === 3);
    const { owner } = (await log.describe("ended", "g")).partitions[0]!;
    expect(owner).toMatch(/^fieldwatch test .+:\d+$/);
    await database.pool.query("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'");
    await until(() => errors.length === 1);
    await until(() => consumption.assigned().length === 3);
    expect(errors.length).toBe(1);
    await consumption.stop(1000);
  });

  it("merges calls that wait into one transaction", async () => {
    const { log } = open;
    await log.ensureTopics([{ topic: "merged", partitions: 1, retentionMs: 1e9, durable: false }]);
    await Promise.all(
      Array.from({ length: 200 }, (_, n) => log.append("merged", [{ key: "k", value: Buffer.from(String(n)) }])),
    );
    const { rows } = await database.pool.query(
      "SELECT records FROM log_batch b JOIN log_topic t ON t.id = topic_id WHERE name = 'merged'",
    );
    expect(rows.reduce((sum: number, row: { records: number }) => sum + row.records, 0)).toBe(200);
    expect(rows.length).toBeLessThan(10);
  });

  it("delivers what went to more partitions than a notification can name", async () => {
    const { log } = open;
    await log.ensureTopics([{ topic: "wide", partitions: 300, retentionMs: 1e9, durable: true }]);
    const seen: string[] = [];
    const consumption = await log.consume({
      topic: "wide",
      group: null,
      maxRecords: 1000,
      maxBytes: 1e6,
      concurrency: 1,
      onBatch: async ({ records }) => void seen.push(...records.map(({ key }) => key!)),
      onError: () => undefined,
    });
    const keys = Array.from({ length: 3000 }, (_, n) => `key ${n}`);
    const value = Buffer.from("v");
    await log.append(
      "wide",
      keys.map((key) => ({ key, value })),
    );
    await until(() => seen.length === keys.length);
    expect(new Set(seen)).toEqual(new Set(keys));
    await consumption.stop(1000);
  });

  it("shows nothing of an append before all offsets below it are there", async () => {
    const { log } = open;
    await log.ensureTopics([{ topic: "order", partitions: 1, retentionMs: 1e9, durable: true }]);
    const seen: StoredRecord[] = [];
    const consumption = await log.consume({
      topic: "order",
      group: null,
      maxRecords: 1000,
      maxBytes: 1e6,
      concurrency: 1,
      onBatch: async ({ records }) => void seen.push(...records),
      onError: () => undefined,
    });
    // Another writer that has its offsets and takes its time over the commit.
    const slow = await database.pool.connect();
    await slow.query("BEGIN");
    await slow.query(
      "UPDATE log_partition SET end_offset = end_offset + 1 FROM log_topic t WHERE t.id = topic_id AND t.name = 'order' RETURNING end_offset",
    );
    const fast = log.append("order", [{ key: "k", value: Buffer.from("fast") }]);
    await until(async () => (await database.pool.query("SELECT 1 FROM pg_locks WHERE NOT granted")).rowCount);
    expect(seen).toEqual([]);
    await slow.query("INSERT INTO log_batch SELECT id, 0, 0, 1, now(), $1 FROM log_topic WHERE name = 'order'", [
      encodeFrames([{ key: null, value: Buffer.from("slow") }])[0]!.payload,
    ]);
    await slow.query("COMMIT");
    slow.release();
    await fast;
    await until(() => seen.length === 2);
    expect(seen.map(({ offset, value }) => [offset, Buffer.from(value).toString()])).toEqual([
      [0, "slow"],
      [1, "fast"],
    ]);
    await consumption.stop(1000);
  });

  it("removes what is older than the retention from the start, and goes on there", async () => {
    const { log } = open;
    await log.ensureTopics([{ topic: "old", partitions: 1, retentionMs: 60_000, durable: true }]);
    for (let n = 0; n < 5; n++)
      await log.append(
        "old",
        [0, 1, 2].map((m) => ({ key: null, value: Buffer.from(`${n}/${m}`) })),
      );
    const parts = createPostgresLogRetention(database.pool);
    const removeOld = async () => {
      let removed = 0;
      for await (const count of parts()) removed += count;
      return removed;
    };
    expect(await removeOld()).toBe(0);
    // The fourth append is as old as the first two, but the third is not: only the start is removed.
    await database.pool.query(
      `UPDATE log_batch SET ingest_time = now() - interval '2 minutes'
       FROM log_topic t WHERE t.id = topic_id AND t.name = 'old' AND last_offset IN (2, 5, 11)`,
    );
    expect(await removeOld()).toBe(6);
    expect(await removeOld()).toBe(0);
    expect((await log.describe("old", "g")).partitions[0]).toMatchObject({ start: 6, end: 15 });
    const seen: StoredRecord[] = [];
    const bounds: unknown[] = [];
    const consumption = await log.consume({
      topic: "old",
      group: "g",
      maxRecords: 1000,
      maxBytes: 1e6,
      concurrency: 1,
      startAt: async (_, { start, end }) => {
        bounds.push([start, end]);
        return 3;
      },
      onBatch: async ({ records }) => void seen.push(...records),
      onError: () => undefined,
    });
    await until(() => seen.length === 9);
    expect(bounds).toEqual([[6, 15]]);
    expect(seen[0]?.offset).toBe(6);

    // All of it expires: the end stays, and the consumer goes on with what comes.
    await database.pool.query("UPDATE log_batch SET ingest_time = now() - interval '2 minutes'");
    await removeOld();
    expect((await log.describe("old", "g")).partitions[0]).toMatchObject({ start: 15, end: 15, oldestWaiting: null });
    await log.append("old", [{ key: null, value: Buffer.from("new") }]);
    await until(() => seen.length === 10);
    expect(seen.at(-1)?.offset).toBe(15);
    await consumption.stop(1000);
  });

  it("begins at the start when the committed offset is of another life of the topic", async () => {
    const { log } = open;
    await log.ensureTopics([{ topic: "reborn", partitions: 1, retentionMs: 1e9, durable: true }]);
    await log.append("reborn", [{ key: null, value: Buffer.from("first") }]);
    await database.pool.query("INSERT INTO log_commit SELECT id, 0, 'g', 1000 FROM log_topic WHERE name = 'reborn'");
    const seen: StoredRecord[] = [];
    const consumption = await log.consume({
      topic: "reborn",
      group: "g",
      maxRecords: 1000,
      maxBytes: 1e6,
      concurrency: 1,
      onBatch: async ({ records }) => void seen.push(...records),
      onError: () => undefined,
    });
    await until(() => seen.length === 1);
    await consumption.stop(1000);
  });
});
