import { Kafka, logLevel } from "kafkajs";
import pino from "pino";
import { createPool } from "@/server/postgres/connection";
import { makeSource } from "@/server/testing/source-rig";
import { machine } from "../bench/report";
import { killNow, processOf } from "../processes";
import { pause, seeded, until } from "../waiting";
import { readOptions } from "./drill";
import { openStage } from "./stage";
import { eachArchived, withDatabase } from "./stored";

const RECORDS = 200_000;
const DEVICES = 100;
const TOPIC = "plant.events";

/**
 * Records of another's topic with random keys, on a real Kafka (`--engines kafka` or `real`), while the process that reads them is killed: each reading is
 * stored once, and each device lies in one partition of the event log.
 */
export async function main(argv: string[]): Promise<number> {
  const { mode, short, seed } = readOptions(argv);
  const random = seeded(seed);
  const total = short ? RECORDS / 20 : RECORDS;
  const kills = short ? 2 : 5;
  const stage = await openStage(mode === "embedded" ? "kafka" : mode, "plain", {});
  const wrong: string[] = [];
  try {
    const brokers = stage.engines.kafka!.brokers.split(",");
    const kafka = new Kafka({ clientId: "drill", brokers, logLevel: logLevel.ERROR });
    const admin = kafka.admin();
    await admin.connect();
    await admin.createTopics({ topics: [{ topic: TOPIC, numPartitions: 4 }] });
    await admin.disconnect();
    const producer = kafka.producer();
    await producer.connect();
    const began = Date.now() - total;
    for (let from = 0; from < total; from += 2000) {
      const messages = Array.from({ length: Math.min(2000, total - from) }, (_, i) => ({
        key: String(random()),
        value: `{"who":"event-${(from + i) % DEVICES}","at":${began + from + i},"n":${from + i}}`,
      }));
      await producer.send({ topic: TOPIC, messages });
    }
    await producer.disconnect();

    const pool = createPool(stage.connectionString(), { role: "drill", logger: pino({ level: "silent" }), size: 2 });
    await makeSource(
      pool,
      "plant",
      { type: "kafka", brokers, ssl: false, sasl: null, group: "fieldwatch-plant", topics: [TOPIC], from: "earliest" },
      {
        mapping: {
          decode: "json",
          device: ["{who}"],
          time: [{ from: { path: "at" }, format: "ms" }],
          readings: [{ root: "", include: ["n"] }],
        },
        rate: 1_000_000,
      },
    ).finally(() => pool.end());
    const count = (sql: string) =>
      withDatabase(stage, async (client) => (await client.query<{ n: number }>(sql)).rows[0]!.n);
    const stored = () => count(`SELECT count(*)::int AS n FROM reading`);
    const intake = () => processOf(stage.product.tree(), "intake")?.pid;
    const at = performance.now();
    for (let kill = 1; kill <= kills; kill++) {
      await until(async () => (await stored()) > (total * kill) / (kills + 2), {
        ...{ timeoutMs: 180_000, everyMs: 100, what: "some to be read" },
      });
      await pause(random() * 200);
      const pid = intake();
      if (pid === undefined) continue;
      killNow([pid]);
      await until(() => (intake() ?? pid) !== pid, { timeoutMs: 30_000, what: "the supervisor to start intake" });
    }
    await until(async () => (await stored()) >= total, { timeoutMs: 300_000, everyMs: 500, what: "all to be stored" });
    const seconds = (performance.now() - at) / 1000;
    const n = await stored();
    const places = new Map<string, Set<number>>();
    await eachArchived(stage, ({ device, position }) => {
      places.set(device, (places.get(device) ?? new Set()).add(position.partition));
    });
    const split = [...places.values()].filter(({ size }) => size > 1).length;
    console.log(
      `  ${total} records, killed ${kills} times: ${n} stored in ${seconds.toFixed(0)} s; ${places.size} devices, ${split} of them in more than one partition`,
    );
    if (n !== total) wrong.push(`${n} stored of ${total}`);
    if (split > 0) wrong.push(`${split} devices lie in more than one partition`);
  } catch (error) {
    wrong.push((error as Error).stack ?? String(error));
  } finally {
    await stage.close();
    if (wrong.length === 0) stage.remove();
  }
  for (const line of wrong) console.log(`  FAIL ${line}`);
  console.log(
    `\n${machine()} · engines: ${mode}\n\n${1 - Math.min(1, wrong.length)} passed, ${Math.min(1, wrong.length)} failed`,
  );
  return wrong.length === 0 ? 0 : 1;
}
