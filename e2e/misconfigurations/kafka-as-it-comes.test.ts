import { Kafka, logLevel } from "kafkajs";
import pino from "pino";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createKafkaInspection } from "@/server/adapters/kafka/inspection";
import { composeEngines } from "@/server/compose";
import { loadConfig } from "@/server/config/config";
import { PIPELINE_GROUP, TOPICS } from "@/server/domain/terms";
import type { KafkaTopic } from "@/server/ports/inspection";
import { describeStartingEngines } from "@/server/testing/engines";
import { until } from "@/server/testing/until";
import { type KafkaServer, startKafka } from "../engines/kafka";
import { freePort } from "../engines/ports";
import { createKafkaRig } from "./kafka-rig";
import { diagnose } from "./rig";

const rig = createKafkaRig();

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
    const { engines: settings } = loadConfig(rig.envOf(kafka.brokers), "");
    const inspection = createKafkaInspection({ settings, now: Date.now });
    return until(async () => (await inspection.topics(names)).every(as), { timeoutMs: 45_000 });
  };

  test("topics missing", async () => {
    const found = await diagnose(rig.envOf(kafka.brokers));
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
    const names = topics.map(({ topic }) => topic);
    await admin((of) => of.createTopics({ topics, waitForLeaders: false }));
    await settled(names, (topic) => topic !== null && topic.leaderless.length === 0);
    const found = await diagnose(rig.envOf(kafka.brokers));
    await admin((of) => of.deleteTopics({ topics: names }));
    await settled(names, (topic) => topic === null);
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
    beforeAll(() => rig.makeTopics(rig.envOf(kafka.brokers)));

    test("all as it should be", async () => {
      const found = await diagnose(rig.envOf(kafka.brokers));
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
      const engines = await composeEngines(loadConfig(rig.envOf(kafka.brokers), ""), "test", pino({ level: "silent" }));
      const consumption = await engines.eventLog.consume({
        ...{ topic: TOPICS.telemetry, group: PIPELINE_GROUP, maxRecords: 10, maxBytes: 1000, concurrency: 1 },
        startAt: async () => null,
        onBatch: async () => {},
        onError: () => {},
      });
      try {
        const found = await until(
          async () => {
            const now = await diagnose(rig.envOf(kafka.brokers));
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
      const found = await diagnose(rig.envOf(kafka.brokers), { now: () => Date.now() + shiftMs });
      for (const [probe, engine] of [
        ["kafka.clock", "Kafka"],
        ["postgres.clock", "PostgreSQL"],
      ] as const) {
        expect(found.probe(probe)).toMatchObject({
          status: "fail",
          summary: expect.stringMatching(new RegExp(`^${engine}'s clock is 1 min [23]\\d s ${where}\\.$`)),
          fix: expect.stringContaining("timedatectl set-ntp true"),
        });
      }
      expect(found.accusing("kafka.clock", "postgres.clock")).toEqual([]);
    });

    test("its clock is off by a few seconds", async () => {
      const found = await diagnose(rig.envOf(kafka.brokers), { now: () => Date.now() - 5000 });
      expect(found.probe("kafka.clock")).toMatchObject({
        status: "warn",
        summary: expect.stringMatching(/^Kafka's clock is [345](\.\d+)? s ahead\.$/),
      });
    });

    test("one of two bootstrap addresses is wrong", async () => {
      const port = await freePort();
      const found = await diagnose(rig.envOf(`127.0.0.1:${port},${kafka.brokers}`));
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
      const unwanted = await diagnose(rig.envOf(kafka.brokers, user));
      expect(unwanted.probe("kafka.signed-in")).toMatchObject({
        status: "fail",
        cause: expect.stringContaining("takes no sign-in"),
        fix: expect.stringContaining("unset KAFKA_SASL_MECHANISM"),
      });
      const tls = await diagnose(rig.envOf(kafka.brokers, { KAFKA_SSL: "true" }));
      expect(tls.probe("kafka.reachable")).toMatchObject({
        status: "fail",
        cause: expect.stringContaining("doesn't speak TLS"),
        fix: expect.stringContaining("KAFKA_SSL=false"),
      });
      expect(tls.accusing("kafka.reachable")).toEqual([]);
    });

    test("stopped in its tracks, with everything connected", async () => {
      await kafka.suspend();
      try {
        const found = await diagnose(rig.envOf(kafka.brokers));
        expect(found.probe("kafka.reachable")).toMatchObject({ status: "fail", summary: "Kafka does not answer." });
        expect(found.accusing("kafka.reachable")).toEqual([]);
      } finally {
        kafka.resume();
      }
      // Kafka may have taken its leaderships away while it stood still; it gets them back in a moment.
      await until(
        async () => {
          expect((await diagnose(rig.envOf(kafka.brokers))).accusing()).toEqual([]);
          return true;
        },
        { timeoutMs: 45_000 },
      );
    }, 90_000);
  });
});
