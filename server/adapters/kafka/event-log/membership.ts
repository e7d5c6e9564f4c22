import type { Batch, ISocketFactory, Kafka } from "kafkajs";
import { LogUnavailableError } from "@/server/ports/event-log";
import { kafkaType } from "../errors";
import { disconnected } from "./admin";
import { shareEvenly } from "./assigner";
import { gateJoins, type Join } from "./join-gate";
import type { Source } from "./partition-run";

/** Timing of a consumer's contact with Kafka, in milliseconds. */
export interface ConsumerTimes {
  /** The time without a heartbeat after which Kafka gives the partitions to others, and the watchdog here begins anew. */
  readonly session: number;
  readonly heartbeat: number;
  /** The time Kafka gives a member's batch in hand before a partition moves. */
  readonly rebalance: number;
  /** The age at which the known partitions of the topic are asked for again. */
  readonly metadataMaxAge: number;
  /** Interval between looks at whether a partition at rest waits before nothing. */
  readonly lookAhead: number;
}

export const CONSUMER_TIMES: ConsumerTimes = {
  session: 10_000,
  heartbeat: 1000,
  rebalance: 60_000,
  metadataMaxAge: 15_000,
  lookAhead: 10_000,
};

/** Longest wait of a fetch that finds nothing, in milliseconds; also how long a stop or a resumed partition may take. */
const FETCH_WAIT_MS = 100;
const FETCH_BYTES_PER_PARTITION = 512 * 1024;
const FETCH_BYTES = 2 * 1024 * 1024;
const WATCH_MS = 500;
/** The time connecting and the first request to join may take, in milliseconds. */
const START_MS = 30_000;
/** An error, so that a caller who waits for an answer hears of the end. */
const ABANDONED = new Error("the consumer was closed");
/** Answers that say: Kafka has given this member's partitions away. */
const EXPELLED = new Set(["UNKNOWN_MEMBER_ID", "ILLEGAL_GENERATION", "FENCED_INSTANCE_ID"]);

export interface MembershipDeps {
  /** A client whose sockets are made by the factory given. */
  readonly createClient: (gate: (connect: ISocketFactory) => ISocketFactory) => Kafka;
  readonly topic: string;
  readonly groupId: string;
  /** The member's name, in words. */
  readonly name: string;
  readonly times: ConsumerTimes;
  /** Partitions were given to this member, in exchange for all it had; they are paused. */
  readonly onAssigned: (partitions: readonly number[]) => void;
  /** All partitions are to be given up; resolves when nothing is in hand any more. */
  readonly onRevoke: (join: Join) => Promise<void>;
  /** All partitions are somebody else's. */
  readonly onExpelled: () => void;
  /** False when the batch isn't wanted. */
  readonly onBatch: (batch: Batch) => boolean;
}

/** One consumer in one group, until it fails or is closed. */
export interface Membership extends Source {
  /** Resolves when it is connected and asks to join, or has failed. */
  readonly underWay: Promise<void>;
  /** Resolves with what ended it; never when it is closed before. */
  readonly failed: Promise<unknown>;
  /** Commits a partition's next offset. */
  commit(partition: number, next: number): Promise<void>;
  /** Leaves the group and disconnects, in bounded time. */
  close(): Promise<void>;
}

