import pino from "pino";
import { afterEach, expect, test } from "vitest";
import type { Delivery } from "@/server/domain/mapping/delivery";
import type { SourceDoor } from "@/server/domain/source";
import { createKafkaEventLog } from "@/server/adapters/kafka/event-log";
import { createPostgresEventLog } from "@/server/adapters/postgres/event-log";
import { freshDatabase } from "@/server/testing/database";
import { until } from "@/server/testing/until";
import type { OpenSource } from "../intake";
import { kafkaDoors } from "./kafka-door";

const undo: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (let step = undo.pop(); step; step = undo.pop()) await step();
});

/** Two processes that read one topic; the embedded log stands for Kafka, as its adapters pass one contract. */
async function rig() {
  const db = await freshDatabase();
  undo.push(() => db.drop());
  const { pool, connectionString } = db;
  const open = () =>
    createPostgresEventLog({ pool, connectionString, role: "test", logger: pino({ level: "silent" }) });
  const log = open();
  undo.push(() => log.close());
  await log.ensureTopics([{ topic: "plant", partitions: 3, retentionMs: 3_600_000, durable: true }]);
  const say = (from: number, to: number) =>
    log.append(
      "plant",
      Array.from({ length: to - from }, (_, i) => ({
        key: `random-${(i * 7919) % 13}`,
        value: Buffer.from(String(from + i)),
        headers: { "X-Site": "hall" },
      })),
    );
  const door: SourceDoor = {
    ...{
      type: "kafka",
      brokers: [],
      ssl: false,
      sasl: null,
      group: "fieldwatch-plant",
      topics: ["plant"],
      from: "earliest",
    },
  };
  const start = (more: { take?: (texts: readonly string[]) => Promise<void>; from?: "latest" } = {}) => {
    const taken: Delivery[] = [];
    const deliver = async (_: OpenSource, deliveries: readonly Delivery[]) => {
      await more.take?.(deliveries.map(({ body }) => Buffer.from(body).toString()));
      taken.push(...deliveries);
    };
    const source = {
      name: "plant",
      door: { ...door, ...(more.from && { from: more.from }) },
      doorSecret: null,
    } as OpenSource;
    const openDoor = kafkaDoors({ openLog: async () => open(), deliver, onTrouble: () => {}, onState: () => {} });
    const opened = openDoor(source, () => source);
    const stop = () => opened.stop(1000);
    undo.push(stop);
    return { ...opened, stop, taken, texts: () => taken.map(({ body }) => Number(Buffer.from(body).toString())) };
  };
  return { say, start };
}

const range = (to: number) => Array.from({ length: to }, (_, i) => i);

test("reads all from the start with what came beside, and goes on where it was", async () => {
  const { say, start } = await rig();
  await say(0, 500);
  const first = start();
  await until(() => first.taken.length === 500);
  expect(first.taken[0]!.beside.kafka).toMatchObject({ topic: "plant", headers: { "x-site": "hall" } });
  expect(first.state().trouble).toBeNull();
  await first.stop();
  await say(500, 600);
  const second = start();
  await until(() => second.taken.length >= 100);
  const all = [...first.texts(), ...second.texts()];
  expect([...new Set(all)].sort((a, b) => a - b)).toEqual(range(600));
});

test("what can't be taken for now comes again, and is told as trouble meanwhile", async () => {
  const { say, start } = await rig();
  let isAway = true;
  const door = start({
    async take() {
      if (isAway) throw new Error("the log is away");
    },
  });
  await say(0, 50);
  await until(() => /the log is away/.test(door.state().trouble ?? ""));
  isAway = false;
  await until(() => new Set(door.texts()).size === 50);
  await until(() => door.state().trouble === null);
});

test("from latest it leaves out what was there before", async () => {
  const { say, start } = await rig();
  await say(0, 100);
  const door = start({ from: "latest" });
  await until(() => door.state().trouble === null);
  await until(async () => {
    await say(100, 101);
    return door.taken.length > 0;
  });
  expect(new Set(door.texts())).toEqual(new Set([100]));
});

test("a cluster that isn't there is told as trouble for as long as it isn't", async () => {
  const settings = { KAFKA_BROKERS: ["127.0.0.1:1"], KAFKA_SSL: false } as Parameters<
    typeof createKafkaEventLog
  >[0]["settings"];
  const log = createKafkaEventLog({ settings, role: "test", logger: pino({ level: "silent" }) });
  let asked = 0;
  const describe: typeof log.describe = (...of) => log.describe(...of).finally(() => (asked += 1));
  const source = {
    name: "erp",
    door: { type: "kafka", brokers: ["127.0.0.1:1"], group: "fieldwatch", topics: ["orders"], from: "latest" },
    doorSecret: null,
  } as unknown as OpenSource;
  const openDoor = kafkaDoors({
    openLog: async () => ({ ...log, describe }),
    deliver: async () => {},
    ...{ onTrouble: () => {}, onState: () => {} },
  });
  const door = openDoor(source, () => source);
  undo.push(() => door.stop(1000));
  // By then consuming is under way, too.
  await until(() => asked > 0, { timeoutMs: 20_000 });
  expect(door.state()).toMatchObject({ trouble: expect.stringMatching(/^It can't be read: /) as string, lag: null });
});
