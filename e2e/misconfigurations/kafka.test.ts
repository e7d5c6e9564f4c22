import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Kafka, logLevel } from "kafkajs";
import pino from "pino";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createKafkaInspection } from "@/server/adapters/kafka/inspection";
import { composeEngines, topicSettings } from "@/server/compose";
import { loadConfig } from "@/server/config/config";
import { PIPELINE_GROUP, TOPICS } from "@/server/domain/terms";
import type { KafkaTopic } from "@/server/ports/inspection";
import { freshDatabase, type TestDatabase } from "@/server/testing/database";
import { describeStartingEngines } from "@/server/testing/engines";
import { until } from "@/server/testing/until";
import { type KafkaServer, startKafka } from "../engines/kafka";
import { freeEnginePort } from "../engines/ports";
import { diagnose, listening } from "./rig";

let db: TestDatabase;
beforeAll(async () => {
  db = await freshDatabase();
});
afterAll(() => db?.drop());

const envOf = (brokers: string, more: Record<string, string> = {}) => ({
  DATABASE_URL: db.connectionString,
  KAFKA_BROKERS: brokers,
  ...more,
});

async function makeTopics(env: Record<string, string>): Promise<void> {
  const config = loadConfig(env, "");
  const engines = await composeEngines(config, "test", pino({ level: "silent" }));
  // A broker that has just made a topic may not know it yet.
  await until(() => engines.eventLog.ensureTopics(topicSettings(config)), { timeoutMs: 20_000 });
  await engines.close();
}

