import type { Collection, Db } from "mongodb";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { ArchivedMessage } from "@/server/ports/message-archive";
import { describeWithMongo } from "@/server/testing/engines";
import { counted, pages } from "@/server/testing/message-archive.contract";
import { unpackBlock } from "../archive/block";
import type { BlockDocument } from "./archive-blocks";
import type { MongoConnection } from "./connection";
import { createMongoMessageArchive } from "./message-archive";
import { connectPrepared, storeFormer } from "./test-connection";

vi.setConfig({ testTimeout: 120_000 });

const NOW = Date.UTC(2026, 10, 28, 12);

function messageOf(offset: number): ArchivedMessage {
  const ingestTime = NOW - 6 * 3_600_000 + offset;
  const times = { eventTime: ingestTime - 5, ingestTime, processedTime: ingestTime + 5 };
  const device = `device-${offset % 5}`;
  const position = { log: "c/t/0", partition: offset % 2, offset };
  return { position, device, body: `{"device":"${device}","n":${offset}}`, ...times };
}

describeWithMongo("blocks of messages on MongoDB", (uri) => {
  let mongo: MongoConnection;
  beforeEach(async () => {
    mongo = await connectPrepared(uri);
    for (const name of ["archive", "messages"]) await mongo.db.collection(name).deleteMany({});
  });
  afterEach(() => mongo.close());

  async function everything(): Promise<readonly ArchivedMessage[]> {
    const archive = createMongoMessageArchive(mongo.db);
    const found: ArchivedMessage[] = [];
    for (let i = 0; i < 5; i++) found.push(...(await pages(archive, `device-${i}`, 3000)));
    return found.sort((a, b) => a.position.offset - b.position.offset);
  }
  const blocks = () => mongo.db.collection<BlockDocument>("archive").find({}, { promoteBuffers: true }).toArray();

  /** The offsets in blocks that stay, each as often as it is there. */
  async function keptOffsets(): Promise<number[]> {
    const kept = (await blocks()).filter(({ state }) => state !== "replaced");
    return kept.flatMap((block) => unpackBlock(block).map(({ position }) => position.offset)).sort((a, b) => a - b);
  }

  it("finds messages of the version before as ever, and packs them while others are stored", async () => {
    const archive = createMongoMessageArchive(mongo.db);
    const former = Array.from({ length: 6000 }, (_, offset) => messageOf(offset));
    const later = Array.from({ length: 100 }, (_, i) => messageOf(6000 + i));
    await storeFormer(mongo.db, former);
    expect(await everything()).toEqual(former);
    await archive.store([
      ...former.slice(-10).map((message) => ({ ...message, processedTime: NOW })),
      ...later.slice(0, 50),
    ]);
    expect(await everything()).toEqual([...former, ...later.slice(0, 50)]);
    const merging = archive.merge(NOW)[Symbol.asyncIterator]();
    await merging.next();
    await archive.store(later.slice(50));
    while ((await merging.next()).done !== true) expect(await everything()).toEqual([...former, ...later]);
    expect(await mongo.db.collection("messages").countDocuments()).toBe(0);
    expect(await keptOffsets()).toEqual([...former, ...later].map(({ position }) => position.offset));
  });

  it.each(["before", "after"] as const)(
    "merging killed %s any of its writes loses and repeats nothing",
    async (when) => {
      const archive = createMongoMessageArchive(mongo.db);
      await storeFormer(
        mongo.db,
        Array.from({ length: 60 }, (_, offset) => messageOf(offset)),
      );
      const messages = Array.from({ length: 200 }, (_, i) => messageOf(40 + i));
      for (let at = 0; at < messages.length; at += 11) await archive.store(messages.slice(at, at + 17));
      const before = await everything();
      expect(before).toHaveLength(240);
      let kills = 0;
      for (let write = 1; ; write++) {
        const outcome = await counted(createMongoMessageArchive(killedAt(mongo.db, write, when)).merge(NOW)).catch(
          (error: Error) => error,
        );
        expect(await everything()).toEqual(before);
        if (typeof outcome === "number") break;
        expect(outcome.message).toBe("killed");
        kills++;
        // More to merge for the next.
        await archive.store(messages.slice(write, write + 30));
      }
      expect(kills).toBeGreaterThan(5);
      await counted(archive.merge(NOW));
      expect(await keptOffsets()).toEqual(before.map(({ position }) => position.offset));
      expect((await blocks()).filter(({ state }) => state === "fresh")).toEqual([]);
    },
  );

  it("removes blocks that were replaced, but not while somebody may be reading them", async () => {
    const archive = createMongoMessageArchive(mongo.db);
    for (let i = 0; i < 10; i++) await archive.store([messageOf(i * 2)]);
    await counted(archive.merge(NOW));
    await counted(archive.merge(NOW));
    const replaced = async () => (await blocks()).filter(({ state }) => state === "replaced").length;
    expect(await replaced()).toBe(10);
    await mongo.db
      .collection("archive")
      .updateMany({ state: "replaced" }, { $set: { replacedAt: new Date(Date.now() - 180_000) } });
    await counted(archive.merge(NOW));
    expect(await replaced()).toBe(0);
    expect(await everything()).toHaveLength(10);
  });
});

const WRITES = new Set<string | symbol>(["insertMany", "updateMany", "deleteMany"]);

/** The database as a process uses it that is killed before or after a write, counted from 1. */
function killedAt(db: Db, write: number, when: "before" | "after"): Db {
  let count = 0;
  const mortal = (collection: Collection) =>
    new Proxy(collection, {
      get(target, key) {
        const value = Reflect.get(target, key) as unknown;
        if (typeof value !== "function") return value;
        if (!WRITES.has(key)) return value.bind(target) as unknown;
        return async (...args: unknown[]) => {
          const last = ++count === write;
          if (last && when === "before") throw new Error("killed");
          const result = await (value.bind(target) as (...args: unknown[]) => Promise<unknown>)(...args);
          if (last) throw new Error("killed");
          return result;
        };
      },
    });
  return new Proxy(db, {
    get: (target, key) =>
      key === "collection"
        ? (...args: Parameters<Db["collection"]>) => mortal(target.collection(...args) as Collection)
        : (Reflect.get(target, key) as unknown),
  });
}
