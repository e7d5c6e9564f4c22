import type { Pool, PoolClient } from "pg";
import { afterAll, beforeEach, afterEach, expect, test, vi } from "vitest";
import type { ArchivedMessage } from "@/server/ports/message-archive";
import { migrate } from "@/server/postgres/migrate";
import { freshDatabase, goBackBefore, type TestDatabase } from "@/server/testing/database";
import { counted, pages } from "@/server/testing/message-archive.contract";
import { createPostgresMessageArchive } from "./message-archive";

vi.setConfig({ testTimeout: 180_000 });

const DAY = 24 * 3_600_000;
const NOW = Date.UTC(2026, 10, 28, 12);

let db: TestDatabase;
const databases: TestDatabase[] = [];
beforeEach(async () => {
  db = await freshDatabase();
  databases.push(db);
});
afterEach(() => databases.pop()?.drop());
afterAll(async () => {
  for (const left of databases) await left.drop();
});

function messageOf(offset: number, over: Partial<ArchivedMessage> = {}): ArchivedMessage {
  const ingestTime = over.ingestTime ?? NOW - 6 * 3_600_000 + offset;
  const times = { eventTime: ingestTime - 5, ingestTime, processedTime: ingestTime + 5 };
  const device = `device-${offset % 7}`;
  const position = { log: "c/t/0", partition: offset % 2, offset };
  return { position, device, body: `{"device":"${device}","n":${offset}}`, ...times, ...over };
}

async function everything(pageSize = 40): Promise<readonly ArchivedMessage[]> {
  const archive = createPostgresMessageArchive(db.pool);
  const found: ArchivedMessage[] = [];
  for (let i = 0; i < 7; i++) found.push(...(await pages(archive, `device-${i}`, pageSize)));
  return found.sort((a, b) => a.position.offset - b.position.offset);
}

async function stored(table: string): Promise<{ blocks: number; messages: number }> {
  const { rows } = await db.pool.query<{ blocks: number; messages: number }>(
    `SELECT count(*)::int AS blocks, coalesce(sum(messages), 0)::int AS messages FROM ${table}`,
  );
  return rows[0]!;
}

async function parts(): Promise<string[]> {
  const { rows } = await db.pool.query<{ name: string }>(
    `SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = 'archive_block'::regclass ORDER BY 1`,
  );
  return rows.map(({ name }) => name);
}

test("days have partitions of their own, which are dropped whole; what is far from now is kept and removed all the same", async () => {
  const archive = createPostgresMessageArchive(db.pool, 30);
  const days = [-60, -2, -1, 0, 3];
  const messages = days.map((day, offset) => messageOf(offset, { ingestTime: NOW + day * DAY - 7_200_000 }));
  await archive.store(messages);
  await counted(archive.merge(NOW + 4 * DAY));
  expect(await parts()).toEqual([
    ...["archive_block_2026_11_26", "archive_block_2026_11_27", "archive_block_2026_11_28"],
    ...["archive_block_2026_12_01", "archive_block_other"],
  ]);
  expect(await stored("archive_block_other")).toEqual({ blocks: 1, messages: 1 });
  expect(await everything()).toEqual(messages);
  expect(await counted(archive.removeBefore(NOW - DAY))).toBe(2);
  expect(await parts()).not.toContain("archive_block_2026_11_26");
  expect(await everything()).toEqual(messages.slice(2));
  await archive.store([messageOf(9, { ingestTime: NOW - 40 * DAY })]);
  expect(await counted(archive.removeBefore(NOW + 4 * DAY))).toBe(4);
  expect(await parts()).toEqual(["archive_block_other"]);
  expect(await everything()).toEqual([]);
});

test("where much is kept, a partition has a month; days that are there already stay, and so do their blocks", async () => {
  const few = createPostgresMessageArchive(db.pool, 30);
  await few.store([messageOf(0)]);
  await counted(few.merge(NOW));
  const many = createPostgresMessageArchive(db.pool, 3650);
  const messages = [1, 2, 3].map((offset) => messageOf(offset, { ingestTime: NOW - offset * 20 * DAY }));
  await many.store(messages);
  await counted(many.merge(NOW));
  await many.store([messageOf(4, { ingestTime: NOW - DAY })]);
  await counted(many.merge(NOW));
  const names = await parts();
  expect(names).toContain("archive_block_2026_11_28");
  expect(names).toContain("archive_block_2026_11_27");
  expect(await everything()).toHaveLength(5);
  expect(await stored("archive_block_other")).toEqual({ blocks: 0, messages: 0 });
  expect(await counted(many.removeBefore(NOW - 10 * DAY))).toBe(3);
});

test("a partition that somebody reads is dropped at the next turn, and holds up nobody meanwhile", async () => {
  const archive = createPostgresMessageArchive(db.pool, 30);
  await archive.store([messageOf(0, { ingestTime: NOW - 2 * DAY })]);
  await counted(archive.merge(NOW));
  const reader = await db.pool.connect();
  await reader.query("BEGIN; SELECT count(*) FROM archive_block");
  await expect(counted(archive.removeBefore(NOW))).rejects.toMatchObject({ code: "55P03" });
  await archive.store([messageOf(1, { ingestTime: NOW + 1 })]);
  await reader.query("COMMIT");
  reader.release();
  expect(await counted(archive.removeBefore(NOW))).toBe(1);
});

