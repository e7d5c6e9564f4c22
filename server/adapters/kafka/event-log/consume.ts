import { createBackoff, pause } from "@/server/async/backoff";
import { randomUUID } from "node:crypto";
import type { Kafka, KafkaConfig } from "kafkajs";
import { createSemaphore } from "@/server/async/semaphore";
import { onceAtATime } from "@/server/async/once-at-a-time";
import { within } from "@/server/async/timeout";
import {
  type Consumption,
  LogUnavailableError,
  type Subscription,
  UnreadableBatchError,
} from "@/server/ports/event-log";
import { logError } from "../errors";
import { type AdminConnections, DISCONNECT_MS } from "./admin";
import { createPace } from "../../pace";
import { connectPlainly } from "./join-gate";
import { type ConsumerTimes, type Membership, startMembership } from "./membership";
import { type PartitionRun, type Start, startPartitionRun } from "./partition-run";
import type { TopicBounds } from "./bounds";
import { committedBy } from "./topics";

/** The longest wait for an answer, in milliseconds; only the consumer itself waits for these. */
const ASK_MS = 10_000;
/** Longer than kafkajs takes over a commit with all its attempts, in milliseconds: it doesn't promise an end. */
const COMMIT_MS = 60_000;
const BACKOFF = { firstMs: 250, maxMs: 5000 };
/** The time batches get after the abort at the end of a stop, before they are left behind, in milliseconds. */
const ABANDON_MS = 2000;
/** The share of Kafka's own wait that batches in hand get when partitions are to be given up. */
const SHARE_TO_FINISH = 0.8;
/** The number of largest batches that wait in memory in all, besides those in hand; at least one a partition. */
const BATCHES_AHEAD = 4;

export interface ConsumeDeps {
  readonly createClient: (over: Partial<KafkaConfig>) => Kafka;
  readonly admins: AdminConnections;
  readonly bounds: TopicBounds;
  /** Opens sockets; given by tests. */
  readonly connect?: KafkaConfig["socketFactory"];
  /** The consumer's name, in words. */
  readonly name: string;
  readonly times: ConsumerTimes;
}