export function startMembership(deps: MembershipDeps): Membership {
  const { topic, groupId, times } = deps;
  const sockets = new Set<ReturnType<ISocketFactory>>();
  const consumer = deps
    .createClient((connect) => gateJoins(tracked(connect), beforeJoin))
    .consumer({
      groupId,
      partitionAssigners: [shareEvenly(deps.name)],
      sessionTimeout: times.session,
      rebalanceTimeout: times.rebalance,
      heartbeatInterval: times.heartbeat,
      metadataMaxAge: times.metadataMaxAge,
      maxWaitTimeInMs: FETCH_WAIT_MS,
      minBytes: 1,
      maxBytesPerPartition: FETCH_BYTES_PER_PARTITION,
      maxBytes: FETCH_BYTES,
      allowAutoTopicCreation: false,
      // There is one way of recovering: whoever owns this membership starts another.
      retry: { restartOnFailure: async () => false },
    });
  let closed = false;
  /** True once kafkajs has stopped, by itself or because it was told to. */
  let ended = false;
  /** True once nothing more is to be connected. */
  let abandoned = false;
  let seen = performance.now();
  /** Time of the last request to join; null while a member, or while the request waits at the gate. */
  let joining: number | null = null;
  let member = false;
  let beat: (() => Promise<void>) | null = null;
  let fail: (error: unknown) => void = () => {};
  const failed = new Promise<unknown>((resolve) => (fail = resolve));

  function tracked(connect: ISocketFactory): ISocketFactory {
    return (args) => {
      const socket = connect(args);
      if (abandoned) socket.destroy(ABANDONED);
      sockets.add(socket);
      socket.once("close", () => sockets.delete(socket));
      return socket;
    };
  }

  /** Holds a request to join back while batches are in hand; heartbeats go on, which keeps the membership. */
  async function beforeJoin(join: Join): Promise<void> {
    joining = null;
    if (!join.asMember) deps.onExpelled();
    const heartbeats = setInterval(() => {
      beat?.().then(contact, (error: unknown) => {
        const type = kafkaType(error) ?? "";
        if (type === "REBALANCE_IN_PROGRESS") contact();
        else if (EXPELLED.has(type)) deps.onExpelled();
      });
    }, times.heartbeat);
    try {
      await deps.onRevoke(join);
    } finally {
      clearInterval(heartbeats);
      contact();
      joining = performance.now();
    }
  }

  function contact(): void {
    seen = performance.now();
  }

  const { events } = consumer;
  consumer.on(events.FETCH, contact);
  consumer.on(events.HEARTBEAT, contact);
  consumer.on(events.COMMIT_OFFSETS, contact);
  consumer.on(events.GROUP_JOIN, ({ payload }) => {
    contact();
    joining = null;
    member = true;
    const partitions = payload.memberAssignment[topic] ?? [];
    // Before anything is fetched: where to begin isn't known yet.
    whileOpen(() => {
      consumer.pause([{ topic, partitions: [...partitions] }]);
      deps.onAssigned(partitions);
    });
  });
  consumer.on(events.STOP, () => void (ended = true));
  consumer.on(events.CRASH, ({ payload }) => fail(payload.error));

  let ticked = performance.now();
  let tickedWall = Date.now();
  const watchdog = setInterval(() => {
    const now = performance.now();
    // kafkajs times heartbeats by the wall clock: set back, it sends none until that has caught up.
    const setBackMs = now - ticked - (Date.now() - tickedWall);
    tickedWall = Date.now();
    if (setBackMs > times.heartbeat) fail(new LogUnavailableError("the clock was set back: joining anew"));
    // After a standstill of this whole process the silence says nothing about Kafka.
    if (now - ticked > WATCH_MS * 4) contact();
    ticked = now;
    const silentFor = joining === null ? now - seen : now - joining - times.rebalance;
    if (silentFor > (member ? times.session : START_MS))
      fail(new LogUnavailableError(`Kafka has been silent for ${Math.round(silentFor / 1000)} s`));
  }, WATCH_MS);
  void failed.then(() => clearInterval(watchdog));

  async function start(): Promise<void> {
    try {
      await consumer.connect();
      await consumer.subscribe({ topic, fromBeginning: true });
      if (closed) return;
      consumer
        .run({
          autoCommit: false,
          eachBatchAutoResolve: false,
          eachBatch: async ({ batch, resolveOffset, heartbeat, isStale, isRunning }) => {
            beat = heartbeat;
            if (isStale() || !isRunning()) return;
            if (deps.onBatch(batch)) resolveOffset(batch.lastOffset());
          },
        })
        .catch(fail);
    } catch (error) {
      fail(error);
    }
  }

  /** Calls on a consumer that has ended have no effect. */
  function whileOpen(act: () => void): void {
    if (!closed && !ended) act();
  }

  return {
    underWay: Promise.race([start(), failed.then(() => undefined)]),
    failed,
    seek: (partition, offset) => whileOpen(() => consumer.seek({ topic, partition, offset: String(offset) })),
    pause: (partition) => whileOpen(() => consumer.pause([{ topic, partitions: [partition] }])),
    resume: (partition) => whileOpen(() => consumer.resume([{ topic, partitions: [partition] }])),
    async commit(partition, next) {
      if (closed || ended) throw new LogUnavailableError("the consumer has ended");
      await consumer.commitOffsets([{ topic, partition, offset: String(next) }]);
    },
    async close() {
      closed = true;
      clearInterval(watchdog);
      await disconnected(consumer);
      abandoned = true;
      for (const socket of sockets) socket.destroy(ABANDONED);
    },
  };
}