test("messages of the version before are found as ever, and packed by the merge while others are stored", async () => {
  await goBackBefore(db, "20261129110000_archive_blocks");
  const bodies = ['{ "a":1e400, "a":2 }', '{"x": NaN, "y": "\\u0000 \\ud800"}', "{}"];
  const former = Array.from({ length: 12_000 }, (_, offset) => {
    return messageOf(offset, {
      body: bodies[offset] ?? `{"n":${offset}}`,
      ingestTime: NOW - 3 * DAY + offset * 10_000,
    });
  });
  await db.pool.query(
    `INSERT INTO message_archive SELECT m->>'log', (m->>'partition')::int, (m->>'offset')::bigint, m->>'device',
       to_timestamp((m->>'eventTime')::float8 / 1000), to_timestamp((m->>'ingestTime')::float8 / 1000), to_timestamp((m->>'processedTime')::float8 / 1000),
       (CASE WHEN m->>'body' LIKE '%NaN%' THEN (m->'body')::text ELSE m->>'body' END)::json FROM json_array_elements($1::json) m`,
    [JSON.stringify(former.map(({ position, ...rest }) => ({ ...position, ...rest })))],
  );
  await migrate(db.connectionString);
  const archive = createPostgresMessageArchive(db.pool);
  expect(await everything(5000)).toEqual(former);
  const later = Array.from({ length: 50 }, (_, i) => messageOf(12_000 + i));
  // A batch whose offset wasn't moved by the version before comes again.
  const again = former.slice(-20).map((message) => ({ ...message, processedTime: NOW }));
  await archive.store([...again, ...later.slice(0, 20)]);
  expect(await everything(5000)).toEqual([...former, ...later.slice(0, 20)]);
  const merging = archive.merge(NOW)[Symbol.asyncIterator]();
  await merging.next();
  await archive.store(later.slice(20));
  expect(await everything(5000)).toEqual([...former, ...later]);
  while ((await merging.next()).done !== true) expect(await everything(5000)).toEqual([...former, ...later]);
  expect(await stored("archive_block")).toMatchObject({ messages: former.length + later.length });
  expect(await stored("archive_fresh")).toEqual({ blocks: 0, messages: 0 });
  const { rows } = await db.pool.query<{ bytes: number }>(
    `SELECT pg_total_relation_size('message_archive')::int AS bytes`,
  );
  expect(rows[0]!.bytes).toBeLessThan(128 * 1024);
});

test.each(["before", "after"] as const)(
  "merging that is cut off %s any of its statements loses and repeats nothing",
  async (when) => {
    await goBackBefore(db, "20261129110000_archive_blocks");
    await db.pool.query(
      `INSERT INTO message_archive SELECT 'c/t/0', n % 2, n, 'device-' || n % 7, now(), $1::timestamptz + n * interval '1 ms', now(), '{}'
     FROM generate_series(0, 99) n`,
      [new Date(NOW - 6 * 3_600_000)],
    );
    await migrate(db.connectionString);
    const archive = createPostgresMessageArchive(db.pool);
    const messages = Array.from({ length: 300 }, (_, i) => messageOf(50 + i));
    for (let at = 0; at < messages.length; at += 11) await archive.store(messages.slice(at, at + 17));
    const before = await everything();
    expect(before).toHaveLength(350);
    let cuts = 0;
    for (let statement = 1; ; statement++) {
      const merge = () => counted(createPostgresMessageArchive(cutOff(db.pool, statement, when)).merge(NOW));
      let outcome = await merge().catch((error: Error) => error);
      // The server hasn't noticed yet that the connection of before is gone, and holds its locks.
      while ((outcome as { code?: string }).code === "55P03") outcome = await merge().catch((error: Error) => error);
      expect(await everything()).toEqual(before);
      if (typeof outcome === "number") break;
      expect(outcome.message).toBe("cut off");
      cuts++;
      // More to merge for the next.
      await archive.store(messages.slice(statement, statement + 40));
    }
    expect(cuts).toBeGreaterThan(5);
    await counted(archive.merge(NOW));
    expect(await stored("archive_block")).toMatchObject({ messages: 350 });
    expect(await stored("archive_fresh")).toMatchObject({ messages: 0 });
    expect((await db.pool.query("SELECT FROM message_archive")).rowCount).toBe(0);
    expect(await everything()).toEqual(before);
  },
);

/** The pool, whose connection breaks before or after a statement, counted from 1. */
function cutOff(pool: Pool, statement: number, when: "before" | "after"): Pool {
  let count = 0;
  const around = <T extends Pool | PoolClient>(target: T, breakConnection: () => void): T =>
    new Proxy(target, {
      get(one, key) {
        const value = Reflect.get(one, key) as unknown;
        if (typeof value !== "function") return value;
        if (key === "connect" && one === pool) {
          return async () => {
            const client = await pool.connect();
            const { connection } = client as unknown as { connection: { stream: { destroy(): void } } };
            return around(client, () => connection.stream.destroy());
          };
        }
        if (key !== "query") return value.bind(one) as unknown;
        return async (...args: unknown[]) => {
          const cut = ++count === statement;
          if (cut && when === "before") throw (breakConnection(), new Error("cut off"));
          const result = await (value.bind(one) as (...args: unknown[]) => Promise<unknown>)(...args);
          if (cut) throw (breakConnection(), new Error("cut off"));
          return result;
        };
      },
    });
  return around(pool, () => {});
}
