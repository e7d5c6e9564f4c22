import type { KafkaConnection } from "./inspection-connection";
import { type WireReader, WireWriter } from "./inspection-wire";

/** The requests about positions that kafkajs doesn't make: topic ids, both ends, and terms. */

const METADATA = 3;
const LIST_OFFSETS = 2;
const END_OF_TERM = 23;
const FETCH = 1;
/** The version of Metadata, from Kafka 2.8 on, that tells the topic's id. */
const WITH_TOPIC_ID = 10;
/** The version of OffsetForLeaderEpoch, from Kafka 2.1 on, that is asked here. */
const END_OF_TERM_VERSION = 2;

/** The highest version of each request that the broker answers. */
export async function askVersions(connection: KafkaConnection): Promise<ReadonlyMap<number, number>> {
  // Version 0, which every broker knows; allowed before signing in.
  const answer = await connection.ask({ api: 18, version: 0, body: Buffer.alloc(0) });
  answer.int16();
  const versions = answer.array((): [number, number, number] => [answer.int16(), answer.int16(), answer.int16()]);
  return new Map(versions.map(([api, , highest]) => [api, highest]));
}

export interface TopicPlaces {
  readonly cluster: string;
  /** Kafka's error code; 0 is none. */
  readonly error: number;
  /** Null where the broker is too old to have one. */
  readonly topicId: string | null;
  /** Address of each partition's leader; null while it has none. */
  readonly leaders: ReadonlyMap<number, string | null>;
}

/** A topic's id, and the leaders of its partitions. */
export async function askPlaces(
  connection: KafkaConnection,
  versions: ReadonlyMap<number, number>,
  topic: string,
): Promise<TopicPlaces> {
  const withId = (versions.get(METADATA) ?? 0) >= WITH_TOPIC_ID;
  const answer = await connection.ask(withId ? idRequest(topic) : oldRequest(topic));
  const string = () => (withId ? answer.compactString() : (answer.string() ?? ""));
  const array = <T>(read: () => T) => (withId ? answer.compactArray(read) : answer.array(read));
  const endOfStructure = () => void (withId && answer.tags());
  answer.int32();
  const addresses = new Map(
    array((): [number, string] => {
      const [id, host, port] = [answer.int32(), string(), answer.int32()];
      string();
      endOfStructure();
      return [id, `${host.includes(":") ? `[${host}]` : host}:${port}`];
    }),
  );
  const cluster = string();
  answer.int32();
  const [found] = array(() => {
    const error = answer.int16();
    string();
    const topicId = withId ? answer.uuid() : null;
    answer.boolean();
    const leaders = array((): [number, string | null] => {
      const [, partition, leader] = [answer.int16(), answer.int32(), answer.int32()];
      if (withId) answer.int32();
      for (let list = withId ? 3 : 2; list > 0; list--) array(() => answer.int32());
      endOfStructure();
      return [partition, addresses.get(leader) ?? null];
    });
    if (withId) answer.int32();
    endOfStructure();
    return { error, topicId, leaders: new Map(leaders) };
  });
  return { cluster, ...(found ?? { error: 3, topicId: null, leaders: new Map() }) };
}

function idRequest(topic: string) {
  const body = new WireWriter();
  body.compactArray([topic], (name) => body.raw(Buffer.alloc(16)).compactString(name).noTags());
  // Creates no topic, and leaves out what the user may do.
  body.int8(0).int8(0).int8(0).noTags();
  return { api: METADATA, version: WITH_TOPIC_ID, flexible: true, body: body.done() };
}

function oldRequest(topic: string) {
  const body = new WireWriter();
  body.array([topic], (name) => body.string(name)).int8(0);
  return { api: METADATA, version: 4, body: body.done() };
}

/** The offset asked for: an end, or the first from a time on (epoch milliseconds; -1 where there is none). */
export type OffsetQuestion = "start" | "end" | "readableEnd" | { readonly since: number };

/** Offsets of partitions, asked at their leader. An error code other than 0 makes the offset meaningless. */
export async function askOffsets(
  connection: KafkaConnection,
  topic: string,
  partitions: readonly number[],
  question: OffsetQuestion,
): Promise<{ partition: number; error: number; offset: number }[]> {
  const time = typeof question === "object" ? question.since : question === "start" ? -2 : -1;
  const body = new WireWriter().int32(-1).int8(question === "readableEnd" ? 1 : 0);
  body.array([topic], (name) => {
    body.string(name).array(partitions, (partition) => body.int32(partition).int64(time));
  });
  const answer = await connection.ask({ api: LIST_OFFSETS, version: 2, body: body.done() });
  answer.int32();
  return perPartition(answer, () => {
    const [partition, error, , offset] = [answer.int32(), answer.int16(), answer.int64(), answer.int64()];
    return { partition, error, offset };
  });
}

/** Asks a partition's leader where a term of its leadership ends; null where that isn't known. */
export async function askEndOfTerm(
  connection: KafkaConnection,
  versions: ReadonlyMap<number, number>,
  topic: string,
  partition: number,
  term: number,
): Promise<{ error: number; end: number | null }> {
  if ((versions.get(END_OF_TERM) ?? 0) < END_OF_TERM_VERSION) return { error: 0, end: null };
  const body = new WireWriter();
  body.array([topic], (name) => {
    body.string(name).array([partition], (one) => body.int32(one).int32(-1).int32(term));
  });
  const answer = await connection.ask({ api: END_OF_TERM, version: END_OF_TERM_VERSION, body: body.done() });
  answer.int32();
  const [found] = perPartition(answer, () => {
    const [error, , , end] = [answer.int16(), answer.int32(), answer.int32(), answer.int64()];
    return { error, end: end < 0 ? null : end };
  });
  return found ?? { error: 0, end: null };
}

/** Asks a partition's leader whether there is any batch between an offset and the readable end. */
export async function askNext(
  connection: KafkaConnection,
  topic: string,
  partition: number,
  offset: number,
): Promise<{ error: number; readableEnd: number; isEmpty: boolean }> {
  // One byte is enough: the first batch comes whole.
  const body = new WireWriter().int32(-1).int32(0).int32(0).int32(1).int8(1);
  body.array([topic], (name) => {
    body.string(name).array([partition], (one) => body.int32(one).int64(offset).int32(1));
  });
  const answer = await connection.ask({ api: FETCH, version: 4, body: body.done() });
  answer.int32();
  const [found] = perPartition(answer, () => {
    const [, error, , readableEnd] = [answer.int32(), answer.int16(), answer.int64(), answer.int64()];
    answer.array(() => [answer.int64(), answer.int64()]);
    return { error, readableEnd, isEmpty: answer.bytes().byteLength === 0 };
  });
  return found ?? { error: -1, readableEnd: 0, isEmpty: false };
}

/** Reads an answer that lists topics, each with its partitions, when one topic was asked for. */
function perPartition<T>(answer: WireReader, read: () => T): T[] {
  return answer
    .array(() => {
      answer.string();
      return answer.array(read);
    })
    .flat();
}
