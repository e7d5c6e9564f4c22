import pino from "pino";
import { afterEach, expect, test } from "vitest";
import type { SourceDoor } from "@/server/domain/source";
import { createKafkaEventLog } from "@/server/adapters/kafka/event-log";
import { createPostgresEventLog } from "@/server/adapters/postgres/event-log";
import { freshDatabase } from "@/server/testing/database";
import { until } from "@/server/testing/until";
import type { OpenSource } from "../intake";
import type { Incoming } from "../read";
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
  const start = (
    more: {
      take?: (texts: readonly string[]) => Promise<void>;
      from?: "latest";
      version?: number;
      openLog?: Parameters<typeof kafkaDoors>[0]["openLog"];
    } = {},
  ) => {
    const taken: Incoming[] = [];
    const told: (string | null)[] = [];
    const deliver = async (_: OpenSource, deliveries: readonly Incoming[]) => {
      await more.take?.(deliveries.map(({ body }) => Buffer.from(body).toString()));
      taken.push(...deliveries);
    };
    const source = {
      name: "plant",
      door: { ...door, ...(more.from && { from: more.from }) },
      doorSecret: null,
      mappingVersion: more.version ?? 1,
    } as OpenSource;
    const onState = () => void told.push(opened.state().trouble);
    const openDoor = kafkaDoors({
      openLog: more.openLog ?? (async () => open()),
      deliver,
      onTrouble: () => {},
      onState,
    });
    const opened = openDoor(source, () => source);
    const stop = () => opened.stop(1000);
    undo.push(stop);
    return { ...opened, stop, taken, told, texts: () => taken.map(({ body }) => Number(Buffer.from(body).toString())) };
  };
  return { open, say, start };
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
  let [isAway, attempts] = [true, 0];
  const door = start({
    async take() {
      attempts += 1;
      if (isAway) throw new Error("the log is away");
    },
  });
  await say(0, 50);
  await until(() => /the log is away/.test(door.state().trouble ?? ""));
  const before = door.told.length;
  // Further attempts that fail are no end of it.
  await until(() => attempts > 6);
  expect(door.told.slice(before)).toEqual([]);
  isAway = false;
  await until(() => new Set(door.texts()).size === 50);
  await until(() => door.state().trouble === null);
});

test("a log that can't be read is trouble until it is read, however often its consumer begins anew", async () => {
  const { open, say, start } = await rig();
  const log = open();
  let [isAway, asked] = [true, 0];
  const door = start({
    openLog: async () => ({
      ...log,
      async consume(subscription) {
        // Resolves after the first attempt, as Kafka's does: what failed is told once.
        subscription.onError(new Error("the broker is away"));
        return log.consume(subscription);
      },
      async describe(...args) {
        asked += 1;
        if (isAway) throw new Error("the broker is away");
        return log.describe(...args);
      },
    }),
  });
  await until(() => asked > 2);
  expect(door.state().trouble).toMatch(/the broker is away/);
  isAway = false;
  await say(0, 5);
  await until(() => door.taken.length === 5 && door.state().trouble === null);
  expect(door.told.filter((one) => one === null).length).toBe(1);
});

test("each record says where it is from: its place in a run, which another mapping or group ends", async () => {
  const { say, start } = await rig();
  await say(0, 30);
  const first = start();
  await until(() => first.taken.length === 30);
  const lanes = new Map<string, number[]>();
  for (const { from } of first.taken) lanes.set(from!.lane, [...(lanes.get(from!.lane) ?? []), from!.offset]);
  for (const offsets of lanes.values()) expect(offsets).toEqual(range(offsets.length));
  expect([...lanes.keys()].every((lane) => /^plant\/[012]$/.test(lane))).toBe(true);
  const { run } = first.taken[0]!.from!;
  expect(new Set(first.taken.map(({ from }) => from!.run)).size).toBe(1);
  await first.stop();
  await say(30, 40);
  const second = start();
  await until(() => second.taken.length >= 10);
  expect(second.taken[0]!.from!.run).toBe(run);
  await second.stop();
  await say(40, 50);
  const third = start({ version: 2 });
  await until(() => third.taken.length >= 10);
  expect(third.taken[0]!.from!.run).not.toBe(run);
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
