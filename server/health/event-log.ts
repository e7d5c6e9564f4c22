import { formatSeconds } from "@/server/domain/duration";
import { counted } from "@/server/domain/counted";
import { command } from "@/server/domain/fix";
import { type EpochMs, PIPELINE_GROUP } from "@/server/domain/terms";
import { type EventLog, TopicMissingError, type TopicSettings } from "@/server/ports/event-log";
import type { PipelineState } from "@/server/domain/pipeline-state";
import { extentInWords, type StoppingBatch, unreadableInWords } from "@/server/domain/unreadable";
import { type Finding, pass, type Probe, shortly } from "./probe";

export interface EventLogProbesDeps {
  readonly eventLog: Pick<EventLog, "describe">;
  readonly group: string;
  /** Advice for when it doesn't answer. */
  readonly engine: string;
  readonly topics: readonly TopicSettings[];
}

/** The event log on PostgreSQL answers and has its topics. */
export function eventLogProbes({ eventLog, group, engine, topics }: EventLogProbesDeps): readonly Probe[] {
  return topics.map(({ topic, partitions }) => ({
    name: `log.${topic}`,
    title: `Topic ${topic}`,
    group,
    timeoutMs: 3000,
    async run(): Promise<Finding> {
      const { partitions: found } = await eventLog.describe(topic, PIPELINE_GROUP);
      if (found.length === partitions) return pass(`${counted(found.length, "partition")}.`);
      return {
        status: "warn",
        summary: `${counted(found.length, "partition")}, configured ${partitions}.`,
        cause: "The topic existed before the setting changed; it is used as it is.",
        fix: `Set ${command`TELEMETRY_PARTITIONS=${found.length}`} to agree with it.`,
      };
    },
    whenDown: (error: Error): Finding =>
      error instanceof TopicMissingError
        ? MISSING
        : {
            status: "fail",
            summary: "The event log cannot be asked.",
            cause: shortly(error),
            fix: `First mend ${engine}: see its failing probes.`,
          },
  }));
}

const MISSING: Finding = {
  status: "fail",
  summary: "The topic is missing.",
  cause: "It was never created, or it was deleted.",
  fix: "`npm run migrate`",
};

const LAG_WARN_SECONDS = 30;
/** Less where it does not get less: a worker hangs. */
const LAG_STUCK_SECONDS = 10;
const LAG_FAIL_SECONDS = 300;
const DEAD_LETTERS_WARN_COUNT = 10;
const DEAD_LETTERS_WARN_SHARE = 0.01;
const RECENT_MS = 5 * 60_000;

/** Workers are there, keep up, get on in every partition, and what they handle is good. */
export function pipelineProbes(pipelineState: () => Promise<PipelineState>): readonly Probe[] {
  const judgeProgress = progressJudge();
  const group = "Pipeline";
  const probe = (name: string, title: string, judge: (state: PipelineState) => Finding): Probe => ({
    name,
    title,
    group,
    timeoutMs: 4000,
    run: async () => judge(await pipelineState()),
  });
  return [
    probe("pipeline.workers", "A worker is alive", judgeWorkers),
    probe("pipeline.lag", "Keeps up", judgeLag),
    probe("pipeline.progress", "Every partition gets on", judgeProgress),
    probe("pipeline.log", "The log kept what it took", judgeBreaks),
    probe("pipeline.dead-letters", "Messages are good", judgeDeadLetters),
  ];
}

export function judgeWorkers({ workers }: Pick<PipelineState, "workers">): Finding {
  if (workers === null) return unknown("The event log cannot be asked who consumes it.");
  if (workers > 0) return pass(`${counted(workers, "worker")}.`);
  const cause =
    "No worker is in the consumer group: none runs, or it waits for an engine that fails here. Messages are kept in the event log and wait.";
  return { status: "fail", summary: "No worker is alive.", cause, fix: "`npm run worker`" };
}

export function judgeLag(state: Pick<PipelineState, "lag" | "lagSeconds" | "clearSeconds" | "partitions">): Finding {
  const stopped = state.partitions.filter(({ unreadable }) => unreadable !== null);
  if (stopped.length === 0) return judgeWaiting(state);
  const others = state.partitions.filter(({ unreadable }) => unreadable === null);
  const ages = others.map(({ lagSeconds }) => lagSeconds);
  const finding = judgeWaiting({
    lag: others.reduce((sum, { lag }) => sum + lag, 0),
    lagSeconds: ages.includes(null) ? null : Math.max(0, ...(ages as number[])),
    clearSeconds: others.some(({ lagSeconds, clearSeconds }) => lagSeconds !== 0 && clearSeconds === null) ? null : 0,
    partitions: others,
  });
  const waiting = stopped.reduce((sum, { lag }) => sum + lag, 0);
  const where =
    stopped.length === 1 ? `partition ${stopped[0]!.partition}, which has stopped` : "partitions that have stopped";
  return {
    ...finding,
    summary: `${finding.summary} Besides, ${counted(waiting, "message waits", "messages wait")} in ${where}.`,
  };
}

