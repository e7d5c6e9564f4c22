import { counted } from "@/server/domain/counted";
import { command, safeText, type SafeText } from "@/server/domain/fix";
import { onceAtATime } from "@/server/async/once-at-a-time";
import type { TopicSettings } from "@/server/ports/event-log";
import { InspectionError, type KafkaInspection, type KafkaTopic } from "@/server/ports/inspection";
import { kafkaNames, troubleWords } from "@/server/ports/trouble-words";
import { type Finding, pass, type Probe } from "./probe";

export interface KafkaTopicProbesDeps {
  readonly inspection: KafkaInspection;
  readonly group: string;
  readonly topics: readonly TopicSettings[];
  /** Words for when an earlier step explains it. */
  readonly dependent: (error: Error) => Finding;
  readonly timeoutMs: number;
}

/** Each topic is there, is led and copied, and is set as configured. */
export function kafkaTopicProbes(deps: KafkaTopicProbesDeps): readonly Probe[] {
  const { inspection, group, topics, dependent, timeoutMs } = deps;
  const states = onceAtATime(() => inspection.topics(topics.map(({ topic }) => topic)));
  return topics.map((wanted, i) => ({
    name: `log.${wanted.topic}`,
    title: `Topic ${wanted.topic}`,
    group,
    timeoutMs,
    run: async () => judgeTopic(wanted, (await states())[i] ?? null, inspection.bootstrap.join(",")),
    whenDown(error: Error): Finding {
      if (!(error instanceof InspectionError) || error.kind !== "forbidden") return dependent(error);
      return {
        status: "fail",
        summary: "This user may not see the topic.",
        ...troubleWords(error, kafkaNames(inspection)),
      };
    },
  }));
}

/** @param bootstrap as Kafka's own commands take it. */
export function judgeTopic(wanted: TopicSettings, found: KafkaTopic | null, bootstrap: string): Finding {
  const { topic } = wanted;
  const tool = (name: string) => safeText`${name} --bootstrap-server ${bootstrap.split(",")}`;
  if (found === null) {
    return {
      status: "fail",
      summary: "The topic is missing.",
      cause: `Kafka has no topic ${topic}: it was never created, or it was deleted.`,
      fix: "`npm run migrate`",
    };
  }
  if (found.leaderless.length > 0) {
    return {
      status: "fail",
      summary: `${counted(found.leaderless.length, "partition")} of ${found.partitions} without a leader.`,
      cause: `Every broker that keeps a copy of partition ${found.leaderless.join(", ")} is away.`,
      fix: `Start those brokers again. To see which: ${command`${tool("kafka-topics.sh")} --describe --topic ${topic}`}`,
    };
  }
  const setting = (name: string) => found.settings?.get(name);
  const least = Number(setting("min.insync.replicas") ?? 1);
  if (wanted.durable && found.inSync < least) {
    return {
      status: "fail",
      summary: `${counted(found.inSync, "copy in time", "copies in time")}, at least ${least} are needed.`,
      cause: `Too few brokers are up: Kafka takes no message for ${topic} (min.insync.replicas=${least}).`,
      fix: `Start the missing brokers. To see which: ${command`${tool("kafka-topics.sh")} --describe --topic ${topic}`}`,
    };
  }
  const alter = (name: string, value: string) =>
    command`${tool("kafka-configs.sh")} --alter --entity-type topics --entity-name ${topic} --add-config ${name}=${value}`;
  return differences(wanted, found, alter, tool) ?? pass(summaryOf(found));
}

/** The first thing that isn't as configured, the worst first. */
function differences(
  wanted: TopicSettings,
  found: KafkaTopic,
  alter: (name: string, value: string) => string,
  tool: (name: string) => SafeText,
): Finding | null {
  const { topic } = wanted;
  const stamps = found.settings?.get("message.timestamp.type");
  if (stamps !== undefined && stamps !== "LogAppendTime") {
    return {
      status: "warn",
      summary: `Its times are the senders' (${stamps}).`,
      cause: "The topic was made by someone else: ingest time and lag come from the senders' clocks.",
      fix: alter("message.timestamp.type", "LogAppendTime"),
    };
  }
  if (found.partitions < wanted.partitions) {
    const workers = found.partitions === 1 ? "only one worker" : `only ${found.partitions} workers`;
    return {
      status: "warn",
      summary: `${counted(found.partitions, "partition")}, configured ${wanted.partitions}.`,
      cause: `The topic has fewer partitions than configured, so ${workers} can share the work.`,
      fix: `${command`${tool("kafka-topics.sh")} --alter --topic ${topic} --partitions ${wanted.partitions}`}\nor set ${command`TELEMETRY_PARTITIONS=${found.partitions}`} to agree with it.`,
    };
  }
  if (found.partitions > wanted.partitions) {
    return {
      status: "warn",
      summary: `${counted(found.partitions, "partition")}, configured ${wanted.partitions}.`,
      cause:
        "The topic existed before the setting changed; it is used as it is, and Kafka never takes partitions away.",
      fix:
        wanted.partitions === 1
          ? `Nothing is wrong with more; for one, delete ${topic} and run: ${command`npm run migrate`}`
          : command`TELEMETRY_PARTITIONS=${found.partitions}`,
    };
  }
  if (wanted.replication !== undefined && found.replication !== wanted.replication) {
    return {
      status: "warn",
      summary: `${counted(found.replication, "copy", "copies")}, configured ${wanted.replication}.`,
      cause: "The topic existed before the setting changed.",
      fix: `${command`KAFKA_REPLICATION=${found.replication}`}, or give it other copies with kafka-reassign-partitions.sh`,
    };
  }
  if (found.inSync < found.replication) {
    return {
      status: "warn",
      summary: `${found.inSync} of ${counted(found.replication, "copy", "copies")} in time.`,
      cause: "A broker is away or behind; if one more goes, messages may not be taken or could be lost.",
      fix: `Start the missing brokers. To see which: ${command`${tool("kafka-topics.sh")} --describe --topic ${topic}`}`,
    };
  }
  const retention = found.settings?.get("retention.ms");
  if (retention !== undefined && Number(retention) !== wanted.retentionMs) {
    return {
      status: "warn",
      summary: `Keeps messages for ${hours(Number(retention))}, configured ${hours(wanted.retentionMs)}.`,
      cause: "The topic existed before the setting changed, or it was set in Kafka.",
      fix: alter("retention.ms", String(wanted.retentionMs)),
    };
  }
  return null;
}

function summaryOf({ partitions, replication, settings }: KafkaTopic): string {
  const retention = settings?.get("retention.ms");
  const kept = retention === undefined ? "" : `, kept for ${hours(Number(retention))}`;
  return `${counted(partitions, "partition")}, ${counted(replication, "copy", "copies")}${kept}.`;
}

function hours(ms: number): string {
  if (ms < 0) return "ever";
  return ms < 3_600_000
    ? counted(Math.round(ms / 60_000), "minute")
    : counted(Number((ms / 3_600_000).toFixed(1)), "hour");
}
