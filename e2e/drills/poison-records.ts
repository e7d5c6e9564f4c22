import type { Message, Producer } from "kafkajs";
import { ConfigResourceTypes, type Kafka } from "@/server/adapters/kafka/kafkajs";
import type { DeadLetterReason } from "@/server/domain/reasons";
import { TOPICS } from "@/server/domain/terms";
import { until } from "../waiting";

/** A record that only another producer writes, and what has to become of it. */
export interface PoisonRecord {
  readonly kind: string;
  readonly message: Message;
  /** Left out: its reading is stored. */
  readonly refused?: DeadLetterReason;
}

const HUGE = 900_000;
const LETTER = "cluster/iot.telemetry/0/0/0/m";

/** Each is of a device of its own, with one reading. The topic has to take stamps of any kind. */
export function poisonRecords(now: number): readonly PoisonRecord[] {
  const value = (device: string) => JSON.stringify({ device, time: now, readings: { n: 1 } });
  const stored = (kind: string, message: Partial<Message>): PoisonRecord => ({
    kind,
    message: { value: value(`poison-${kind}`), ...message },
  });
  const refused = (kind: string, message: Partial<Message>, reason: DeadLetterReason = "notJson"): PoisonRecord => ({
    kind,
    message: { value: `not json: ${kind}`, ...message },
    refused: reason,
  });
  const marked = (name: string, letter: string | Buffer, times: string) => ({
    headers: { [`fieldwatch-${name}-of`]: letter, [`fieldwatch-${name}s`]: times },
  });
  // What the stamps of a topic with CreateTime may be: the producer's clock in another unit.
  const stamps = { seconds: BigInt(now) / 1000n, micros: BigInt(now) * 1000n, nanos: BigInt(now) * 1_000_000n };
  return [
    // Both names of the mark: that of now, and the older one.
    ...["replay", "resend"].flatMap((name) => [
      refused(`${name}s-past-32-bits`, marked(name, "abc", "3000000000")),
      refused(`${name}s-of-a-letter-past-32-bits`, marked(name, LETTER, "3000000000")),
      stored(`${name}s-negative`, marked(name, LETTER, "-1")),
      refused(`${name}-of-NUL`, marked(name, Buffer.from("a\0b"), "1")),
      stored(`${name}-of-a-letter-that-is-none`, marked(name, LETTER, "1")),
      refused(`${name}-of-huge`, marked(name, "x".repeat(HUGE), "1")),
    ]),
    stored("header-NUL", { headers: { "a\0b": Buffer.from([0, 0xff, 0]) } }),
    refused("header-NUL", { headers: { "a\0b": Buffer.from([0, 0xff, 0]) } }),
    stored("headers-prototype", { headers: { ["__proto__"]: "x", constructor: "y" } }),
    refused("probe-and-run", { headers: { "fieldwatch-probe": "\0", "fieldwatch-run": "\0".repeat(200) } }),
    stored("probe-and-run", { headers: { "fieldwatch-probe": "\0", "fieldwatch-run": "x".repeat(HUGE) } }),
    stored("key-NUL", { key: "a\0b" }),
    refused("key-NUL", { key: "a\0b" }),
    stored("key-bytes", { key: Buffer.from([0xff, 0, 0xfe, 0x80]) }),
    refused("key-bytes", { key: Buffer.from([0xff, 0, 0xfe, 0x80]) }),
    stored("key-huge", { key: "k".repeat(HUGE) }),
    refused("key-huge", { key: "\0".repeat(HUGE) }),
    stored("key-empty", { key: "" }),
    refused("value-null", { value: null }),
    refused("value-NUL", { value: "\0".repeat(1000) }),
    refused("value-huge", { value: "x".repeat(HUGE) }, "tooLarge"),
    ...Object.entries(stamps).flatMap(([unit, stamp]) => [
      stored(`stamp-${unit}`, { timestamp: String(stamp) }),
      refused(`stamp-${unit}`, { timestamp: String(stamp) }),
    ]),
  ];
}

/** From now on the topic keeps the producers' stamps, however strange. */
export async function takeAnyStamp(kafka: Kafka): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const configEntries = [
      { name: "message.timestamp.type", value: "CreateTime" },
      { name: "message.timestamp.after.max.ms", value: "9223372036854775807" },
    ];
    await admin.alterConfigs({
      validateOnly: false,
      resources: [{ type: ConfigResourceTypes.TOPIC, name: TOPICS.telemetry, configEntries }],
    });
  } finally {
    await admin.disconnect();
  }
}

/** Sends each poison record with a good one after it in its partition. @returns how many good ones, all of one device. */
export async function sendPoison(producer: Producer, poison: readonly PoisonRecord[]): Promise<number> {
  const time = Date.now();
  let sent = 0;
  const good = () => JSON.stringify({ device: "good", time: time + sent, readings: { n: sent++ } });
  const keepsStamp = async (messages: readonly Message[], partition: number) => {
    const [answer] = await producer.send({
      topic: TOPICS.telemetry,
      messages: messages.map((one) => ({ ...one, partition })),
    });
    return answer?.logAppendTime === "-1";
  };
  // The broker learns a little later what stamps the topic takes.
  const settled = () => keepsStamp([{ value: good() }], 0);
  await until(settled, { timeoutMs: 20_000, what: "the broker to leave stamps as they are" });
  for (const [i, { kind, message }] of poison.entries()) {
    if (!(await keepsStamp([message, { value: good() }], i % 6))) throw new Error(`${kind}: the broker stamped it`);
  }
  return sent;
}
