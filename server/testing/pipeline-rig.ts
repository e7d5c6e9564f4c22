import type { Pool, PoolClient } from "pg";
import pino from "pino";
import { createPostgresDeadLetters } from "@/server/adapters/postgres/dead-letters";
import { createPostgresDeviceTwins } from "@/server/adapters/postgres/device-twins";
import { createPostgresMessageArchive } from "@/server/adapters/postgres/message-archive";
import { startConsumer } from "@/server/pipeline/consumer";
import { createColdReader } from "@/server/readings/cold/reader";
import { createPipeline, type PipelineDeps } from "@/server/pipeline/pipeline";
import type { FollowBatch } from "@/server/pipeline/follow";
import {
  type EventLog,
  NO_HEADERS,
  type PartitionBounds,
  type StoredRecord,
  type Subscription,
} from "@/server/ports/event-log";

/** The point where a test makes the pipeline fail, once. */
export type Fault = "archive" | "deadLetters" | "twins" | "discovered" | "beforeCommit" | "afterCommit";

/** The error a test throws in the pipeline's way. */
export class InjectedFault extends Error {
  override readonly name = "InjectedFault";
}

/** A log in memory whose batches the test cuts itself, so that every crash can be placed exactly. */
export function createScriptedLog(cluster: string, partitions: number) {
  const parts = Array.from({ length: partitions }, () => ({ start: 0, records: [] as StoredRecord[] }));
  const endOf = (partition: number) => parts[partition]!.start + parts[partition]!.records.length;
  /** The term in which records are written now; what was written in earlier ones ends where the next began. */
  const terms = parts.map(() => [{ term: 1, from: 0 }]);
  const identity = { topicId: "topic-1" as string | null };
  const boundsOf = (partition: number): PartitionBounds => ({
    cluster,
    topicId: identity.topicId,
    start: parts[partition]!.start,
    end: endOf(partition),
    endOfTerm: async (term) => terms[partition]!.find((one) => one.term > term)?.from ?? endOf(partition),
  });
  return {
    cluster,
    parts,
    endOf,
    boundsOf,
    /** The topic's identity; its id is null as of a log that doesn't tell. */
    identity,
    termOf: (partition: number) => terms[partition]!.at(-1)!.term,
    /** Acts as an unclean election of a leader: what is at `from` and after it is gone, and another term begins. */
    loseTail(partition: number, from: number) {
      parts[partition]!.records.length = from - parts[partition]!.start;
      terms[partition]!.push({ term: terms[partition]!.at(-1)!.term + 1, from });
    },
    /** Acts as someone who deletes the topic and creates it again. */
    recreate(topicId: string) {
      identity.topicId = topicId;
      for (const part of parts) Object.assign(part, { start: 0, records: [] });
      terms.forEach((list) => list.splice(0, list.length, { term: 1, from: 0 }));
    },
    append(partition: number, message: unknown, ingestTime = Date.now(), headers = NO_HEADERS) {
      const value =
        message instanceof Uint8Array
          ? message
          : Buffer.from(typeof message === "string" ? message : JSON.stringify(message));
      parts[partition]!.records.push({ offset: endOf(partition), key: null, value, headers, ingestTime });
    },
    /** Acts as a retention: the first `count` records are gone. */
    expire(partition: number, count: number) {
      parts[partition]!.records.splice(0, count);
      parts[partition]!.start += count;
    },
    describe: async () => ({
      cluster,
      topic: "iot.telemetry",
      topicId: identity.topicId,
      members: 1,
      partitions: parts.map((part, partition) => ({
        partition,
        start: part.start,
        end: endOf(partition),
        readableEnd: endOf(partition),
        committed: null,
        oldestWaiting: null,
        owner: null,
      })),
    }),
  };
}

export type ScriptedLog = ReturnType<typeof createScriptedLog>;

