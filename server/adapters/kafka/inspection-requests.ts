import type { KafkaConnection } from "./inspection-connection";
import { WireWriter } from "./inspection-wire";

/** The few requests health sends, each in a version that every Kafka from 1.1 to 4 answers (disks: from 3.3). */

/** The releases that end at each level of the feature "metadata.version", from Kafka's own list. */
const RELEASES: readonly (readonly [level: number, release: string])[] = [
  [31, "Kafka 4.4 or later"],
  [30, "Kafka 4.3"],
  [28, "Kafka 4.2"],
  [26, "Kafka 4.1"],
  [22, "Kafka 4.0"],
  [21, "Kafka 3.9"],
  [20, "Kafka 3.8"],
  [15, "Kafka 3.7"],
  [12, "Kafka 3.6"],
  [9, "Kafka 3.5"],
  [8, "Kafka 3.4"],
  [1, "Kafka 3.0 to 3.3"],
];

/**
 * Asks which requests it answers, the one question allowed before signing in. Kafka doesn't tell its release, but the newest
 * metadata.version it knows gives it away; null where there is none.
 */
export async function askRelease(connection: KafkaConnection): Promise<string | null> {
  const body = new WireWriter().compactString("fieldwatch").compactString("1").noTags().done();
  const answer = await connection.ask({ api: 18, version: 3, flexible: true, plainAnswer: true, body });
  if (answer.int16() !== 0) return null; // Too old to know this version of the question.
  answer.compactArray(() => [answer.int16(), answer.int16(), answer.int16(), answer.tags()]);
  answer.int32();
  const features = answer.tags().get(0);
  const levels = features?.compactArray(() => {
    const [name, , max] = [features.compactString(), features.int16(), features.int16(), features.tags()];
    return name === "metadata.version" ? max : 0;
  });
  const level = Math.max(0, ...(levels ?? []));
  return RELEASES.find(([from]) => level >= from)?.[1] ?? null;
}

export interface Metadata {
  readonly cluster: string;
  readonly brokers: readonly { readonly id: number; readonly address: string }[];
  readonly topics: readonly {
    readonly error: number;
    readonly topic: string;
    readonly partitions: readonly {
      readonly partition: number;
      readonly leader: number;
      readonly replicas: readonly number[];
      readonly inSync: readonly number[];
    }[];
  }[];
}

/** The cluster, and of its topics only these. */
export async function askMetadata(connection: KafkaConnection, topics: readonly string[]): Promise<Metadata> {
  const body = new WireWriter();
  body.array(topics, (topic) => body.string(topic)).int8(0);
  const answer = await connection.ask({ api: 3, version: 4, body: body.done() });
  answer.int32();
  const brokers = answer.array(() => {
    const [id, host, port] = [answer.int32(), answer.string() ?? "", answer.int32(), answer.string()];
    return { id, address: `${host.includes(":") ? `[${host}]` : host}:${port}` };
  });
  const cluster = answer.string() ?? "";
  answer.int32();
  const found = answer.array(() => {
    const [error, topic] = [answer.int16(), answer.string() ?? "", answer.boolean()];
    const partitions = answer.array(() => {
      answer.int16();
      const [partition, leader] = [answer.int32(), answer.int32()];
      return {
        partition,
        leader,
        replicas: answer.array(() => answer.int32()),
        inSync: answer.array(() => answer.int32()),
      };
    });
    return { error, topic, partitions };
  });
  return { cluster, brokers, topics: found };
}

const TOPIC_RESOURCE = 2;

/** The settings of topics, by topic; one that this user may not see is left out. */
export async function askTopicSettings(
  connection: KafkaConnection,
  topics: readonly string[],
): Promise<ReadonlyMap<string, ReadonlyMap<string, string>>> {
  const body = new WireWriter();
  body.array(topics, (topic) => body.int8(TOPIC_RESOURCE).string(topic).int32(-1)).int8(0);
  const answer = await connection.ask({ api: 32, version: 1, body: body.done() });
  answer.int32();
  const results = answer.array(() => {
    const [error, , , topic] = [answer.int16(), answer.string(), answer.int8(), answer.string() ?? ""];
    const settings = answer.array((): [string, string] => {
      const [name, value] = [answer.string() ?? "", answer.string() ?? ""];
      answer.boolean();
      answer.int8();
      answer.boolean();
      answer.array(() => [answer.string(), answer.string(), answer.int8()]);
      return [name, value];
    });
    return { error, topic, settings };
  });
  return new Map(results.filter(({ error }) => error === 0).map(({ topic, settings }) => [topic, new Map(settings)]));
}

