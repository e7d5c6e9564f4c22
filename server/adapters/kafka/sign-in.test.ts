import pino from "pino";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type KafkaServer, startKafka } from "@/e2e/engines/kafka";
import { LogUnavailableError } from "@/server/ports/event-log";
import { describeStartingEngines } from "@/server/testing/engines";
import { until } from "@/server/testing/until";
import type { KafkaSettings } from "./client";
import { createKafkaEventLog } from "./event-log";

const logger = pino({ level: "silent" });
const PASSWORD = "only-for-this-test";

describeStartingEngines("event log: kafka with TLS and sign-in", () => {
  let kafka: KafkaServer;
  beforeAll(async () => {
    kafka = await startKafka({ tls: true, users: { fieldwatch: PASSWORD }, heap: "512m" });
  }, 120_000);
  afterAll(() => kafka?.remove(), 60_000);

  function openLog(over: Partial<KafkaSettings>) {
    const settings: KafkaSettings = {
      KAFKA_BROKERS: [kafka.brokers],
      KAFKA_SSL: true,
      KAFKA_SSL_CA_FILE: kafka.caFile,
      KAFKA_SASL_MECHANISM: "scram-sha-512",
      KAFKA_SASL_USERNAME: "fieldwatch",
      KAFKA_SASL_PASSWORD: PASSWORD,
      ...over,
    };
    return createKafkaEventLog({ settings, role: "test", logger });
  }

  it.each(["plain", "scram-sha-256", "scram-sha-512"] as const)(
    "appends and consumes by %s",
    async (mechanism) => {
      const log = openLog({ KAFKA_SASL_MECHANISM: mechanism });
      const topic = `signed-in-by-${mechanism}`;
      await log.ensureTopics([{ topic, partitions: 1, retentionMs: 3_600_000, durable: true }]);
      await log.append(topic, [{ key: "k", value: Buffer.from("v") }]);
      const seen: string[] = [];
      const consumption = await log.consume({
        topic,
        group: topic,
        maxRecords: 10,
        maxBytes: 1000,
        concurrency: 1,
        onError: () => undefined,
        onBatch: async ({ records }) => void seen.push(...records.map(({ value }) => Buffer.from(value).toString())),
      });
      await until(() => seen.length > 0, { timeoutMs: 30_000 });
      expect(seen).toEqual(["v"]);
      await consumption.stop(1000);
      await log.close();
    },
    120_000,
  );

  it("counts a refused sign-in, a missing one and an untrusted certificate as outages", async () => {
    const wrong: Partial<KafkaSettings>[] = [
      { KAFKA_SASL_PASSWORD: "another" },
      { KAFKA_SASL_MECHANISM: undefined },
      { KAFKA_SSL_CA_FILE: undefined },
      { KAFKA_SSL: false },
    ];
    for (const over of wrong) {
      const log = openLog(over);
      await expect(log.append("anything", [{ key: "k", value: Buffer.from("v") }])).rejects.toThrow(
        LogUnavailableError,
      );
      await log.close();
    }
  }, 180_000);
});
