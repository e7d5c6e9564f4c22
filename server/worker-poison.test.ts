import { Kafka, type Message } from "kafkajs";
import pino from "pino";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type KafkaServer, startKafka } from "@/e2e/engines/kafka";
import { composeEngines, topicSettings } from "./compose";
import { loadConfig } from "./config/config";
import { TOPICS } from "./domain/terms";
import { freshDatabase, type TestDatabase } from "./testing/database";
import { describeStartingEngines } from "./testing/engines";
import { until } from "./testing/until";
import { archivedMessages } from "@/server/testing/archived";
import { runWorker } from "./worker";

const logger = pino({ level: "silent" });

describeStartingEngines("a worker on a Kafka that others write to as they like", () => {
  let db: TestDatabase;
  let kafka: KafkaServer;
  beforeAll(async () => {
    [db, kafka] = await Promise.all([freshDatabase(), startKafka({ heap: "512m" })]);
  }, 180_000);
  afterAll(async () => {
    await kafka?.remove();
    await db?.drop();
  }, 120_000);

  it("keeps bad records as dead letters and stores the good ones around them", { timeout: 180_000 }, async () => {
    const config = loadConfig({ NODE_ENV: "test", DATABASE_URL: db.appUrl, KAFKA_BROKERS: kafka.brokers }, "");
    const engines = await composeEngines(config, "test", logger);
    const client = new Kafka({ brokers: kafka.brokers.split(","), logLevel: 1 });
    const admin = client.admin();
    await admin.connect();
    // A topic of somebody else's making, whose stamps are the sender's.
    const configEntries = [{ name: "message.timestamp.type", value: "CreateTime" }];
    configEntries.push({ name: "message.timestamp.after.max.ms", value: String(2n ** 63n - 1n) });
    await admin.createTopics({ topics: [{ topic: TOPICS.telemetry, numPartitions: 6, configEntries }] });
    await admin.disconnect();
    await engines.eventLog.ensureTopics(topicSettings(config));

    const now = Date.now();
    const good = (device: string, i: number) => JSON.stringify({ device, time: now + i, readings: { t: i } });
    const mark = (letter: string | Buffer, attempt: string) => ({
      "fieldwatch-resend-of": letter,
      "fieldwatch-resends": attempt,
    });
    const bad: Message[] = [
      { value: "not json", headers: mark("abc", "3000000000") },
      { value: "not json", headers: mark(Buffer.from("a\0b"), "1") },
      { value: "not json", headers: mark("c/iot.telemetry/0/0/0/m", "1") },
      { value: "not json", headers: { "fieldwatch-probe": Buffer.from("a\0b") } },
      { value: "not json", headers: mark("x".repeat(500_000), "-1") },
      { value: null },
      { value: "" },
      { value: Buffer.alloc(900_000) },
    ];
    const stamped: Message[] = [now * 1e3, now * 1e6, 0].map((timestamp, i) => ({
      value: good("a", 100 + i),
      timestamp: String(timestamp),
    }));
    const producer = client.producer();
    await producer.connect();
    const records = [...bad, ...stamped].flatMap((one, i) => [
      { key: "a", value: good("a", 2 * i) },
      { key: "a", ...one },
      { key: Buffer.from([0xff, 0]), value: good("b", i) },
    ]);
    for (const message of records) await producer.send({ topic: TOPICS.telemetry, messages: [message] });
    await producer.disconnect();

    const worker = await runWorker(config, logger);
    const handled = async () =>
      (await db.pool.query<{ n: number }>("SELECT coalesce(sum(messages), 0)::int AS n FROM pipeline_position"))
        .rows[0]!.n;
    await until(async () => (await handled()) === records.length, { timeoutMs: 60_000 });
    await worker.stop();
    await engines.close();
    const { rows } = await db.pool.query(
      `SELECT (SELECT count(*)::int FROM dead_letter) AS letters,
              (SELECT count(*)::int FROM dead_letter WHERE reason = 'internalError' OR resend_of IS NOT NULL) AS wrong`,
    );
    expect(rows).toEqual([{ letters: bad.length, wrong: 0 }]);
    expect(await archivedMessages(db.pool)).toHaveLength(records.length - bad.length);
  });
});