function judgeWaiting({
  lag,
  lagSeconds,
  clearSeconds,
  partitions,
}: Pick<PipelineState, "lag" | "lagSeconds" | "clearSeconds" | "partitions">): Finding {
  if (lag === null) return unknown("The event log cannot be asked what waits in it.");
  if (lagSeconds === null)
    return {
      status: "unknown",
      summary: `${counted(lag, "message waits", "messages wait")}, since when is not known yet.`,
      cause: "The event log did not tell in time how long the oldest of them has waited.",
      fix: "Wait for the next look. If it stays so, Kafka or this machine is overloaded: see the times of their probes.",
    };
  const words = `${counted(lag, "message waits", "messages wait")}, the oldest for ${formatSeconds(lagSeconds)}.`;
  const isShrinking = clearSeconds !== null;
  if (lagSeconds <= (isShrinking ? LAG_WARN_SECONDS : LAG_STUCK_SECONDS))
    return pass(lag === 0 ? "Nothing waits." : words);
  const held = partitions.reduce((sum, one) => sum + one.held, 0);
  if (held > 0 && held >= lag)
    return {
      status: lagSeconds > LAG_FAIL_SECONDS ? "fail" : "warn",
      summary: `${words} All of it is behind an open transaction.`,
      cause: "A producer has begun a transaction and not ended it: Kafka lets nothing be read that was appended after.",
      fix: "Let the producer commit or abort. Kafka ends it by itself after the producer's transaction.timeout.ms; `kafka-transactions.sh find-hanging` lists what it does not end.",
    };
  return {
    status: lagSeconds > LAG_FAIL_SECONDS ? "fail" : "warn",
    summary: words,
    cause: "More comes in than the workers handle, or a worker is stuck.",
    fix: "Start one more: `npm run worker` (up to one for each partition), and read the worker's log.",
  };
}

/** Time after which a partition in which messages wait has stopped; less where its worker has said what it waits for. */
const STUCK_MS = 60_000;
const REFUSED_MS = 15_000;

/** Judges whether partitions in which messages wait get on; remembers where each stood, and since when. */
export function progressJudge(): (state: Pick<PipelineState, "partitions" | "workers" | "time">) => Finding {
  const stood = new Map<number, { committed: number | null; since: EpochMs }>();
  return ({ partitions, workers, time }) => {
    if (workers === null || partitions.length === 0)
      return unknown("The event log cannot be asked where each partition is.");
    for (const { partition, committed, lag, held } of partitions) {
      // No worker could get on behind an open transaction.
      if (lag <= held) stood.delete(partition);
      else if (stood.get(partition)?.committed !== committed) stood.set(partition, { committed, since: time });
    }
    const unreadable = partitions.flatMap((each) => each.unreadable ?? []).sort((a, b) => a.since - b.since);
    if (unreadable.length > 0) return judgeUnreadable(unreadable, partitions.length, time);
    const stuck = partitions
      .map((each) => ({
        ...each,
        forMs: time - Math.min(stood.get(each.partition)?.since ?? time, each.waiting?.since ?? time),
      }))
      .filter(({ lag, held, forMs, waiting }) => lag > held && forMs >= (waiting === null ? STUCK_MS : REFUSED_MS))
      .sort((a, b) => b.forMs - a.forMs);
    const [worst] = stuck;
    if (worst === undefined) return pass(`${counted(partitions.length, "partition")}, none is stuck.`);
    const { waiting } = worst;
    const others = stuck.length > 1 ? `${stuck.length} partitions don't get on; in this one ` : "";
    const owner = worst.owner === null ? "nobody owns it" : `its owner is ${worst.owner}`;
    return {
      status: "fail",
      summary: `Partition ${worst.partition} has stood still for ${Math.round(worst.forMs / 1000)} s; ${worst.lag ?? "some"} messages wait in it.`,
      cause:
        workers === 0
          ? "No worker is alive."
          : waiting !== null
            ? `${others === "" ? "Its" : `${others}the`} batch is refused: ${waiting.reason.replace(/\.$/, "")}.`
            : `${others}${owner}. A store refuses its batch again and again, or the worker hangs.`,
      fix:
        workers === 0
          ? "`npm run worker`"
          : (waiting?.fix ?? "First mend what else fails here; then read the worker's log, and restart that worker."),
    };
  };
}

