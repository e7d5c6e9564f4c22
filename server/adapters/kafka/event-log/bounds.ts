import type { ConnectionOptions } from "node:tls";
import type { KafkaConfig } from "kafkajs";
import { LogUnavailableError, type PartitionBounds, TopicMissingError } from "@/server/ports/event-log";
import { createBrokers } from "../brokers";
import type { KafkaSettings } from "../client";
import {
  askEndOfTerm,
  askNext,
  askOffsets,
  askPlaces,
  type OffsetQuestion,
  type TopicPlaces,
} from "../inspection-positions";
import { connectPlainly } from "./join-gate";

const UNKNOWN_TOPIC = 3;

/** The bounds of a partition of a topic on Kafka. */
export interface KafkaBounds extends PartitionBounds {
  /** First offset that may not be read yet: a transaction is open there. The end where there is none. */
  readonly readableEnd: number;
  /** False once the topic was deleted, or made anew. @throws LogUnavailableError */
  readonly isCurrent: () => Promise<boolean>;
}

/**
 * Where topics begin and end: what the event log must know exactly, asked of the leaders themselves. kafkajs tells neither
 * a topic's id nor the end of a term, nor what waits behind an open transaction (docs/decisions/009). Everything here
 * throws LogUnavailableError where something isn't known for now, and TopicMissingError.
 */
export interface TopicBounds {
  of(topic: string): Promise<ReadonlyMap<number, KafkaBounds>>;
  /** First offsets from a time on, by partition; the end where nothing is as new. What can't be read yet counts too. */
  since(topic: string, time: number): Promise<ReadonlyMap<number, number>>;
  /** The readable end if the log holds nothing from `offset` on, be it only the mark of a transaction; else `offset`. */
  nextHeld(topic: string, partition: number, offset: number): Promise<number>;
  close(): void;
}

export function createTopicBounds(settings: KafkaSettings, connect?: KafkaConfig["socketFactory"]): TopicBounds {
  const open = connect ?? connectPlainly;
  const brokers = createBrokers(settings, ({ host, port, ssl }) =>
    open({ host, port, ssl: ssl as ConnectionOptions, onConnect: () => undefined }),
  );

  async function places(topic: string): Promise<TopicPlaces> {
    const found = await brokers.anywhere(({ connection, versions }) => askPlaces(connection, versions, topic));
    if (found.error === UNKNOWN_TOPIC) throw new TopicMissingError(topic);
    refuse(found.error, topic);
    if (found.leaders.size === 0) throw new TopicMissingError(topic);
    return found;
  }

  /** Asks each leader about its partitions. */
  async function offsets(topic: string, { leaders }: TopicPlaces, question: OffsetQuestion) {
    const byLeader = new Map<string, number[]>();
    for (const [partition, leader] of leaders) {
      if (leader === null) throw new LogUnavailableError(`${topic}/${partition} has no leader for now`);
      byLeader.set(leader, [...(byLeader.get(leader) ?? []), partition]);
    }
    const answers = await Promise.all(
      [...byLeader].map(([leader, partitions]) =>
        brokers.at(leader, ({ connection }) => askOffsets(connection, topic, partitions, question)),
      ),
    );
    const found = new Map<number, number>();
    for (const { partition, error, offset } of answers.flat()) {
      if (typeof question === "object" && UNREADABLE.has(error)) continue;
      refuse(error, topic);
      found.set(partition, offset);
    }
    if (found.size !== leaders.size && typeof question === "string")
      throw new LogUnavailableError(`not all partitions of ${topic} answer for now`);
    return found;
  }

  async function endOfTerm(topic: string, topicId: string | null, partition: number, term: number) {
    const now = await places(topic);
    if (now.topicId !== topicId) throw new LogUnavailableError(`${topic} was made anew just now`);
    const leader = now.leaders.get(partition);
    if (leader == null) throw new LogUnavailableError(`${topic}/${partition} has no leader for now`);
    const { error, end } = await brokers.at(leader, ({ connection, versions }) =>
      askEndOfTerm(connection, versions, topic, partition, term),
    );
    refuse(error, topic);
    return end;
  }

  /** Asks the leader itself: it knows of a topic made anew before it serves any of its records. */
  async function isCurrent(topic: string, topicId: string | null, leader: string): Promise<boolean> {
    const now = await brokers.at(leader, ({ connection, versions }) => askPlaces(connection, versions, topic));
    if (now.error === UNKNOWN_TOPIC) return false;
    refuse(now.error, topic);
    return now.topicId === topicId;
  }

  return {
    of: (topic) =>
      inWords(async () => {
        const now = await places(topic);
        // The end last: nothing asked before may lie beyond it.
        const starts = await offsets(topic, now, "start");
        const readable = await offsets(topic, now, "readableEnd");
        const ends = await offsets(topic, now, "end");
        const { cluster, topicId } = now;
        return new Map(
          [...now.leaders.keys()]
            .sort((a, b) => a - b)
            .map((partition) => {
              const [start, end] = [starts.get(partition)!, ends.get(partition)!];
              const readableEnd = readable.get(partition)!;
              const bounds: KafkaBounds = {
                ...{ cluster, topicId, start, end, readableEnd },
                endOfTerm: (term) => inWords(() => endOfTerm(topic, topicId, partition, term)),
                isCurrent: () => inWords(() => isCurrent(topic, topicId, now.leaders.get(partition)!)),
              };
              return [partition, bounds];
            }),
        );
      }),
    since: (topic, time) =>
      inWords(async () => {
        const now = await places(topic);
        const [found, ends] = [await offsets(topic, now, { since: time }), await offsets(topic, now, "end")];
        return new Map(
          [...found].map(([partition, offset]) => [partition, offset < 0 ? ends.get(partition)! : offset]),
        );
      }),
    nextHeld: (topic, partition, offset) =>
      inWords(async () => {
        const leader = (await places(topic)).leaders.get(partition);
        if (leader == null) throw new LogUnavailableError(`${topic}/${partition} has no leader for now`);
        const next = await brokers.at(leader, ({ connection }) => askNext(connection, topic, partition, offset));
        refuse(next.error, topic);
        return next.isEmpty ? Math.max(offset, next.readableEnd) : offset;
      }),
    close: () => brokers.close(),
  };
}

/** Errors of a broker that would have to read a batch and can't: one of its own, corrupt, unknown codec, invalid record. */
const UNREADABLE = new Set([-1, 2, 76, 87]);

function refuse(error: number, topic: string): void {
  if (error !== 0) throw new LogUnavailableError(`Kafka can't tell about ${topic} for now (its error ${error})`);
}

/** Whatever keeps Kafka from telling is an outage to who asks. */
async function inWords<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof LogUnavailableError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new LogUnavailableError(`Kafka can't be asked: ${reason}`, { cause: error });
  }
}