/** Asks where the coordinator of a group is. */
export async function askCoordinator(
  connection: KafkaConnection,
  group: string,
): Promise<{ error: number; address: string }> {
  const answer = await connection.ask({ api: 10, version: 1, body: new WireWriter().string(group).int8(0).done() });
  answer.int32();
  const [error, , , host, port] = [answer.int16(), answer.string(), answer.int32(), answer.string(), answer.int32()];
  return { error, address: `${host}:${port}` };
}

export interface GroupAnswer {
  readonly error: number;
  readonly state: string;
  readonly members: readonly { readonly client: string; readonly host: string }[];
}

/** A group, asked at its coordinator. */
export async function askGroup(connection: KafkaConnection, group: string): Promise<GroupAnswer> {
  const body = new WireWriter();
  body.array([group], (name) => body.string(name));
  const answer = await connection.ask({ api: 15, version: 1, body: body.done() });
  answer.int32();
  const groups = answer.array(() => {
    const [error, , state] = [answer.int16(), answer.string(), answer.string() ?? "", answer.string(), answer.string()];
    const members = answer.array(() => {
      const [, client, host] = [answer.string(), answer.string() ?? "", answer.string() ?? ""];
      answer.bytes();
      answer.bytes();
      return { client, host: host.replace(/^\//, "") };
    });
    return { error, state, members };
  });
  return groups[0] ?? { error: 0, state: "Dead", members: [] };
}

/** The folders of the broker at the other end, with the room on their file systems in bytes; empty when it doesn't tell. */
export async function askDisks(
  connection: KafkaConnection,
): Promise<readonly { folder: string; free: number; total: number }[]> {
  // An empty list of topics, so that it doesn't list every partition it has.
  const body = new WireWriter().int8(1).noTags().done();
  const answer = await connection.ask({ api: 35, version: 4, flexible: true, body });
  answer.int32();
  if (answer.int16() !== 0) return [];
  return answer
    .compactArray(() => {
      const [error, folder] = [answer.int16(), answer.compactString()];
      answer.compactArray(() => {
        answer.compactString();
        answer.compactArray(() => [answer.int32(), answer.int64(), answer.int64(), answer.boolean(), answer.tags()]);
        answer.tags();
      });
      const [total, free] = [answer.int64(), answer.int64(), answer.tags()];
      return { error, folder, total, free };
    })
    .filter(({ error, total }) => error === 0 && total > 0);
}

/** Appends a record holding "{}" to partition 0; tells the time its leader gave it, null when the topic keeps the sender's. */
export async function appendForTime(
  connection: KafkaConnection,
  topic: string,
): Promise<{ error: number; time: number | null }> {
  const body = new WireWriter().string(null).int16(1).int32(1000);
  body.array([topic], (name) => {
    body.string(name).array([0], (partition) => body.int32(partition).bytes(recordBatch(Buffer.from("{}"))));
  });
  const answer = await connection.ask({ api: 0, version: 3, body: body.done() });
  const [[result] = []] = answer.array(() => {
    answer.string();
    return answer.array(() => {
      const [, error, , time] = [answer.int32(), answer.int16(), answer.int64(), answer.int64()];
      return { error, time: time < 0 ? null : time };
    });
  });
  return result ?? { error: -1, time: null };
}

/** A batch of one record without key, of at most 50 bytes. */
function recordBatch(value: Buffer): Buffer {
  const zigzag = (positive: number) => positive * 2;
  // Attributes, time and offset after the batch's, length of the key (none); after the value: no headers.
  const head = new WireWriter().int8(0).int8(0).int8(0).int8(1);
  const record = head.int8(zigzag(value.byteLength)).raw(value).int8(0).done();
  const now = Date.now();
  // Attributes, last offset, first and last time, producer (none), its epoch and sequence, number of records.
  const counted = new WireWriter().int16(0).int32(0).int64(now).int64(now).int64(-1).int16(-1).int32(-1).int32(1);
  const checked = counted.int8(zigzag(record.byteLength)).raw(record).done();
  const rest = new WireWriter()
    .int32(-1)
    .int8(2)
    .int32(crc32c(checked) | 0)
    .raw(checked)
    .done();
  return new WireWriter().int64(0).bytes(rest).done();
}

/** The checksum Kafka wants; Node has only the other crc32. */
function crc32c(bytes: Buffer): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return (crc ^ 0xffffffff) >>> 0;
}
