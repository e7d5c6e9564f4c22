import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createMongoDeadLetters } from "@/server/adapters/mongodb/dead-letters";
import { createMongoDeviceTwins } from "@/server/adapters/mongodb/device-twins";
import { createMongoMessageArchive } from "@/server/adapters/mongodb/message-archive";
import { connectPrepared } from "@/server/adapters/mongodb/test-connection";
import { ingestTimeOf } from "@/server/domain/time";
import type { StoredRecord } from "@/server/ports/event-log";
import { freshDatabase, type TestDatabase } from "@/server/testing/database";
import { describeWithMongo } from "@/server/testing/engines";
import { createRig, createScriptedLog } from "@/server/testing/pipeline-rig";
import type { PipelineDeps } from "./pipeline";
import { createFollow } from "./follow";

type Stores = Pick<PipelineDeps, "archive" | "twins" | "deadLetters">;

let db: TestDatabase;
beforeAll(async () => {
  db = await freshDatabase();
});
afterAll(() => db.drop());

const PARTITIONS = 3;
const NOW = Date.now();
const LARGE = 1_200_000;

const anyText = fc.oneof(
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.constantFrom("", "\0", "a\0b", "\ufffd", "\ud800", "3000000000", "-1", "1e9", "1", "x".repeat(LARGE)),
);
const headerName = fc.oneof(
  fc.constantFrom(
    "fieldwatch-resend-of",
    "fieldwatch-resends",
    "fieldwatch-resend-edited",
    "fieldwatch-replay-of",
    "fieldwatch-replays",
    "fieldwatch-probe",
    "fieldwatch-run",
  ),
  fc.constantFrom("__proto__", "constructor", "", "\0"),
  anyText,
);
const headers = fc
  .array(fc.tuple(headerName, fc.oneof(anyText, fc.constant("c/iot.telemetry/0/0/0/m"))), { maxLength: 4 })
  .map((entries): Readonly<Record<string, string>> => Object.fromEntries(entries));
const stamp = fc.oneof(
  fc.integer({ min: -100_000, max: 100_000 }).map((ms) => NOW + ms),
  fc.constantFrom(0, -1, NOW * 1e3, NOW * 1e6, NOW / 1e3, -(2 ** 63), 2 ** 63, NOW + 1e10),
);
const reading = fc.oneof(fc.double(), fc.boolean(), anyText, fc.constant(null), fc.array(fc.integer()));
const good = fc.record({
  device: fc.oneof(fc.constantFrom("a", "b"), anyText),
  time: fc.oneof(
    fc.constant(NOW),
    fc.double(),
    fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
  ),
  readings: fc.dictionary(fc.oneof(fc.constantFrom("t", "on"), anyText), reading, { maxKeys: 5 }),
  site: fc.option(anyText),
  type: fc.option(anyText),
});
const value = fc.oneof(
  { weight: 4, arbitrary: good.map((message) => Buffer.from(JSON.stringify(message))) },
  fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
  fc.constantFrom(Buffer.alloc(0), Buffer.alloc(LARGE, 0x20), Buffer.alloc(LARGE), Buffer.from("not json")),
);
const record = fc.record({
  partition: fc.nat(PARTITIONS - 1),
  key: fc.option(fc.oneof(anyText, fc.constant("k".repeat(65_536)))),
  headers,
  stamp,
  value,
});

let run = 0;

/** Checks that, whatever a log holds, each record ends in the archive or as a dead letter, and no partition stops. */
async function everyRecordIsAccountedFor(stores: Stores): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.array(record, { minLength: 1, maxLength: 25 }), async (records) => {
      const log = createScriptedLog(`whole-${run++}`, PARTITIONS);
      for (const { partition, stamp: sent, ...rest } of records) {
        const one: StoredRecord = { ...rest, offset: log.endOf(partition), ingestTime: ingestTimeOf(sent, NOW) };
        log.parts[partition]!.records.push(one);
      }
      const archived = new Set<string>();
      const store: Stores["archive"]["store"] = async (messages) => {
        await stores.archive.store(messages);
        for (const { position } of messages) archived.add(`${position.partition}/${position.offset}`);
      };
      const noted = { worker: "w", note: async () => undefined, onError: () => undefined };
      const rig = await createRig(db.pool, log, { ...stores, archive: { store } }, createFollow(noted));
      for (const partition of log.parts.keys()) await rig.insist(partition, 10, 0);

      const { rows } = await db.pool.query<{ messages: number }>(
        "SELECT coalesce(sum(messages), 0)::int AS messages FROM pipeline_position WHERE cluster = $1",
        [log.cluster],
      );
      expect(rows).toEqual([{ messages: records.length }]);
      const ids = log.parts.flatMap(({ records: held }, partition) =>
        held
          .filter(({ offset }) => !archived.has(`${partition}/${offset}`))
          .map(({ offset }) => `${log.cluster}/iot.telemetry/0/${partition}/${offset}/m`),
      );
      const letters = await stores.deadLetters.find({ sites: "all", ids, limit: 100 });
      expect(letters.map(({ id }) => id).sort()).toEqual([...ids].sort());
      for (const { position, raw, reason, resendOf } of letters) {
        expect(Buffer.from(raw).equals(log.parts[position.partition]!.records[position.offset]!.value)).toBe(true);
        expect(resendOf).toBeNull();
        // Whatever is in a record is foreseen; none of it made a stage fail.
        expect(reason).not.toBe("internalError");
      }
    }),
    { numRuns: 40 },
  );
}

test("whole records of any kind, documents in PostgreSQL", async () => {
  const { archive, twins, deadLetters } = await createRig(db.pool, createScriptedLog("none", 1));
  await everyRecordIsAccountedFor({ archive, twins, deadLetters });
}, 120_000);

describeWithMongo("on MongoDB", (uri) => {
  test("whole records of any kind, documents in MongoDB", async () => {
    const connection = await connectPrepared(uri);
    await everyRecordIsAccountedFor({
      archive: createMongoMessageArchive(connection.db),
      twins: createMongoDeviceTwins(connection.db),
      deadLetters: createMongoDeadLetters(connection.db, { devices: async () => [], sources: async () => [] }),
    });
    await connection.close();
  }, 120_000);
});
