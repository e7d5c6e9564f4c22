import { afterAll, beforeAll, describe, expect, test } from "vitest";
import pino from "pino";
import { composeEngines, topicSettings } from "@/server/compose";
import { loadConfig } from "@/server/config/config";
import { freshDatabase, type TestDatabase } from "@/server/testing/database";
import { describeStartingEngines } from "@/server/testing/engines";
import { type MongoServer, startMongo } from "../engines/mongodb";
import { freePort } from "../engines/ports";
import { diagnose, listening } from "./rig";

let db: TestDatabase;
const envOf = (uri: string) => ({ DATABASE_URL: db.appUrl, MONGODB_URI: uri });
const engines = (uri: string) => composeEngines(loadConfig(envOf(uri), ""), "test", pino({ level: "silent" }));
beforeAll(async () => {
  db = await freshDatabase();
  const config = loadConfig({ DATABASE_URL: db.appUrl }, "");
  const embedded = await composeEngines(config, "test", pino({ level: "silent" }));
  await embedded.eventLog.ensureTopics(topicSettings(config));
  await embedded.close();
});
afterAll(() => db?.drop());

const DEPENDENT = ["signed-in", "writable", "indexes", "connections", "disk", "clock"].map((name) => `mongodb.${name}`);

describe("without a MongoDB at the address", () => {
  test("wrong port: nothing listens there", async () => {
    const port = await freePort();
    const found = await diagnose(envOf(`mongodb://ana:hunter2@127.0.0.1:${port}/fieldwatch`));
    expect(found.probe("mongodb.reachable")).toMatchObject({
      status: "fail",
      summary: "MongoDB does not answer.",
      cause: `Nothing listens on 127.0.0.1:${port} (ECONNREFUSED).`,
      fix: expect.stringContaining("correct host and port in MONGODB_URI"),
    });
    for (const name of [...DEPENDENT, "documents.archive", "documents.twins", "documents.dead-letters"])
      expect(found.probe(name)).toMatchObject({ fix: "First mend MongoDB: see its failing probes." });
    expect(found.accusing("mongodb.reachable")).toEqual([]);
    expect(found.verdict).toMatch(
      /^MongoDB is down since .* UTC: readings are taken and wait in the event log; nothing is lost\.$/,
    );
    expect(JSON.stringify(found.results)).not.toContain("hunter2");
  });

  test("a name that isn't known", async () => {
    const found = await diagnose(envOf("mongodb://mongo.invalid:27017/fieldwatch"));
    expect(found.probe("mongodb.reachable")).toMatchObject({
      status: "fail",
      cause: expect.stringMatching(/^This machine doesn't know the host mongo\.invalid \((ENOTFOUND|EAI_AGAIN)\)\.$/),
    });
    expect(found.accusing("mongodb.reachable")).toEqual([]);
  });

  test("another program answers there", async () => {
    const other = await listening((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
    try {
      const found = await diagnose(envOf(`mongodb://127.0.0.1:${other.port}/fieldwatch`));
      expect(found.probe("mongodb.reachable")).toMatchObject({
        status: "fail",
        cause: expect.stringContaining("or another program listens there"),
      });
      expect(found.accusing("mongodb.reachable")).toEqual([]);
    } finally {
      await other.close();
    }
  });

  test("a MongoDB that starts: its port takes connections, and doesn't answer yet", async () => {
    const starting = await listening();
    try {
      const found = await diagnose(envOf(`mongodb://127.0.0.1:${starting.port}/fieldwatch`));
      expect(found.probe("mongodb.reachable")).toMatchObject({
        status: "fail",
        cause: expect.stringContaining("is still starting, overloaded or stopped in its tracks"),
        fix: expect.stringMatching(/^Wait until it has started\./),
      });
      expect(found.accusing("mongodb.reachable")).toEqual([]);
    } finally {
      await starting.close();
    }
  });
});

describeStartingEngines("on a MongoDB-wire server", () => {
  let mongo: MongoServer;
  beforeAll(async () => {
    mongo = await startMongo();
  }, 120_000);
  afterAll(() => mongo?.remove());

  test("indexes missing, then made, then of another retention", async () => {
    const without = await diagnose(envOf(mongo.uri));
    expect(without.probe("mongodb.indexes")).toMatchObject({
      status: "warn",
      cause: expect.stringMatching(
        /^Missing: archive\.block_device_newest, .*messages\.device_newest, messages\.retention/,
      ),
      fix: "npm run migrate",
    });
    expect(without.accusing("mongodb.indexes")).toEqual([]);

    const composed = await engines(mongo.uri);
    await composed.prepareDocuments();
    await composed.close();
    const made = await diagnose(envOf(mongo.uri));
    expect(made.accusing()).toEqual([]);
    const others = [...DEPENDENT, "documents.archive", "documents.twins", "documents.dead-letters"];
    expect(others.filter((name) => made.probe(name).status !== "pass")).toEqual([]);
    expect(made.probe("mongodb.reachable").summary).toMatch(
      /^(MongoDB \d+\.\d+\.\d+ at 127\.0\.0\.1:\d+ answers in|MongoDB answers slowly:) \d+/,
    );

    const shorter = await diagnose({ ...envOf(mongo.uri), ARCHIVE_RETENTION_DAYS: "7" });
    expect(shorter.probe("mongodb.indexes")).toMatchObject({
      status: "warn",
      cause: expect.stringContaining(
        'messages.retention is "ingestTime: 1, expires after 2592000 s", configured "ingestTime: 1, expires after 604800 s"',
      ),
      fix: "npm run migrate",
    });
  });

  test("clocks that differ", async () => {
    const found = await diagnose(envOf(mongo.uri), { now: () => Date.now() - 90_000 });
    expect(found.probe("mongodb.clock")).toMatchObject({
      status: "fail",
      summary: expect.stringMatching(/^MongoDB's clock is 1 min [23]\d s ahead\.$/),
      fix: expect.stringContaining("timedatectl set-ntp true"),
    });
    expect(found.accusing("mongodb.clock", "postgres.clock")).toEqual([]);
  });

  test("stopped in its tracks, and going on", async () => {
    await mongo.suspend();
    try {
      const found = await diagnose(envOf(mongo.uri));
      expect(found.probe("mongodb.reachable")).toMatchObject({ status: "fail", summary: "MongoDB does not answer." });
      expect(found.accusing("mongodb.reachable")).toEqual([]);
    } finally {
      mongo.resume();
    }
    expect((await diagnose(envOf(mongo.uri))).accusing()).toEqual([]);
  });
});
