import { isIP } from "node:net";
import { counted } from "@/server/domain/counted";
import { formatDuration } from "@/server/domain/duration";
import { command } from "@/server/domain/fix";
import type { EpochMs } from "@/server/domain/terms";
import { onceAtATime } from "@/server/async/once-at-a-time";
import type { TopicSettings } from "@/server/ports/event-log";
import { InspectionError, type KafkaCluster, type KafkaGroup, type KafkaInspection } from "@/server/ports/inspection";
import { type EngineNames, kafkaNames, SIGN_IN_TROUBLES, troubleWords } from "@/server/ports/trouble-words";
import { judgeClock } from "./clock";
import { dependentOn, remedy } from "./engine-trouble";
import { kafkaTopicProbes } from "./kafka-topics";
import { keptFor } from "@/server/async/kept-for";
import { judgeDisk } from "./machine";
import { type Finding, pass, type Probe } from "./probe";

export interface KafkaProbesDeps {
  readonly inspection: KafkaInspection;
  readonly group: string;
  readonly topics: readonly TopicSettings[];
  readonly consumerGroup: string;
  /** The topic whose leader's clock is read: one small record a minute. */
  readonly clockTopic: string;
  readonly now: () => EpochMs;
}

/** A limit longer than an inspection's own, in milliseconds, so that its own words come first. */
const TIMEOUT_MS = 6000;
const MINUTE_MS = 60_000;

/**
 * Kafka at every bootstrap address, signed in, at every address it tells clients to use; then topics, consumer group, disks, clock.
 * Each probe speaks for its own step: what an earlier step explains is "First mend Kafka".
 */
export function kafkaProbes(deps: KafkaProbesDeps): readonly Probe[] {
  const { inspection, group, topics, consumerGroup, clockTopic, now } = deps;
  const names = kafkaNames(inspection);
  const cluster = onceAtATime(() => inspection.cluster());
  const dependent = dependentOn(group, names);
  const judgeGroup = groupJudge(now);
  const disks = keptFor(MINUTE_MS, now, () => inspection.disks());
  const clock = keptFor(MINUTE_MS, now, () => inspection.clock(clockTopic));
  const probe = (
    name: string,
    title: string,
    run: () => Promise<Finding>,
    whenDown: (error: Error) => Finding = dependent,
  ): Probe => ({ name: `kafka.${name}`, title, group, timeoutMs: TIMEOUT_MS, run, whenDown });
  return [
    probe(
      "reachable",
      "Answers",
      () => judgeBootstrap(inspection, names),
      (error) => ({
        status: "fail",
        summary: "Kafka does not answer.",
        ...remedy(error, names),
      }),
    ),
    probe(
      "signed-in",
      "Signed in",
      async () => {
        const { id, brokers } = await cluster();
        const { signIn } = inspection;
        const who = signIn
          ? `Signed in as ${signIn.user} (${signIn.mechanism})`
          : "No sign-in is set, none is asked for";
        return pass(`${who}; cluster ${id}, ${counted(brokers.length, "broker")}.`);
      },
      (error) => {
        if (!(error instanceof InspectionError) || !SIGN_IN_TROUBLES.has(error.kind)) return dependent(error);
        return { status: "fail", summary: "Kafka refuses the sign-in.", ...troubleWords(error, names) };
      },
    ),
    probe("advertised", "Advertised addresses answer", async () => judgeAdvertised(inspection, await cluster(), names)),
    ...kafkaTopicProbes({ inspection, group, topics, dependent, timeoutMs: TIMEOUT_MS }),
    probe("group", "Consumer group", async () => judgeGroup(consumerGroup, await inspection.group(consumerGroup))),
    probe("disk", "Room on the brokers' disks", async () => {
      const told = (await disks()).filter((disk) => disk !== null);
      const fullest = told.toSorted((a, b) => a.free / a.total - b.free / b.total)[0];
      if (fullest === undefined)
        return pass("Kafka doesn't tell this user (Kafka 3.3 or later tells, given the right Describe on Cluster).");
      return judgeDisk(fullest.free, fullest.total, {
        of: `${fullest.folder} on Kafka's broker ${fullest.broker}`,
        whenFull: "Kafka stops and messages can no longer be taken",
        fix: "Free space on it, or keep less: lower LOG_RETENTION_HOURS and set retention.ms of iot.telemetry to as much.",
      });
    }),
    probe("clock", "Clock agrees", async () => judgeClock("Kafka", await clock())),
  ];
}

