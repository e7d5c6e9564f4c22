import type { Db } from "mongodb";
import { expect, it } from "vitest";
import { deadLettersContract } from "@/server/testing/dead-letters.contract";
import { deviceTwinsContract } from "@/server/testing/device-twins.contract";
import { describeWithMongo } from "@/server/testing/engines";
import { counted, messageArchiveContract } from "@/server/testing/message-archive.contract";
import { createMongoDeadLetters } from "./dead-letters";
import { createMongoDeviceTwins } from "./device-twins";
import { createMongoMessageArchive } from "./message-archive";
import { connectPrepared, storeFormer } from "./test-connection";

describeWithMongo("documents on MongoDB", (uri) => {
  async function fixtureOf<Store>(create: (db: Db) => Store) {
    const { db, close } = await connectPrepared(uri);
    return { store: create(db), close };
  }

  messageArchiveContract("mongodb", () => fixtureOf(createMongoMessageArchive));
  deviceTwinsContract("mongodb", () => fixtureOf(createMongoDeviceTwins));
  deadLettersContract("mongodb", async () => {
    const places = new Map<string, number>();
    const namesAt = (what: string) => async (sites: readonly number[]) =>
      [...places].flatMap(([name, site]) =>
        name.startsWith(what) && sites.includes(site) ? [name.slice(what.length)] : [],
      );
    const at = { devices: namesAt("device "), sources: namesAt("source ") };
    return {
      ...(await fixtureOf((db) => createMongoDeadLetters(db, at))),
      async place(site, devices, sources = []) {
        for (const device of devices) places.set(`device ${device}`, site);
        for (const source of sources) places.set(`source ${source}`, site);
      },
    };
  });
});

describeWithMongo("retention on MongoDB", (uri) => {
  it("removes what versions before stored in steps, many of one moment included", async () => {
    const { db, close } = await connectPrepared(uri);
    const archive = createMongoMessageArchive(db);
    const messages = Array.from({ length: 1500 }, (_, offset) => {
      const ingestTime = 5000 + Math.floor(offset / 300);
      const times = { eventTime: ingestTime, ingestTime, processedTime: ingestTime };
      return { position: { log: "c/t/0", partition: 0, offset }, device: "d", body: "{}", ...times };
    });
    await storeFormer(db, messages);
    expect(await counted(archive.removeBefore(5004))).toBe(1200);
    expect(await counted(archive.removeBefore(5004))).toBe(0);
    expect(await archive.find({ device: "d", limit: 2000 })).toEqual(messages.slice(1200).reverse());
    await close();
  });
});
