import { expect, test } from "vitest";
import type { ProbeResult, ProbeStatus } from "@/server/contracts/health";
import { InspectionError, type KafkaTopic, type MongoInspection, type TroubleKind } from "@/server/ports/inspection";
import { troubleWords } from "@/server/ports/trouble-words";
import { judgeClock } from "./clock";
import { progressJudge } from "./event-log";
import { judgeTopic } from "./kafka-topics";
import { judgeMigrations } from "./migrations";
import { mongoProbes } from "./mongodb";
import { findingOf } from "./probe";
import { verdict } from "./verdict";

const KINDS: readonly TroubleKind[] = [
  ...(["refused", "unknownHost", "unreachable", "silent", "hungUp", "notTls", "needsTls", "certificate"] as const),
  ...(["otherProtocol", "signInRefused", "signInNeeded", "signInUnwanted", "mechanism", "forbidden"] as const),
  ...(["starting", "tooOld", "missing", "other"] as const),
];

test.each(KINDS)("%s is put into words for both engines, with the address and a fix", (kind) => {
  for (const [engine, variable] of [
    ["Kafka", "KAFKA_BROKERS"],
    ["MongoDB", "MONGODB_URI"],
  ] as const) {
    const names = { engine, variable, user: "ana", mechanism: "SCRAM-SHA-256", database: "plant" };
    const { cause, fix } = troubleWords({ kind, address: "box-7:9092", code: "PLAIN, SCRAM-SHA-512" }, names);
    expect(cause).toMatch(/box-7/);
    expect(cause).toMatch(/\.$/);
    expect(fix.length).toBeGreaterThan(10);
    expect(`${cause}${fix}`).not.toMatch(/undefined|null|\[object/);
  }
});

test("a way to sign in that isn't offered names one that is", () => {
  const names = { engine: "Kafka", variable: "KAFKA_BROKERS", user: "ana", mechanism: "SCRAM-SHA-256" } as const;
  const words = (code: string) => troubleWords({ kind: "mechanism", address: "k:9092", code }, names).fix;
  expect(words("PLAIN, SCRAM-SHA-512")).toBe("`KAFKA_SASL_MECHANISM=scram-sha-512`");
  expect(words("GSSAPI")).toContain("sasl.enabled.mechanisms=");
});

const wanted = { topic: "iot.telemetry", partitions: 6, retentionMs: 604_800_000, durable: true, replication: 3 };
const settings = (more: Record<string, string> = {}) =>
  new Map(
    Object.entries({
      "message.timestamp.type": "LogAppendTime",
      "retention.ms": "604800000",
      "min.insync.replicas": "2",
      ...more,
    }),
  );
const topic = (more: Partial<KafkaTopic> = {}): KafkaTopic => ({
  ...{ topic: "iot.telemetry", partitions: 6, replication: 3, inSync: 3, leaderless: [], settings: settings() },
  ...more,
});

test.each([
  ["as configured", topic(), "pass", "6 partitions, 3 copies, kept for 168 hours."],
  ["settings that this user may not read", topic({ settings: null }), "pass", "6 partitions, 3 copies."],
  ["missing", null, "fail", "The topic is missing."],
  ["without leaders", topic({ leaderless: [2, 4] }), "fail", "2 partitions of 6 without a leader."],
  ["too few copies to take messages", topic({ inSync: 1 }), "fail", "1 copy in time, at least 2 are needed."],
  ["a copy behind", topic({ inSync: 2 }), "warn", "2 of 3 copies in time."],
  [
    "other copies",
    topic({ replication: 1, inSync: 1, settings: settings({ "min.insync.replicas": "1" }) }),
    "warn",
    "1 copy, configured 3.",
  ],
  ["more partitions", topic({ partitions: 12 }), "warn", "12 partitions, configured 6."],
  [
    "the senders' times",
    topic({ settings: settings({ "message.timestamp.type": "CreateTime" }) }),
    "warn",
    "Its times are the senders' (CreateTime).",
  ],
  [
    "kept for ever",
    topic({ settings: settings({ "retention.ms": "-1" }) }),
    "warn",
    "Keeps messages for ever, configured 168 hours.",
  ],
] as const)("a topic %s", (_, found, status, summary) => {
  expect(judgeTopic(wanted, found, "k:9092")).toMatchObject({ status, summary });
});

test("the clock: time that passes while asking is no difference, and what isn't told isn't wrong", () => {
  const status = (theirs: number | null) => judgeClock("Kafka", { before: 10_000, after: 15_000, theirs }).status;
  expect([8000, 10_000, 15_000, 17_000].map(status)).toEqual(["pass", "pass", "pass", "pass"]);
  expect([7999, 17_001, 75_001, -50_001].map(status)).toEqual(["warn", "warn", "fail", "fail"]);
  expect(status(null)).toBe("unknown");
});

test("a partition in which messages wait and that doesn't get on is stuck after a minute", () => {
  const judge = progressJudge();
  const at = (time: number, committed: number, lag: number, workers: number | null = 1, held = 0) =>
    judge({
      time,
      workers,
      partitions: [
        {
          ...{ topic: "t", partition: 3, start: 0, end: committed + lag, committed, lag, held },
          ...{ lagSeconds: 1, clearSeconds: null, owner: "w", lastBreak: null, unreadable: null, waiting: null },
        },
      ],
    });
  expect(at(0, 5, 0).status).toBe("pass");
  expect(at(100_000, 5, 7).status).toBe("pass"); // Nothing waited until now.
  expect(at(110_000, 6, 7).status).toBe("pass");
  expect(at(169_999, 6, 9).status).toBe("pass");
  expect(at(170_000, 6, 9)).toMatchObject({
    status: "fail",
    summary: "Partition 3 has stood still for 60 s; 9 messages wait in it.",
    cause: expect.stringContaining("its owner is w"),
  });
  expect(at(175_000, 6, 9, 0)).toMatchObject({ fix: "`npm run worker`" });
  expect(at(180_000, 7, 9).status).toBe("pass");
  expect(at(185_000, 7, 9, null).status).toBe("unknown");
  // All that waits is behind an open transaction: no worker could get on.
  expect(at(400_000, 7, 9, 1, 9).status).toBe("pass");
  expect(at(500_000, 7, 9, 1, 9).status).toBe("pass");
});

test("migrations half done, missing, unknown", () => {
  const done = (name: string) => ({ name, finished: true });
  expect(judgeMigrations([done("1"), done("2")], ["1", "2"]).status).toBe("pass");
  expect(judgeMigrations([done("1")], ["1", "2"])).toMatchObject({ status: "fail", fix: "`npm run migrate`" });
  expect(judgeMigrations([done("1"), done("2"), done("3")], ["1", "2"]).summary).toContain("newer");
  expect(judgeMigrations([done("1"), { name: "2", finished: false }], ["1", "2"]).summary).toContain("half-way");
});

test("a refused sign-in to MongoDB is said by one probe, and the others wait for it", async () => {
  const refused = () => Promise.reject(new InspectionError("signInRefused", "mongo:27017", "AuthenticationFailed, 18"));
  const inspection: MongoInspection = {
    ...{ address: "mongo:27017", database: "plant", user: "ana" },
    ...{ server: refused, indexes: refused, storage: refused },
  };
  const found = await Promise.all(
    mongoProbes({ inspection, group: "MongoDB", now: Date.now }).map(async (probe) => {
      const finding = await probe.run().catch((error: unknown) => findingOf(error, probe));
      return [probe.name, finding] as const;
    }),
  );
  expect(found.filter(([, { status }]) => status === "fail").map(([name]) => name)).toEqual(["mongodb.signed-in"]);
  expect(found.find(([name]) => name === "mongodb.reachable")?.[1].status).toBe("pass");
  const waiting = found.filter(([, { status }]) => status === "unknown");
  expect(waiting.map(([, finding]) => "fix" in finding && finding.fix)).toEqual(
    waiting.map(() => "First mend MongoDB: see its failing probes."),
  );
});

const since = "2026-11-23T14:02:09.000Z";
const probe = (name: string, status: ProbeStatus, summary: string): ProbeResult => ({
  ...{
    name,
    status,
    since,
    summary,
    title: "Answers",
    group: "G",
    checkedAt: since,
    latencyMs: 1,
    cause: null,
    fix: null,
    commands: [],
  },
});

test.each([
  ["Kafka", "kafka.reachable", [], "readings wait with their senders; nothing that was taken is lost"],
  ["MongoDB", "mongodb.reachable", [], "readings are taken and wait in the event log; nothing is lost"],
  ["PostgreSQL", "postgres.reachable", [], "readings can't be taken; devices that keep an outbox lose nothing"],
  [
    "PostgreSQL",
    "postgres.reachable",
    [probe("kafka.reachable", "pass", "")],
    "readings are taken and wait in the event log; nothing is lost",
  ],
] as const)("%s down: where readings wait", (engine, name, others, means) => {
  const down = probe(name, "fail", `${engine} does not answer.`);
  const follows = [
    probe("documents.archive", "fail", ""),
    probe("log.iot.telemetry", "fail", ""),
    probe("pipeline.workers", "fail", ""),
  ];
  expect(verdict([...follows, ...others, down], null)).toBe(`${engine} is down since 2026-11-23 14:02 UTC: ${means}.`);
});