async function judgeBootstrap(inspection: KafkaInspection, names: EngineNames): Promise<Finding> {
  const asked = await Promise.allSettled(inspection.bootstrap.map((address) => inspection.reach(address)));
  const answers = asked.flatMap((each, i) =>
    each.status === "fulfilled" ? [{ ...each.value, address: inspection.bootstrap[i]! }] : [],
  );
  const [failure] = asked.flatMap((each) => (each.status === "rejected" ? [each.reason as Error] : []));
  if (failure !== undefined && answers.length === 0) throw failure;
  const words = answers.map(
    ({ address, connectMs, answerMs, release }) =>
      `${address} answers in ${formatDuration(connectMs + answerMs)}${release === null ? "" : ` (${release})`}`,
  );
  if (failure === undefined) return pass(`${words.join(", ")}.`);
  return {
    status: "warn",
    summary: `${counted(answers.length, "address")} of ${asked.length} answer: ${words.join(", ")}.`,
    ...remedy(failure, names),
  };
}

async function judgeAdvertised(
  inspection: KafkaInspection,
  { askedAt, brokers }: KafkaCluster,
  names: EngineNames,
): Promise<Finding> {
  const asked = await Promise.allSettled(brokers.map(({ address }) => inspection.reach(address)));
  const dead = asked.flatMap((each, i) =>
    each.status === "rejected" ? [{ ...brokers[i]!, error: each.reason as Error }] : [],
  );
  const [first] = dead;
  if (first === undefined)
    return pass(`${brokers.map(({ address }) => address).join(", ")}: as told to clients, and answering.`);
  const rest = dead.slice(1).map(({ address }) => address);
  const others = rest.length > 0 ? ` The same goes for ${rest.join(", ")}.` : "";
  if (first.address === askedAt) throw first.error; // It has gone since.
  return {
    status: "fail",
    summary: `Kafka at ${askedAt} answers, but tells clients to use ${first.address}, which this machine can't reach.`,
    cause: `${remedy(first.error, names).cause}${others}`,
    fix: advertisedFix(inspection, brokers.length === 1 ? askedAt : null, first),
  };
}

/** @param reachable the address by which this machine does reach that broker; null if it isn't known. */
function advertisedFix(
  { signIn }: KafkaInspection,
  reachable: string | null,
  { id, address, error }: { id: number; address: string; error: Error },
): string {
  const host = (of: string) => of.slice(0, of.lastIndexOf(":"));
  const protocol = signIn ? "SASL_PLAINTEXT" : "PLAINTEXT";
  const running = reachable === null ? `See that broker ${id} runs, and that HOST:PORT leads to it from here.\n` : "";
  const set = `${running}In server.properties of broker ${id}, keep the listener's name and set: ${command`advertised.listeners=${protocol}://${reachable ?? "HOST:PORT"}`}`;
  if (!(error instanceof InspectionError) || error.kind !== "unknownHost") return set;
  const known = reachable === null ? "" : host(reachable).replace(/^localhost$/, "127.0.0.1");
  const ip = isIP(known) === 0 ? "192.0.2.1" : known;
  return `${set}\nor make the name known here, with the address of its machine: ${command`echo '${ip} ${host(address)}' | sudo tee -a /etc/hosts`}`;
}

const REBALANCE_MS = 60_000;

/** Judges the group; remembers since when it has been rebalancing. */
function groupJudge(now: () => EpochMs): (group: string, found: KafkaGroup | null) => Finding {
  let since: EpochMs | null = null;
  return (group, found) => {
    const rebalancing = found?.state === "PreparingRebalance" || found?.state === "CompletingRebalance";
    since = rebalancing ? (since ?? now()) : null;
    if (found === null || found.members.length === 0) {
      const cause = `No worker is in the consumer group ${group}; messages are kept in Kafka and wait.`;
      return { status: "warn", summary: "The consumer group has no members.", cause, fix: "`npm run worker`" };
    }
    const members = `${counted(found.members.length, "member")} in ${group}`;
    if (since === null || now() - since < REBALANCE_MS)
      return pass(`${members}, ${rebalancing ? "sharing out the partitions" : found.state.toLowerCase()}.`);
    return {
      status: "warn",
      summary: `${members}, sharing out the partitions for ${Math.round((now() - since) / 1000)} s.`,
      cause: "A member comes and goes, or doesn't answer, so the group never settles; meanwhile nothing is consumed.",
      fix: `Restart the workers on: ${[...new Set(found.members.map(({ host }) => host.replaceAll("`", "")))].join(", ")}`,
    };
  };
}
