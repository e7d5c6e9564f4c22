import { existsSync } from "node:fs";
import { Kafka, logLevel } from "@/server/adapters/kafka/kafkajs";
import { MongoClient } from "mongodb";
import { withClient } from "@/server/postgres/migrate";
import { isAlive } from "../processes";
import type { Engine } from "./engine";
import { startEngines } from "./engines";
import type { KafkaServer } from "./kafka";
import { explainFailure } from "./local";
import type { MongoServer } from "./mongodb";
import type { PostgresServer } from "./postgres";

/**
 * `node e2e/run.mjs engines/check`: starts Kafka, the MongoDB-wire server and PostgreSQL, writes to each, stops them (Kafka
 * and PostgreSQL by kill -9), starts them again, reads what was written, and sees that nothing is left at the end.
 */
export async function main(): Promise<number> {
  let engines;
  try {
    const say = (line: string) => console.log(line);
    engines = await startEngines({ kafka: { say }, mongodb: { say }, postgres: true });
  } catch (error) {
    process.stderr.write(explainFailure(error));
    return 1;
  }
  const { kafka, mongodb, postgres } = engines;
  if (!kafka || !mongodb || !postgres) throw new Error("Not all engines were started.");
  const all: readonly Engine[] = [kafka, mongodb, postgres];
  const pids = all.map((engine) => engine.pid);
  try {
    await writeToKafka(kafka);
    await writeToMongo(mongodb);
    await writeToPostgres(postgres);
    console.log("Kafka, MongoDB-wire server and PostgreSQL started and took a write");
    await Promise.all([kafka.kill(), postgres.kill(), mongodb.stop()]);
    await Promise.all(all.map((engine) => engine.start()));
    pids.push(...all.map((engine) => engine.pid));
    const found = [await readFromKafka(kafka), await readFromMongo(mongodb), await readFromPostgres(postgres)];
    if (found.some((count) => count !== 1)) throw new Error(`Found ${found.join(", ")} instead of 1 in each.`);
    console.log(
      "Kafka and PostgreSQL came back after kill -9, the MongoDB-wire server after a stop, with what was written",
    );
  } finally {
    await engines.stop();
  }
  const left = [...pids.filter(isAlive), ...all.map((engine) => engine.dataDir).filter((folder) => existsSync(folder))];
  if (left.length > 0) throw new Error(`Left behind: ${left.join(", ")}`);
  console.log("All stopped; no process and no folder is left");
  return 0;
}

const TOPIC = "check";

function kafkaClient(kafka: KafkaServer): Kafka {
  return new Kafka({ clientId: "check", brokers: [kafka.brokers], logLevel: logLevel.ERROR });
}

async function writeToKafka(kafka: KafkaServer): Promise<void> {
  const admin = kafkaClient(kafka).admin();
  const producer = kafkaClient(kafka).producer();
  try {
    await admin.connect();
    await admin.createTopics({ topics: [{ topic: TOPIC, numPartitions: 1 }], waitForLeaders: true });
    await producer.connect();
    await producer.send({ topic: TOPIC, messages: [{ value: "1" }] });
  } finally {
    await producer.disconnect();
    await admin.disconnect();
  }
}

async function readFromKafka(kafka: KafkaServer): Promise<number> {
  const admin = kafkaClient(kafka).admin();
  try {
    await admin.connect();
    const [partition] = await admin.fetchTopicOffsets(TOPIC);
    return Number(partition?.high);
  } finally {
    await admin.disconnect();
  }
}

async function writeToMongo({ uri }: MongoServer): Promise<void> {
  const client = new MongoClient(uri);
  await client.db().collection("check").insertOne({ value: 1 });
  await client.close();
}

async function readFromMongo({ uri }: MongoServer): Promise<number> {
  const client = new MongoClient(uri);
  const count = await client.db().collection("check").countDocuments();
  await client.close();
  return count;
}

async function writeToPostgres({ url }: PostgresServer): Promise<void> {
  await query(url, "CREATE TABLE check_engine AS SELECT 1 AS value");
}

async function readFromPostgres({ url }: PostgresServer): Promise<number> {
  return Number((await query(url, "SELECT count(*) AS rows FROM check_engine"))[0]?.rows);
}

function query(url: string, sql: string): Promise<{ rows?: string }[]> {
  return withClient(url, async (client) => (await client.query<{ rows?: string }>(sql)).rows);
}
