import type { Admin, ITopicMetadata } from "kafkajs";
import { ConfigResourceTypes, KafkaJSAggregateError } from "../kafkajs";
import { type TopicDifference, type TopicSettings, TopicMissingError } from "@/server/ports/event-log";
import { isUnavailable, kafkaType } from "../errors";

const DAY_MS = 24 * 3_600_000;
const LEADERS_MS = 10_000;
const LOOK_AGAIN_MS = 100;

/** Creates a missing topic and tells what an existing one has otherwise. `durable` has no meaning here: all of them are. */
export async function ensureTopic(admin: Admin, wanted: TopicSettings): Promise<readonly TopicDifference[]> {
  const created = await create(admin, wanted);
  const partitions = await partitionsOnceKnown(admin, wanted.topic);
  return created ? [] : await compare(admin, wanted, partitions);
}

/**
 * Kafka makes its own topic for groups when it is first asked for one, and answers nothing about groups until then. Better
 * now than in somebody's first question, which may not take so long.
 */
export async function prepareGroups(admin: Admin): Promise<void> {
  const deadline = performance.now() + LEADERS_MS;
  for (;;) {
    try {
      await admin.describeGroups(["fieldwatch"]);
      return;
    } catch {
      // A user who may not ask about groups may still be allowed to append.
      if (performance.now() > deadline) return;
      await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
    }
  }
}

/** @returns false if it is there already. */
async function create(admin: Admin, { topic, partitions, retentionMs, replication }: TopicSettings): Promise<boolean> {
  // Kafka removes whole, closed segments only: with its own default of a week, minutes of retention would keep a week.
  const segmentMs = Math.max(60_000, Math.min(7 * DAY_MS, Math.floor(retentionMs / 4)));
  try {
    return await admin.createTopics({
      topics: [
        {
          topic,
          numPartitions: partitions,
          replicationFactor: replication ?? -1,
          configEntries: [
            { name: "retention.ms", value: String(retentionMs) },
            { name: "segment.ms", value: String(segmentMs) },
            { name: "message.timestamp.type", value: "LogAppendTime" },
          ],
        },
      ],
      timeout: LEADERS_MS,
      // kafkajs gives up when a broker doesn't know the new topic yet.
      waitForLeaders: false,
    });
  } catch (error) {
    throw error instanceof KafkaJSAggregateError ? (error.errors[0] ?? error) : error;
  }
}

async function compare(
  admin: Admin,
  wanted: TopicSettings,
  partitions: ITopicMetadata["partitions"],
): Promise<TopicDifference[]> {
  const { topic } = wanted;
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [
      { type: ConfigResourceTypes.TOPIC, name: topic, configNames: ["retention.ms", "message.timestamp.type"] },
    ],
  });
  const config = new Map(resources[0]?.configEntries.map(({ configName, configValue }) => [configName, configValue]));
  const rows: [TopicDifference["setting"], unknown, unknown][] = [
    ["partitions", wanted.partitions, partitions.length],
    ["retentionMs", wanted.retentionMs, config.get("retention.ms")],
    ["timestamps", "LogAppendTime", config.get("message.timestamp.type")],
  ];
  if (wanted.replication !== undefined)
    rows.push(["replication", wanted.replication, Math.min(...partitions.map(({ replicas }) => replicas.length))]);
  return rows
    .filter(([, want, found]) => String(want) !== String(found))
    .map(([setting, want, found]) => ({ topic, setting, wanted: String(want), found: String(found) }));
}

/** Waits for a topic that was made a moment ago: until brokers know it, and the leaders of its partitions know they are. */
async function partitionsOnceKnown(admin: Admin, topic: string): Promise<ITopicMetadata["partitions"]> {
  const deadline = performance.now() + LEADERS_MS;
  for (;;) {
    try {
      const partitions = await partitionsOf(admin, topic);
      await admin.fetchTopicOffsets(topic);
      return partitions;
    } catch (error) {
      if (performance.now() > deadline || !isUnavailable(error)) throw error;
      await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
    }
  }
}

/** The partitions as Kafka knows them now. @throws LogUnavailableError if there is no such topic (yet). */
export async function partitionsOf(admin: Admin, topic: string): Promise<ITopicMetadata["partitions"]> {
  try {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    const found = topics.find(({ name }) => name === topic);
    if (found !== undefined && found.partitions.length > 0) return found.partitions;
  } catch (error) {
    if (kafkaType(error) !== "UNKNOWN_TOPIC_OR_PARTITION") throw error;
  }
  throw new TopicMissingError(topic);
}

/** The offsets a group committed; partitions where it never did are left out. */
export async function committedBy(admin: Admin, topic: string, groupId: string): Promise<Map<number, number>> {
  const found = await admin.fetchOffsets({ groupId, topics: [topic] });
  return new Map(
    found
      .flatMap(({ partitions }) => partitions)
      .map(({ partition, offset }): [number, number] => [partition, Number(offset)])
      .filter(([, offset]) => offset >= 0),
  );
}
