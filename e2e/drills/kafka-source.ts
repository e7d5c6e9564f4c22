import { Kafka, logLevel } from "kafkajs";
import pino from "pino";
import { createPool } from "@/server/postgres/connection";
import { makeSource } from "@/server/testing/source-rig";
import { killNow, processOf } from "../processes";
import { pause, seeded, until } from "../waiting";
import { type DrillOptions, readOptions } from "./drill";
import { checkOnStage, exitCode } from "./on-stage";
import type { Row } from "./rows";
import type { Stage } from "./stage";
import { archivedCopies, eachArchived, withDatabase } from "./stored";

const RECORDS = 1_000_000;
const DEVICES = 100;
const TOPIC = "plant.events";

/**
 * Records of another's topic with random keys, on a real Kafka (`--engines kafka` or `real`), while the process that reads them, and the worker, are
 * killed: each is stored and archived once, and each device lies in one partition of the event log.
 */
export async function kafkaSource({ mode: asked, short, seed }: DrillOptions): Promise<Row> {
  const mode = asked === "embedded" ? "kafka" : asked;
  const random = seeded(seed);
  const total = short ? RECORDS / 100 : RECORDS;
  const kills = short ? 2 : 5;
  return checkOnStage("kafka-source", { mode }, async (stage, checks) => {
    await produce(stage, total, random);
    await makePlant(stage);
    const count = (sql: string) =>
      withDatabase(stage, async (client) => (await client.query<{ n: number }>(sql)).rows[0]!.n);
    const stored = () => count(`SELECT coalesce(sum(readings), 0)::int AS n FROM pipeline_position`);
    const at = performance.now();
    for (let kill = 1; kill <= kills; kill++) {
      await until(async () => (await stored()) > (total * kill) / (kills + 2), {
        ...{ timeoutMs: 180_000, everyMs: 100, what: "some to be read" },
      });
      for (const role of ["intake", "worker"] as const) {
        const pidOf = () => processOf(stage.product.tree(), role)?.pid;
        await pause(random() * 200);
        const pid = pidOf();
        if (pid === undefined) continue;
        killNow([pid]);
        await until(() => (pidOf() ?? pid) !== pid, { timeoutMs: 30_000, what: `the supervisor to start ${role}` });
      }
    }
    await until(async () => (await stored()) >= total, { timeoutMs: 600_000, everyMs: 500, what: "all to be stored" });
    const seconds = (performance.now() - at) / 1000;
    const repeats = await count(`SELECT coalesce(sum(repeats), 0)::int AS n FROM taken_from`);
    console.log(
      `  ${total} records, intake and worker killed ${kills} times each: stored in ${seconds.toFixed(0)} s; ${repeats} came again and were left out`,
    );
    const readings = await count(`SELECT count(*)::int AS n FROM reading`);
    checks.equal("readings", readings, total);
    checks.equal("messages counted", await count(`SELECT sum(messages)::int AS n FROM pipeline_position`), total);
    const copies = await archivedCopies(stage);
    checks.equal("messages in the archive", copies.size, total);
    checks.equal("of which there twice", [...copies.values()].filter((n) => n > 1).length, 0);
    const places = new Map<string, Set<number>>();
    await eachArchived(stage, ({ device, position }) => {
      places.set(device, (places.get(device) ?? new Set()).add(position.partition));
    });
    checks.equal("devices", places.size, DEVICES);
    checks.equal("of which in more than one partition", [...places.values()].filter(({ size }) => size > 1).length, 0);
    return { faults: 2 * kills, sent: total, stored: readings };
  });
}

async function produce(stage: Stage, total: number, random: () => number): Promise<void> {
  const brokers = brokersOf(stage);
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
}

async function makePlant(stage: Stage): Promise<void> {
  const pool = createPool(stage.connectionString(), { role: "drill", logger: pino({ level: "silent" }), size: 2 });
  const reads = { group: "fieldwatch-plant", topics: [TOPIC], from: "earliest" } as const;
  const door = { type: "kafka", brokers: brokersOf(stage), ssl: false, sasl: null, ...reads } as const;
  const mapping: NonNullable<Parameters<typeof makeSource>[3]>["mapping"] = {
    decode: "json",
    device: ["{who}"],
    time: [{ from: { path: "at" }, format: "ms" }],
    readings: [{ root: "", include: ["n"] }],
  };
  await makeSource(pool, "plant", door, { mapping, rate: 1_000_000 });
  await pool.end();
}

function brokersOf(stage: Stage): string[] {
  return stage.engines.kafka!.brokers.split(",");
}

export async function main(argv: string[]): Promise<number> {
  return exitCode(await kafkaSource(readOptions(argv)));
}
