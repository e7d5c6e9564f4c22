import { hostname } from "node:os";
import type { KafkaConfig } from "kafkajs";
import type { Logger } from "@/server/observability/logger";
import { type Consumption, type EventLog, LogUnavailableError, type TopicDifference } from "@/server/ports/event-log";
import { createKafkaClient, type KafkaSettings } from "./client";
import { createAdminConnections } from "./event-log/admin";
import { createKafkaAppender } from "./event-log/append";
import { createTopicBounds } from "./event-log/bounds";
import { startConsumption } from "./event-log/consume";
import { describeTopic } from "./event-log/describe";
import { CONSUMER_TIMES, type ConsumerTimes } from "./event-log/membership";
import { createProducerConnection } from "./event-log/producer";
import { ensureTopic, prepareGroups } from "./event-log/topics";
import { createWaitingSince } from "./event-log/waiting-since";

/** The time close() waits for batches that nobody stopped, in milliseconds. */
const CLOSE_MS = 5000;
const DESCRIBE_MS = 3000;
const ENSURE_MS = 30_000;

/** The connections and settings of the event log on Kafka. */
export interface KafkaEventLogDeps {
  readonly settings: KafkaSettings;
  /** Shown to people as the owner of partitions, with this machine and process. */
  readonly role: string;
  readonly logger: Logger;
  /** Opens sockets; given by tests. */
  readonly connect?: KafkaConfig["socketFactory"];
  /** Other times than the usual; given by tests. */
  readonly times?: Partial<ConsumerTimes>;
}

/**
 * The event log on Apache Kafka. A record is durable when all in-sync replicas have it; partitions are owned through
 * Kafka's consumer groups. Connects when something is asked of it.
 */
export function createKafkaEventLog({ settings, role, logger, connect, times: other }: KafkaEventLogDeps): EventLog {
  const times = { ...CONSUMER_TIMES, ...other };
  const createClient = (over: Partial<KafkaConfig>) =>
    createKafkaClient(settings, role, logger, { ...(connect && { socketFactory: connect }), ...over });
  const kafka = createClient({});
  const admins = createAdminConnections(kafka);
  const producer = createProducerConnection(kafka, times.metadataMaxAge);
  const appender = createKafkaAppender({ admins, producer, metadataMaxAge: times.metadataMaxAge });
  const waitingSince = createWaitingSince();
  const bounds = createTopicBounds(settings, connect);
  const consumptions = new Set<Consumption>();
  const consumeDeps = {
    createClient,
    admins,
    bounds,
    name: `fieldwatch ${role} ${hostname()}:${process.pid}`,
    times,
    ...(connect && { connect }),
  };
  let closed = false;

  function assertOpen(): void {
    if (closed) throw new LogUnavailableError("the event log is closed");
  }

  return {
    async ensureTopics(topics) {
      assertOpen();
      const differences: TopicDifference[] = [];
      for (const wanted of topics) {
        const ask = admins.of(wanted.topic).ask;
        differences.push(...(await ask(`creating ${wanted.topic}`, ENSURE_MS, (it) => ensureTopic(it, wanted))));
      }
      const [any] = topics;
      if (any) await admins.of(any.topic).ask("preparing groups", ENSURE_MS, prepareGroups);
      for (const difference of differences)
        logger.warn(difference, "a topic exists with another setting; it is left as it is");
      return differences;
    },

    async append(topic, records, before) {
      assertOpen();
      await appender.append(topic, records, before);
    },

    async consume(subscription) {
      assertOpen();
      const consumption = await startConsumption(consumeDeps, subscription);
      const known: Consumption = {
        assigned: () => consumption.assigned(),
        async stop(timeoutMs) {
          await consumption.stop(timeoutMs);
          consumptions.delete(known);
        },
      };
      consumptions.add(known);
      return known;
    },

    async describe(topic, group) {
      assertOpen();
      return await admins
        .of(topic)
        .ask(`describing ${topic}`, DESCRIBE_MS, (it) => describeTopic(it, bounds, topic, group, waitingSince));
    },

    async close() {
      closed = true;
      await Promise.all([...consumptions].map((consumption) => consumption.stop(CLOSE_MS)));
      await appender.idle();
      bounds.close();
      await Promise.all([producer.close(), admins.close()]);
    },
  };
}