describe("without a Kafka at the address", () => {
  test("wrong port: nothing listens there", async () => {
    const port = await freeEnginePort();
    const found = await diagnose(envOf(`127.0.0.1:${port}`));
    expect(found.probe("kafka.reachable")).toMatchObject({
      status: "fail",
      summary: "Kafka does not answer.",
      cause: `Nothing listens on 127.0.0.1:${port} (ECONNREFUSED).`,
      fix: expect.stringContaining("correct host and port in KAFKA_BROKERS"),
    });
    for (const name of ["kafka.signed-in", "kafka.advertised", "log.iot.telemetry", "kafka.clock", "kafka.disk"]) {
      expect(found.probe(name)).toMatchObject({ status: "unknown", fix: "First mend Kafka: see its failing probes." });
    }
    expect(found.accusing("kafka.reachable")).toEqual([]);
    expect(found.verdict).toMatch(
      /^Kafka is down since .* UTC: readings wait with their senders; nothing that was taken is lost\.$/,
    );
  });

  test("wrong port: PostgreSQL answers there", async () => {
    const { host } = new URL(db.connectionString);
    const found = await diagnose(envOf(host));
    expect(found.probe("kafka.reachable")).toMatchObject({
      status: "fail",
      cause: expect.stringMatching(/^Another program than Kafka answers at|hangs up before it answers/),
      fix: expect.stringContaining("KAFKA_BROKERS"),
    });
    expect(found.accusing("kafka.reachable")).toEqual([]);
  });

  test("a name that isn't known", async () => {
    const found = await diagnose(envOf("kafka.invalid:9092"));
    expect(found.probe("kafka.reachable")).toMatchObject({
      status: "fail",
      cause: expect.stringMatching(/^This machine doesn't know the host kafka\.invalid \((ENOTFOUND|EAI_AGAIN)\)\.$/),
      fix: expect.stringContaining("/etc/hosts"),
    });
    expect(found.accusing("kafka.reachable")).toEqual([]);
  });

  test("a Kafka that starts: its port takes connections, and doesn't answer yet", async () => {
    const starting = await listening();
    try {
      const began = performance.now();
      const found = await diagnose(envOf(`127.0.0.1:${starting.port}`));
      expect(performance.now() - began).toBeLessThan(15_000);
      expect(found.probe("kafka.reachable")).toMatchObject({
        status: "fail",
        cause: expect.stringContaining("is still starting, overloaded or stopped in its tracks"),
        fix: expect.stringMatching(/^Wait until it has started\./),
      });
      expect(found.accusing("kafka.reachable")).toEqual([]);
    } finally {
      await starting.close();
    }
  });

  test("no connection is left behind on a Kafka that hangs", async () => {
    const hanging = await listening();
    try {
      const { engines: settings } = loadConfig({ KAFKA_BROKERS: `127.0.0.1:${hanging.port}` }, "");
      const inspection = createKafkaInspection({ settings, now: Date.now });
      const calls = [inspection.cluster, () => inspection.topics(["a"]), () => inspection.group("a"), inspection.disks];
      const asked = calls.map((call) => call().then(String, (error: unknown) => error));
      await until(() => hanging.open() === calls.length);
      for (const error of await Promise.all(asked))
        expect(error).toMatchObject({ name: "InspectionError", kind: "silent" });
      await until(() => hanging.open() === 0);
    } finally {
      await hanging.close();
    }
  });
});

describeStartingEngines("on Kafka as it comes", () => {
  let kafka: KafkaServer;
  beforeAll(async () => {
    kafka = await startKafka({ heap: "512m" });
  }, 120_000);
  afterAll(() => kafka?.remove());
  const admin = async <T>(work: (of: ReturnType<Kafka["admin"]>) => Promise<T>): Promise<T> => {
    const of = new Kafka({ brokers: [kafka.brokers], logLevel: logLevel.NOTHING }).admin();
    await of.connect();
    try {
      return await work(of);
    } finally {
      await of.disconnect();
    }
  };

  /** A broker that makes or deletes topics takes a moment. */
  const settled = (names: readonly string[], as: (topic: KafkaTopic | null) => boolean) => {
    const { engines: settings } = loadConfig(envOf(kafka.brokers), "");
    const inspection = createKafkaInspection({ settings, now: Date.now });
    return until(async () => (await inspection.topics(names)).every(as), { timeoutMs: 45_000 });
  };

  test("topics missing", async () => {
    const found = await diagnose(envOf(kafka.brokers));
    for (const topic of ["iot.telemetry", "iot.alerts", "iot.live"]) {
      expect(found.probe(`log.${topic}`)).toMatchObject({
        status: "fail",
        summary: "The topic is missing.",
        cause: expect.stringContaining(`Kafka has no topic ${topic}`),
        fix: "npm run migrate",
      });
    }
    expect(found.probe("kafka.reachable")).toMatchObject({
      status: "pass",
      summary: expect.stringContaining("(Kafka 4.3)"),
    });
    expect(found.accusing("log")).toEqual([]);
    expect(found.verdict).toMatch(/Topic iot\.telemetry: The topic is missing since/);
  });

  test("too few partitions, another retention, the senders' times", async () => {
    const topics = [
      {
        topic: "iot.telemetry",
        numPartitions: 2,
        configEntries: [{ name: "message.timestamp.type", value: "LogAppendTime" }],
      },
      {
        topic: "iot.alerts",
        numPartitions: 1,
        configEntries: [
          { name: "message.timestamp.type", value: "LogAppendTime" },
          { name: "retention.ms", value: "3600000" },
        ],
      },
      { topic: "iot.live", numPartitions: 1 },
    ];
    await admin((of) => of.createTopics({ topics, waitForLeaders: false }));
    await settled(
      topics.map(({ topic }) => topic),
      (found) => found !== null && found.leaderless.length === 0,
    );
    const found = await diagnose(envOf(kafka.brokers));
    await admin((of) => of.deleteTopics({ topics: topics.map(({ topic }) => topic) }));
    await settled(
      topics.map(({ topic }) => topic),
      (there) => there === null,
    );
    expect(found.probe("log.iot.telemetry")).toMatchObject({
      status: "warn",
      summary: "2 partitions, configured 6.",
      cause: expect.stringContaining("only 2 workers can share the work"),
      fix: expect.stringContaining(
        `kafka-topics.sh --bootstrap-server ${kafka.brokers} --alter --topic iot.telemetry --partitions 6`,
      ),
    });
    expect(found.probe("log.iot.alerts")).toMatchObject({
      status: "warn",
      summary: "Keeps messages for 1 hour, configured 168 hours.",
      fix: expect.stringContaining("--entity-name iot.alerts --add-config retention.ms=604800000"),
    });
    expect(found.probe("log.iot.live")).toMatchObject({
      status: "warn",
      summary: "Its times are the senders' (CreateTime).",
      fix: expect.stringContaining("--add-config message.timestamp.type=LogAppendTime"),
    });
    expect(found.probe("kafka.clock")).toMatchObject({ status: "unknown", fix: expect.stringMatching(/^First mend/) });
    expect(found.accusing("log")).toEqual([]);
    expect(found.verdict).not.toContain("can't be taken");
  }, 120_000);

  describe("with its topics", () => {
    beforeAll(() => makeTopics(envOf(kafka.brokers)));

    test("all as it should be", async () => {
      const found = await diagnose(envOf(kafka.brokers));
      expect(found.accusing()).toEqual([]);
      expect(
        found.results.filter(({ name, status }) => /^(kafka|log)\./.test(name) && status !== "pass"),
      ).toMatchObject([
        { name: "kafka.group", status: "warn", summary: "The consumer group has no members.", fix: "npm run worker" },
      ]);
      expect(found.probe("kafka.clock").summary).toBe("The clocks here and there agree.");
      expect(found.probe("kafka.disk").summary).toMatch(/GiB free of/);
      expect(found.probe("log.iot.telemetry").summary).toBe("6 partitions, 1 copy, kept for 168 hours.");
    });

    test("a consumer in the group", async () => {
      const engines = await composeEngines(loadConfig(envOf(kafka.brokers), ""), "test", pino({ level: "silent" }));
      const consumption = await engines.eventLog.consume({
        ...{ topic: TOPICS.telemetry, group: PIPELINE_GROUP, maxRecords: 10, maxBytes: 1000, concurrency: 1 },
        startAt: async () => null,
        onBatch: async () => {},
        onError: () => {},
      });
      try {
        const found = await until(
          async () => {
            const now = await diagnose(envOf(kafka.brokers));
            return now.probe("kafka.group").status === "pass" && now.probe("pipeline.workers").status === "pass"
              ? now
              : null;
          },
          { timeoutMs: 25_000 },
        );
        expect(found.probe("kafka.group").summary).toMatch(
          /^1 member in fieldwatch-pipeline, (stable|sharing out the partitions)\.$/,
        );
      } finally {
        await consumption.stop(1000);
        await engines.close();
      }
    }, 60_000);

    test.each([
      ["ahead", -90_000],
      ["behind", 90_000],
    ])("clocks that differ: Kafka's is %s", async (where, shiftMs) => {
      const found = await diagnose(envOf(kafka.brokers), { now: () => Date.now() + shiftMs });
      for (const [probe, engine] of [
        ["kafka.clock", "Kafka"],
        ["postgres.clock", "PostgreSQL"],
      ] as const) {
        expect(found.probe(probe)).toMatchObject({
          status: "fail",
          summary: expect.stringMatching(new RegExp(`^${engine}'s clock is (8|9)\\d\\.\\d s ${where}\\.$`)),
          fix: expect.stringContaining("timedatectl set-ntp true"),
        });
      }
      expect(found.accusing("kafka.clock", "postgres.clock")).toEqual([]);
    });

    test("its clock is off by a few seconds", async () => {
      const found = await diagnose(envOf(kafka.brokers), { now: () => Date.now() - 5000 });
      expect(found.probe("kafka.clock")).toMatchObject({
        status: "warn",
        summary: expect.stringMatching(/^Kafka's clock is [345]\.\d s ahead\.$/),
      });
    });

    test("one of two bootstrap addresses is wrong", async () => {
      const port = await freeEnginePort();
      const found = await diagnose(envOf(`127.0.0.1:${port},${kafka.brokers}`));
      expect(found.probe("kafka.reachable")).toMatchObject({
        status: "warn",
        summary: expect.stringContaining("1 address of 2 answer"),
        cause: `Nothing listens on 127.0.0.1:${port} (ECONNREFUSED).`,
      });
      expect(found.probe("kafka.signed-in").status).toBe("pass");
      expect(found.accusing("kafka.reachable")).toEqual([]);
    });

    test("sign-in and TLS where there are none", async () => {
      const user = { KAFKA_SASL_MECHANISM: "plain", KAFKA_SASL_USERNAME: "ana", KAFKA_SASL_PASSWORD: "secret" };
      const unwanted = await diagnose(envOf(kafka.brokers, user));
      expect(unwanted.probe("kafka.signed-in")).toMatchObject({
        status: "fail",
        cause: expect.stringContaining("takes no sign-in"),
        fix: expect.stringContaining("unset KAFKA_SASL_MECHANISM"),
      });
      const tls = await diagnose(envOf(kafka.brokers, { KAFKA_SSL: "true" }));
      expect(tls.probe("kafka.reachable")).toMatchObject({
        status: "fail",
        cause: expect.stringContaining("doesn't speak TLS"),
        fix: expect.stringContaining("KAFKA_SSL=false"),
      });
      expect(tls.accusing("kafka.reachable")).toEqual([]);
    });

    test("stopped in its tracks, with everything connected", async () => {
      kafka.suspend();
      try {
        const found = await diagnose(envOf(kafka.brokers));
        expect(found.probe("kafka.reachable")).toMatchObject({ status: "fail", summary: "Kafka does not answer." });
        expect(found.accusing("kafka.reachable")).toEqual([]);
      } finally {
        kafka.resume();
      }
      const found = await diagnose(envOf(kafka.brokers));
      expect(found.accusing()).toEqual([]);
    });
  });
});

describeStartingEngines("on Kafka with sign-in", () => {
  const users = { ana: "secret" };
  const signIn = (password: string, mechanism = "scram-sha-512") => ({
    KAFKA_SASL_MECHANISM: mechanism,
    KAFKA_SASL_USERNAME: "ana",
    KAFKA_SASL_PASSWORD: password,
  });
  let dataDir: string;
  let kafka: KafkaServer;
  beforeAll(async () => {
    dataDir = mkdtempSync(path.join(tmpdir(), "fieldwatch-signed-"));
    kafka = await startKafka({ heap: "512m", dataDir, users });
    await makeTopics(envOf(kafka.brokers, signIn("secret")));
  }, 120_000);
  afterAll(async () => {
    await kafka?.remove();
    rmSync(dataDir, { recursive: true, force: true });
  });

  test.each(["plain", "scram-sha-256", "scram-sha-512"])("right and wrong password by %s", async (mechanism) => {
    const right = await diagnose(envOf(kafka.brokers, signIn("secret", mechanism)));
    expect(right.probe("kafka.signed-in")).toMatchObject({
      status: "pass",
      summary: expect.stringContaining(`Signed in as ana (${mechanism.toUpperCase()})`),
    });
    expect(right.accusing()).toEqual([]);
    const wrong = await diagnose(envOf(kafka.brokers, signIn("guess", mechanism)));
    expect(wrong.probe("kafka.signed-in")).toMatchObject({
      status: "fail",
      cause: `${kafka.brokers} refuses the user ana (SASL_AUTHENTICATION_FAILED): wrong password, or no such user.`,
      fix: expect.stringContaining("KAFKA_SASL_PASSWORD"),
    });
    expect(wrong.probe("kafka.reachable").status).toBe("pass");
    expect(wrong.accusing("kafka.signed-in")).toEqual([]);
    expect(JSON.stringify(wrong.results)).not.toContain("guess");
    expect(wrong.verdict).toMatch(
      /^Kafka, Signed in: Kafka refuses the sign-in since .*: readings wait with their senders/,
    );
  });

  test("no sign-in set", async () => {
    const found = await diagnose(envOf(kafka.brokers));
    expect(found.probe("kafka.signed-in")).toMatchObject({
      status: "fail",
      cause: `${kafka.brokers} asks for a user, and none is set.`,
      fix: expect.stringContaining("KAFKA_SASL_MECHANISM=scram-sha-512"),
    });
    expect(found.accusing("kafka.signed-in")).toEqual([]);
  });

  test("an advertised address that can't be reached", async () => {
    const port = Number(kafka.brokers.split(":")[1]);
    await kafka.stop();
    kafka = await startKafka({ heap: "512m", dataDir, users, port, advertised: "kafka.invalid:9092" });
    const found = await diagnose(envOf(kafka.brokers, signIn("secret")));
    expect(found.probe("kafka.advertised")).toMatchObject({
      status: "fail",
      summary: `Kafka at ${kafka.brokers} answers, but tells clients to use kafka.invalid:9092, which this machine can't reach.`,
      cause: expect.stringMatching(/^This machine doesn't know the host kafka\.invalid \((ENOTFOUND|EAI_AGAIN)\)\.$/),
      fix: expect.stringMatching(
        /advertised\.listeners=SASL_PLAINTEXT:\/\/127\.0\.0\.1:\d+\nor .*echo '127\.0\.0\.1 kafka\.invalid' \| sudo tee -a \/etc\/hosts$/,
      ),
    });
    for (const name of ["kafka.reachable", "kafka.signed-in", "log.iot.telemetry", "log.iot.live"])
      expect(found.probe(name).status).toBe("pass");
    expect(found.probe("kafka.group")).toMatchObject({
      status: "unknown",
      fix: expect.stringMatching(/^First mend Kafka/),
    });
    expect(found.accusing("kafka.advertised")).toEqual([]);
    expect(found.verdict).toMatch(/Advertised addresses answer: .* since .*: readings wait with their senders/);
  }, 90_000);
});
