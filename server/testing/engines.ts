import { randomBytes } from "node:crypto";
import { MongoClient } from "mongodb";
import { afterAll, describe, inject } from "vitest";
import type { MissingEngine } from "./provided";

/**
 * Tests that need the run's Kafka, which all files share: topics and groups get names of their own. Without Kafka the
 * tests are skipped, with the reason in the name.
 */
export function describeWithKafka(name: string, tests: (brokers: string) => void): void {
  const { kafka } = inject("testEngines");
  if ("missing" in kafka) return leaveOut(name, kafka, () => tests(""));
  describe(name, () => tests(kafka.brokers));
}

/** Tests that need a MongoDB-wire server. The URI names a database of their own, which is dropped afterwards. */
export function describeWithMongo(name: string, tests: (uri: string) => void): void {
  const { mongodb } = inject("testEngines");
  if ("missing" in mongodb) return leaveOut(name, mongodb, () => tests(""));
  const uri = withOwnDatabase(mongodb.uri);
  describe(name, () => {
    afterAll(async () => {
      const client = new MongoClient(uri);
      await client.db().dropDatabase();
      await client.close();
    });
    tests(uri);
  });
}

/** Tests that need S3-compatible storage: one bucket for all files, so names of objects are their own. */
export function describeWithS3(name: string, tests: (s3: { endpoint: string; bucket: string }) => void): void {
  const { s3 } = inject("testEngines");
  if ("missing" in s3) return leaveOut(name, s3, () => tests({ endpoint: "", bucket: "" }));
  describe(name, () => tests(s3));
}

/** Tests that start engines of their own with `startKafka`, `startMongo` (e2e/engines), to kill or configure them. */
export function describeStartingEngines(name: string, tests: () => void): void {
  const { startable } = inject("testEngines");
  if (startable !== true) return leaveOut(name, startable, tests);
  describe(name, tests);
}

function leaveOut(name: string, { missing }: MissingEngine, tests: () => void): void {
  if (process.env.FIELDWATCH_REQUIRE_ENGINES === "1") throw new Error(`${name} can't be left out: ${missing}`);
  describe.skip(`${name} (left out: ${missing})`, tests);
}

/** Users are looked up in the database of the URI unless it says otherwise, so that must not change with the name. */
function withOwnDatabase(uri: string): string {
  const [, start = uri, database = "", query = ""] =
    /^(mongodb(?:\+srv)?:\/\/[^/?]+)\/?([^?]*)(?:\?(.*))?$/.exec(uri) ?? [];
  const options = new URLSearchParams(query);
  if (start.includes("@") && !options.has("authSource")) options.set("authSource", database || "admin");
  const text = options.toString();
  return `${start}/test_${randomBytes(6).toString("hex")}${text && `?${text}`}`;
}