/** One worker's pipeline and consumer on a real database, fed by hand from a scripted log. */
export async function createRig(
  pool: Pool,
  log: ScriptedLog,
  overrides: Partial<PipelineDeps> = {},
  follow: FollowBatch = () => null,
) {
  const faults: { next: Fault | null } = { next: null };
  const trip = (fault: Fault) => {
    if (faults.next !== fault) return;
    faults.next = null;
    throw new InjectedFault(fault);
  };
  const after = <A extends unknown[]>(fault: Fault, store: (...args: A) => Promise<void>) => {
    return async (...args: A) => {
      await store(...args);
      trip(fault);
    };
  };
  const archive = createPostgresMessageArchive(pool);
  const twins = createPostgresDeviceTwins(pool);
  const deadLetters = createPostgresDeadLetters(pool);
  const committed: Parameters<PipelineDeps["publishLive"]["add"]>[0][] = [];
  const fatal: unknown[] = [];
  let subscription: Subscription | undefined;
  const eventLog: Pick<EventLog, "consume" | "describe"> = {
    async consume(given) {
      subscription = given;
      return { assigned: () => [], stop: async () => {} };
    },
    describe: log.describe,
  };
  const pipeline = createPipeline({
    pool: faultyPool(pool, trip),
    archive: { store: after("archive", (messages) => archive.store(messages)) },
    twins: { merge: after("twins", (updates) => twins.merge(updates)), get: twins.get, forget: twins.forget },
    deadLetters: { ...deadLetters, store: after("deadLetters", (letters) => deadLetters.store(letters)) },
    publishLive: {
      add: (batch) => void committed.push(batch),
      leaveOut: (batches) => void committed.push(...batches),
      sent: async () => true,
      stop: async () => {},
    },
    timings: { add() {} },
    cold: createColdReader(null),
    // Above what a property makes while it shrinks, or every smaller case would fail by the bound.
    maxDevices: 100_000,
    maxMetrics: 1000,
    futureToleranceMs: 600_000,
    oldestTaken: async () => () => null,
    ...overrides,
  });
  await startConsumer({
    eventLog,
    pool,
    pipeline,
    follow,
    maxRecords: 1000,
    maxBytes: 1e9,
    logger: pino({ level: "silent" }),
    onFatal: (error) => fatal.push(error),
  });
  const running = new AbortController();

  return {
    faults,
    fatal,
    committed,
    twins,
    deadLetters,
    archive,
    /** Takes a partition over: where this worker goes on. */
    async begin(partition: number): Promise<number> {
      return (await subscription!.startAt!(partition, log.boundsOf(partition)))!;
    },
    /** Hands over one batch of records `from` to before `to`. */
    async batch(partition: number, from: number, to: number): Promise<void> {
      const { start, records } = log.parts[partition]!;
      const some = records.slice(Math.max(0, from - start), Math.max(0, to - start));
      const { cluster } = log;
      await subscription!.onBatch(
        {
          ...{ cluster, topic: "iot.telemetry", partition, records: some, end: log.endOf(partition) },
          ...{ from: Math.max(from, start), to: Math.min(to, log.endOf(partition)), term: log.termOf(partition) },
        },
        running.signal,
      );
    },
    /** Handles everything in a partition as a log does: a batch that fails comes again from where the worker begins. */
    async insist(partition: number, size = 1000, most = 100): Promise<void> {
      let at = await this.begin(partition);
      for (let turn = 0; at < log.endOf(partition); turn++) {
        try {
          await this.batch(partition, at, at + size);
          at += size;
        } catch (error) {
          if (turn >= most) throw error;
          at = await this.begin(partition);
        }
      }
    },
    /** Hands over all that the log tells between two offsets: the records there, be it none. */
    async stretch(partition: number, { from, to }: { from: number; to: number }): Promise<void> {
      const records = log.parts[partition]!.records.filter(({ offset }) => offset >= from && offset < to);
      const batch = { cluster: log.cluster, topic: "iot.telemetry", partition, records, from, to, term: null, end: to };
      await subscription!.onBatch(batch, running.signal);
    },
    /** Takes all partitions over and handles everything in them. */
    async drain(size = 1000): Promise<void> {
      for (const partition of log.parts.keys()) {
        let at = await this.begin(partition);
        for (; at < log.endOf(partition); at += size) await this.batch(partition, at, at + size);
      }
    },
  };
}

export type Rig = Awaited<ReturnType<typeof createRig>>;

/** The pool, with the readings' transactions failing just before or after their commit, and others after theirs. */
function faultyPool(pool: Pool, trip: (fault: Fault) => void): Pool {
  const around = (client: PoolClient) => {
    let ofReadings = false;
    return new Proxy(client, {
      get(target, key) {
        const value = Reflect.get(target, key) as unknown;
        if (typeof value !== "function") return value;
        if (key !== "query") return value.bind(target);
        return (...args: unknown[]) => {
          const query = value.bind(target) as (...args: unknown[]) => unknown;
          // A prepared statement comes as an object.
          const text = (args[0] as { readonly text?: string }).text ?? String(args[0]);
          if (text.includes("pipeline_position")) ofReadings = true;
          if (args[0] !== "COMMIT") return query(...args);
          return (async () => {
            if (ofReadings) trip("beforeCommit");
            const result = await query(...args);
            trip(ofReadings ? "afterCommit" : "discovered");
            return result;
          })();
        };
      },
    });
  };
  return new Proxy(pool, {
    get(target, key) {
      if (key === "connect") return async () => around(await target.connect());
      const value = Reflect.get(target, key) as unknown;
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