/** Partitions, longest first, that a batch stops which can't be read. */
function judgeUnreadable(batches: readonly StoppingBatch[], partitions: number, time: EpochMs): Finding {
  const [first] = batches;
  const { cause, fix } = unreadableInWords(first!);
  const seconds = Math.max(0, Math.round((time - first!.since) / 1000));
  const since = seconds < 120 ? `${seconds} s` : counted(Math.round(seconds / 60), "minute");
  const { length } = batches;
  const stopped =
    length === 1
      ? `Partition ${first!.partition} has stopped:`
      : `${length} partitions have stopped: in partition ${first!.partition},`;
  const others = partitions - length;
  return {
    status: "fail",
    summary: `${stopped} ${extentInWords(first!)} can't be read.`,
    cause: `${cause} It has stood for ${since}.${others > 0 ? ` The ${counted(others, "other partition")} ${others === 1 ? "goes" : "go"} on.` : ""}`,
    fix: `${fix} Skipping is on the Pipeline page, and tells what would be lost.`,
  };
}

const BREAK_SHOWN_MS = 24 * 3_600_000;

/** The meaning of each break of the log, and what to do; a topic that was created anew is no trouble. */
const BREAKS: Readonly<Record<"lostTail" | "expired", { did: string; cause: string; fix: string }>> = {
  lostTail: {
    did: "lost messages at its end that were handled before",
    cause:
      "A broker became the leader that had not copied them, or its log was cut off. Here they are kept; what came after them in the log is handled once, as a new epoch.",
    fix: "Keep three copies of the topic, with `min.insync.replicas=2` and `unclean.leader.election.enable=false`.",
  },
  expired: {
    did: "dropped messages before they were read",
    cause: "They were older than the topic's retention, or its size is limited: no worker handled them in time.",
    fix: "Raise the topic's `retention.ms` above the longest time without a worker, and unset `retention.bytes`.",
  },
};

/** Judges whether the log held all it took until it was handled, in the last day. */
export function judgeBreaks({ partitions, time }: Pick<PipelineState, "partitions" | "time">): Finding {
  if (partitions.length === 0) return unknown("The event log cannot be asked what it holds.");
  const recent = partitions
    .flatMap(({ partition, lastBreak }) => (lastBreak === null ? [] : [{ partition, ...lastBreak }]))
    .filter((one) => time - one.time < BREAK_SHOWN_MS)
    .sort((a, b) => b.time - a.time);
  const lost = recent.find(({ kind }) => kind !== "recreated");
  if (lost === undefined)
    return pass(
      recent.length > 0 ? "The topic was created anew; it is read from its start." : "Nothing was lost in it.",
    );
  const { did, cause, fix } = BREAKS[lost.kind as keyof typeof BREAKS];
  const extent = lost.offsets === null ? "" : ` (${counted(lost.offsets, "offset")})`;
  const at = new Date(lost.time).toISOString().slice(0, 16).replace("T", " ");
  const others = recent.length > 1 ? ` ${counted(recent.length, "partition")} had such a break in the last day.` : "";
  return { status: "warn", summary: `Partition ${lost.partition} ${did}${extent}, ${at} UTC.${others}`, cause, fix };
}

export function judgeDeadLetters({ history, time }: Pick<PipelineState, "history" | "time">): Finding {
  const recent = history.filter((bucket) => bucket.time >= time - RECENT_MS);
  const messages = recent.reduce((sum, bucket) => sum + bucket.messages, 0);
  const deadLetters = recent.reduce((sum, bucket) => sum + bucket.deadLetters, 0);
  const words = `${counted(deadLetters, "dead letter")} of ${counted(messages, "message")} in 5 minutes.`;
  // A few say nothing about all: they wait in their list.
  if (deadLetters < DEAD_LETTERS_WARN_COUNT || deadLetters <= messages * DEAD_LETTERS_WARN_SHARE) return pass(words);
  return {
    status: "warn",
    summary: words,
    cause: "Devices send what cannot become a reading.",
    fix: "Read the reasons, and the fix of each: `/dead-letters`.",
  };
}

function unknown(cause: string): Finding {
  return { status: "unknown", summary: "Not known.", cause, fix: "First mend the event log: see its failing probes." };
}
