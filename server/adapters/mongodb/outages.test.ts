import { createHash } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import pino from "pino";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type Proxy, startProxy } from "@/e2e/drills/proxy";
import { within } from "@/server/async/timeout";
import type { ArchivedMessage, MessageArchive } from "@/server/ports/message-archive";
import { DocumentsUnavailableError } from "@/server/domain/unavailable";
import { describeWithMongo } from "@/server/testing/engines";
import { until } from "@/server/testing/until";
import { connectMongo, type MongoConnection } from "./connection";
import { createMongoDeadLetters } from "./dead-letters";
import { createMongoDeviceTwins } from "./device-twins";
import { counted } from "@/server/testing/message-archive.contract";
import { createMongoMessageArchive } from "./message-archive";
import { connectPrepared, withOptions } from "./test-connection";

describeWithMongo("an outage of MongoDB", (uri) => {
  // The proxy is on this machine and can't stand before a server elsewhere.
  const port = Number(/^mongodb:\/\/(?:[^@]*@)?(?:127\.0\.0\.1|localhost):(\d+)/.exec(uri)?.[1]);
  const local = it.skipIf(Number.isNaN(port));
  let proxy: Proxy;
  let through: MongoConnection;
  let lines: { level: number; msg: string }[];

  beforeEach(async () => {
    const mongo = await connectPrepared(uri);
    await mongo.db.dropDatabase();
    await mongo.close();
    proxy = await startProxy();
    proxy.aim(port);
    lines = [];
    const address = uri.replace(/(127\.0\.0\.1|localhost):\d+/, `127.0.0.1:${proxy.port}`);
    const bounds = "serverSelectionTimeoutMS=1000&socketTimeoutMS=2000&heartbeatFrequencyMS=500&directConnection=true";
    through = connectMongo(
      withOptions(address, bounds),
      "test",
      pino({ level: "info" }, { write: (line: string) => void lines.push(JSON.parse(line) as (typeof lines)[number]) }),
    );
  });
  afterEach(async () => {
    await through.close();
    await proxy.close();
  });

  local("rejects within seconds while connections are cut, and goes on after, with nothing twice", async () => {
    const archive = createMongoMessageArchive(through.db);
    const messages = Array.from({ length: 1000 }, (_, offset) => messageOf(offset));
    await storeAtLast(archive, messages.slice(0, 10));

    // The cut comes in the middle of a call: whatever part of it arrived, the same call again makes it whole.
    const passed = proxy.passed();
    const broken = archive.store(messages).catch((error: unknown) => error);
    await until(() => proxy.passed() > passed + 30_000, { everyMs: 1 });
    proxy.cut();
    expect(await broken).toBeInstanceOf(DocumentsUnavailableError);

    for (const work of [
      () => archive.store(messages),
      () => counted(archive.removeBefore(0)),
      () => counted(archive.merge(Date.now())),
      () => createMongoDeviceTwins(through.db).merge([{ device: "d", values: new Map([["a", VALUE]]) }]),
      () =>
        createMongoDeadLetters(through.db, { devices: async () => [], sources: async () => [] }).find({
          sites: "all",
          limit: 1,
        }),
    ]) {
      const began = performance.now();
      await expect(work()).rejects.toThrow(DocumentsUnavailableError);
      expect(performance.now() - began).toBeLessThan(5000);
    }

    proxy.mend();
    await storeAtLast(archive, messages);
    expect(await archive.find({ device: "d", limit: 5000 })).toEqual([...messages].reverse());
    await until(() => lines.length === 2);
    expect(lines.map(({ msg }) => msg)).toEqual(["MongoDB can't be reached; trying again", "MongoDB is back"]);
  });

  local("gives up a connection that went silent, and goes on after", async () => {
    const archive = createMongoMessageArchive(through.db);
    await storeAtLast(archive, [messageOf(0)]);
    proxy.stall();
    const began = performance.now();
    await expect(archive.store([messageOf(1)])).rejects.toThrow(DocumentsUnavailableError);
    expect(performance.now() - began).toBeLessThan(5000);
    proxy.mend();
    await storeAtLast(archive, [messageOf(1)]);
    expect(await archive.find({ device: "d", limit: 10 })).toEqual([messageOf(1), messageOf(0)]);
  });

  local("never waits for an answer on a connection that has ended", async () => {
    const twins = createMongoDeviceTwins(through.db);
    for (let round = 0; round < 10; round++) {
      // All connections that there may be, and all at rest.
      await until(() => Promise.all(Array.from({ length: 10 }, () => twins.get(["d"]))).then(() => true));
      proxy.end();
      const asked: Promise<unknown>[] = [];
      // One at each turn of the event loop, while the connections' ends arrive.
      for (let turn = 0; turn < 200; turn++) {
        asked.push(twins.get(["d"]).catch((error: unknown) => error));
        await setImmediate();
      }
      const late = () => new Error(`no answer in round ${round}`);
      await within(10_000, Promise.all(asked), late);
    }
  });

  local("doesn't keep a client from closing", async () => {
    const archive = createMongoMessageArchive(through.db);
    await storeAtLast(archive, [messageOf(0)]);
    proxy.stall();
    const broken = expect(archive.store([messageOf(1)])).rejects.toThrow(DocumentsUnavailableError);
    const began = performance.now();
    await through.close();
    expect(performance.now() - began).toBeLessThan(5000);
    await broken;
    await expect(archive.store([messageOf(1)])).rejects.toThrow(DocumentsUnavailableError);
  });

  local("is told when nothing was ever there", async () => {
    proxy.cut();
    const archive = createMongoMessageArchive(through.db);
    for (let attempt = 0; attempt < 3; attempt++) {
      await expect(archive.store([messageOf(0)])).rejects.toThrow(DocumentsUnavailableError);
    }
    expect(lines.map(({ msg }) => msg)).toEqual(["MongoDB can't be reached; trying again"]);
    proxy.mend();
    await storeAtLast(archive, [messageOf(0)]);
    expect(await archive.find({ device: "d", limit: 10 })).toEqual([messageOf(0)]);
  });
});

/** Stores as the worker does: again and again until it works. */
async function storeAtLast(archive: MessageArchive, messages: readonly ArchivedMessage[]): Promise<void> {
  await until(() => archive.store(messages).then(() => true));
}

const VALUE = { value: 1, eventTime: 1 };

function messageOf(offset: number): ArchivedMessage {
  return {
    position: { log: "c/t/0", partition: 0, offset },
    device: "d",
    eventTime: 1000 + offset,
    ingestTime: 2000 + offset,
    processedTime: 3000 + offset,
    // Nothing can pack it smaller.
    body: `{"n":${offset},"text":"${createHash("sha512").update(`${offset}`).digest("base64").repeat(2)}"}`,
  };
}