/** Consumes a topic. Resolves after the first attempt to connect: what fails is told to `onError` and retried. */
export async function startConsumption(deps: ConsumeDeps, subscription: Subscription): Promise<Consumption> {
  const { admins, times } = deps;
  const { topic, group, startAt } = subscription;
  const admin = admins.of(topic);
  const runs = new Map<number, PartitionRun>();
  /** The last run of each partition: the next one waits until nothing of it is in hand. */
  const ending = new Map<number, Promise<void>>();
  /** Offsets to go on at without a group. It begins with what was the end at first. */
  const positions = new Map<number, number>();
  let positioned = false;
  const semaphore = createSemaphore(subscription.concurrency * subscription.maxRecords);
  const pace = createPace(subscription.paceMs ?? 0);
  const stopping = new AbortController();
  const stopped = new Promise<undefined>((resolve) =>
    stopping.signal.addEventListener("abort", () => resolve(undefined)),
  );
  let leave: () => Promise<void> = async () => undefined;
  let down = false;
  let underWay = () => {};
  const firstAttempt = new Promise<void>((resolve) => (underWay = resolve));
  const bounds = onceAtATime(() => deps.bounds.of(topic));
  const committed = onceAtATime(() =>
    admin.ask(`the group ${group}`, ASK_MS, (it) => committedBy(it, topic, group ?? "")),
  );

  /** An outage shows in many places; it is told once, until the log has answered again. */
  function tell(error: unknown): void {
    if (error instanceof LogUnavailableError) {
      if (down) return;
      down = true;
    }
    subscription.onError(error);
  }

  async function keepConsuming(): Promise<void> {
    const backoff = createBackoff(BACKOFF);
    while (!stopping.signal.aborted) {
      let joined = false;
      try {
        if (group === null && !positioned) {
          for (const [partition, { end }] of await bounds()) positions.set(partition, end);
          positioned = true;
        }
        if (stopping.signal.aborted) return;
        const error = await untilFailed(() => (joined = true));
        if (error === undefined) return;
        tell(logError(error));
      } catch (error) {
        tell(error);
      }
      underWay();
      if (joined) backoff.reset();
      await pause(backoff.next(), stopping.signal);
    }
  }

  /** One membership from its start to its failure; undefined when all of this is to stop. */
  async function untilFailed(onJoined: () => void): Promise<unknown> {
    // Each membership without a group has one to itself, and needn't wait for Kafka to miss the one before.
    const groupId = group ?? `fieldwatch-live-${randomUUID()}`;
    const mine = startMembership({
      createClient: (gate) => deps.createClient({ socketFactory: gate(deps.connect ?? connectPlainly) }),
      topic,
      groupId,
      name: deps.name,
      times,
      onAssigned(partitions) {
        onJoined();
        down = false;
        if (!stopping.signal.aborted) takeOver(mine, partitions);
      },
      onRevoke: giveUp,
      onExpelled: () => each((run) => run.lose()),
      onBatch: (batch) => runs.get(batch.partition)?.offer(batch) ?? false,
    });
    leave = () => leaveGroup(mine, groupId);
    void mine.underWay.then(underWay);
    void mine.failed.then(() => each((run) => run.lose()));
    const error = await Promise.race([mine.failed, stopped]);
    if (error !== undefined) {
      runs.clear();
      void leave();
    }
    return error;
  }

  async function leaveGroup(left: Membership, groupId: string): Promise<void> {
    await left.close();
    // Best effort: a group without members and offsets is forgotten by Kafka anyway.
    if (group === null)
      await admin.ask("leaving", DISCONNECT_MS, (it) => it.deleteGroups([groupId])).catch(() => undefined);
  }

  /** Partitions are about to be shared anew: lets what is in hand finish, for as long as Kafka waits. */
  async function giveUp(): Promise<void> {
    each((run) => run.finish());
    const abort = setTimeout(() => each((run) => run.abort()), times.rebalance * SHARE_TO_FINISH);
    await allDone();
    clearTimeout(abort);
    runs.clear();
  }

  function takeOver(from: Membership, partitions: readonly number[]): void {
    each((run) => run.lose());
    runs.clear();
    for (const partition of partitions) {
      const run = startPartitionRun({
        topic,
        partition,
        subscription,
        semaphore,
        pace,
        source: from,
        after: ending.get(partition) ?? Promise.resolve(),
        start: () => startOf(partition),
        async commit(next) {
          if (group === null) positions.set(partition, next);
          else await within(COMMIT_MS, from.commit(partition, next), uncommitted).catch(rejectClassed);
        },
        ahead: () => Math.max(1, Math.floor(BATCHES_AHEAD / partitions.length)),
        onError(error) {
          // Nobody can skip it without a group, and nothing of it is kept anyway.
          if (group === null && error instanceof UnreadableBatchError) positions.set(partition, error.batch.to + 1);
          tell(error);
        },
        onSuccess: () => (down = false),
      });
      runs.set(partition, run);
      ending.set(partition, run.done);
    }
  }

  async function startOf(partition: number): Promise<Start> {
    const held = (await bounds()).get(partition);
    if (held === undefined) {
      admin.forget();
      throw new LogUnavailableError(`the partitions of ${topic} have changed`);
    }
    const said = group === null ? null : ((await startAt?.(partition, held)) ?? null);
    const next = said ?? (group === null ? positions : await committed()).get(partition) ?? null;
    // Outside of what is there is a position of another life of the topic: nothing of this one may be left out.
    const isHeld = next !== null && next >= held.start && next <= held.end;
    return { next: isHeld ? next : held.start, bounds: held, isToCommit: said !== null && isHeld };
  }

  function each(act: (run: PartitionRun) => void): void {
    for (const run of runs.values()) act(run);
  }

  async function allDone(): Promise<void> {
    await Promise.all([...runs.values()].map(({ done }) => done));
  }

  /**
   * Where partitions stood at the last look. Nothing is heard of a fetch that brings no batch at all, so one would wait
   * for ever where compaction has removed the very last ones.
   */
  let stood = new Map<number, number>();
  async function lookAhead(): Promise<void> {
    const before = stood;
    stood = new Map(
      [...runs].flatMap(([partition, { waitingFor }]) => (waitingFor === null ? [] : [[partition, waitingFor]])),
    );
    const idle = [...stood].filter(([partition, at]) => before.get(partition) === at);
    if (idle.length === 0) return;
    const held = await bounds();
    for (const [partition, at] of idle)
      if ((held.get(partition)?.readableEnd ?? 0) > at)
        runs.get(partition)?.skip(at, await deps.bounds.nextHeld(topic, partition, at));
  }
  const looking = setInterval(() => void lookAhead().catch(() => undefined), times.lookAhead);

  void keepConsuming();
  await firstAttempt;

  return {
    assigned: () => [...runs.values()].filter(({ lost }) => !lost).map(({ partition }) => partition),

    async stop(timeoutMs) {
      stopping.abort();
      clearInterval(looking);
      each((run) => run.finish());
      const abort = setTimeout(() => each((run) => run.abort()), timeoutMs);
      const finished = new AbortController();
      const ended = Promise.all(ending.values()).then(() => finished.abort());
      await Promise.race([ended, pause(timeoutMs + ABANDON_MS, finished.signal)]);
      clearTimeout(abort);
      runs.clear();
      await leave();
    },
  };
}

const uncommitted = () => new LogUnavailableError(`a commit had no answer in ${COMMIT_MS / 1000} s`);
const rejectClassed = (error: unknown) => Promise.reject(logError(error) as Error);
