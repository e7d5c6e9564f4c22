import { readFileSync } from "node:fs";
import { Kafka, logLevel, type SASLOptions } from "kafkajs";
import { MongoClient } from "mongodb";
import { afterAll, beforeAll, expect, test } from "vitest";
import { withClient } from "@/server/postgres/migrate";
import { describeStartingEngines } from "@/server/testing/engines";
import { until } from "@/server/testing/until";
import { isAlive } from "../processes";
import { startEngines } from "./engines";
import { type KafkaServer, startKafka } from "./kafka";
import { startMongo } from "./mongodb";
import { startPostgres } from "./postgres";

const SLOW = { timeout: 240_000 };

test("PostgreSQL keeps what was committed over kill -9", SLOW, async () => {
  const { postgres, env, stop } = await startEngines({ postgres: true });
  try {
    if (!postgres) throw new Error("PostgreSQL wasn't started.");
    expect(env).toEqual({ DATABASE_URL: postgres.url });
    await query(postgres.url, "CREATE TABLE kept AS SELECT 1 AS value");
    const { pid } = postgres;
    await postgres.kill();
    expect(postgres.isRunning()).toBe(false);
    await expect(query(postgres.url, "SELECT 1")).rejects.toThrow("ECONNREFUSED");
    await postgres.start();
    expect(postgres.pid).not.toBe(pid);
    expect(await query(postgres.url, "SELECT value FROM kept")).toEqual([{ value: 1 }]);
  } finally {
    await stop();
  }
});

test("a suspended PostgreSQL answers when it is resumed, not before", SLOW, async () => {
  const postgres = await startPostgres();
  try {
    await postgres.suspend();
    let answered = false;
    const answer = query(postgres.url, "SELECT 1").then(() => (answered = true));
    // It takes the connection, as the system does that for it.
    await expect(until(() => answered, { timeoutMs: 500 })).rejects.toThrow("Not within");
    postgres.resume();
    await answer;
  } finally {
    await postgres.remove();
  }
});

describeStartingEngines("MongoDB-wire server", () => {
  test("doesn't take another one on its port for itself", SLOW, async () => {
    const first = await startMongo();
    try {
      await expect(startMongo({ port: Number(new URL(first.uri).port) })).rejects.toThrow(
        "The MongoDB-wire server ended while starting",
      );
    } finally {
      await first.remove();
    }
  });

  test("keeps its data over stop and start", SLOW, async () => {
    const mongodb = await startMongo();
    const client = new MongoClient(mongodb.uri);
    try {
      await client.db().collection("kept").insertOne({ value: 1 });
      expect(client.db().databaseName).toBe("fieldwatch");
      await mongodb.stop();
      await mongodb.start();
      expect(await client.db().collection("kept").countDocuments()).toBe(1);
    } finally {
      await client.close();
      await mongodb.remove();
    }
  });
});

describeStartingEngines("Kafka", () => {
  let kafka: KafkaServer;
  beforeAll(async () => {
    kafka = await startKafka({ tls: true, users: { alice: "wonder-land" }, heap: "384m" });
  }, 240_000);
  afterAll(() => kafka.remove());

  test.each([
    ["plain", "wonder-land"],
    ["scram-sha-256", "wonder-land"],
    ["scram-sha-512", "wonder-land"],
  ] as const)("lets a user in with %s", async (mechanism, password) => {
    expect(await brokersOf(kafka, { mechanism, username: "alice", password })).toHaveLength(1);
  });

  test("keeps others out", async () => {
    for (const mechanism of ["plain", "scram-sha-512"] as const)
      await expect(brokersOf(kafka, { mechanism, username: "alice", password: "wrong" })).rejects.toMatchObject({
        name: "KafkaJSSASLAuthenticationError",
      });
    await expect(brokersOf(kafka)).rejects.toThrow();
    const sasl = { mechanism: "plain", username: "alice", password: "wonder-land" } as const;
    const withoutCa: KafkaServer = Object.assign(Object.create(kafka) as KafkaServer, { caFile: undefined });
    await expect(brokersOf(withoutCa, sasl)).rejects.toThrow();
  });

  test("kill -9 and start keep its records, cluster id, address and users", SLOW, async () => {
    const sasl = { mechanism: "scram-sha-256", username: "alice", password: "wonder-land" } as const;
    const client = clientOf(kafka, sasl);
    const [admin, producer] = [client.admin(), client.producer()];
    try {
      await admin.connect();
      await producer.connect();
      await admin.createTopics({ topics: [{ topic: "kept", numPartitions: 1 }], waitForLeaders: true });
      await producer.send({ topic: "kept", messages: [{ value: "1" }] });
    } finally {
      await producer.disconnect();
      await admin.disconnect();
    }
    const { brokers, clusterId, pid } = kafka;
    await kafka.kill();
    expect(isAlive(pid)).toBe(false);
    await kafka.start();
    expect([kafka.brokers, kafka.clusterId]).toEqual([brokers, clusterId]);
    const again = clientOf(kafka, sasl).admin();
    try {
      await again.connect();
      expect((await again.describeCluster()).clusterId).toBe(clusterId);
      expect(await again.fetchTopicOffsets("kept")).toMatchObject([{ high: "1" }]);
    } finally {
      await again.disconnect();
    }
  });

  test("tells clients the address it is given", SLOW, async () => {
    const wrong = await startKafka({ advertised: "127.0.0.1:1", heap: "384m" });
    try {
      await expect(brokersOf(wrong)).rejects.toThrow(/127\.0\.0\.1:1\b/);
    } finally {
      await wrong.remove();
    }
  });
});

function clientOf({ brokers, caFile }: KafkaServer, sasl?: SASLOptions): Kafka {
  return new Kafka({
    brokers: [brokers],
    logLevel: logLevel.NOTHING,
    connectionTimeout: 20_000,
    authenticationTimeout: 20_000,
    retry: { retries: 0 },
    ...(caFile !== undefined && { ssl: { ca: [readFileSync(caFile, "utf8")] } }),
    ...(sasl && { sasl }),
  });
}

async function brokersOf(kafka: KafkaServer, sasl?: SASLOptions): Promise<readonly unknown[]> {
  const admin = clientOf(kafka, sasl).admin();
  try {
    await admin.connect();
    return (await admin.describeCluster()).brokers;
  } finally {
    await admin.disconnect();
  }
}

function query(url: string, sql: string): Promise<unknown[]> {
  return withClient(url, async (client) => (await client.query<Record<string, unknown>>(sql)).rows);
}

describeStartingEngines("MongoDB-wire server that may be killed", () => {
  test("keeps what was acknowledged over kill -9, and removes what has expired", SLOW, async () => {
    const server = await startMongo({ killable: true });
    const client = new MongoClient(server.uri);
    try {
      const kept = client.db().collection<{ _id: number }>("kept");
      await kept.createIndex({ at: 1 }, { expireAfterSeconds: 3600 });
      for (let round = 0; round < 3; round++) {
        const rows = Array.from({ length: 500 }, (_, i) => ({ _id: round * 500 + i, at: new Date() }));
        await kept.insertMany(rows);
        await server.kill();
        await server.start();
        expect(await kept.countDocuments()).toBe((round + 1) * 500);
      }
      await kept.insertOne({ _id: -1, at: new Date(Date.now() - 7_200_000) } as never);
      await until(async () => (await kept.countDocuments({ _id: -1 })) === 0, { timeoutMs: 120_000, everyMs: 500 });
      expect(await kept.countDocuments()).toBe(1500);
    } finally {
      await client.close();
      await server.remove();
    }
  });
});
