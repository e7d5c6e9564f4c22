import { createHash } from "node:crypto";
import { createBackoff, pause } from "@/server/async/backoff";
import { onceAtATime } from "@/server/async/once-at-a-time";
import { type Beside, NOTHING_BESIDE } from "@/server/domain/mapping/delivery";
import type { Consumption, EventLog, StoredRecord, Subscription, TopicState } from "@/server/ports/event-log";
import type { OpenSource } from "../intake";
import type { Deliver } from "./deliver";
import type { OpenDoor } from "./door";

type KafkaDoor = Extract<OpenSource["door"], { type: "kafka" }>;

export interface KafkaDoorDeps {
  /** Connects to the cluster of a source. */
  readonly openLog: (
    door: KafkaDoor,
    secret: string | null,
  ) => Promise<Pick<EventLog, "consume" | "describe" | "close">>;
  readonly deliver: Deliver;
  readonly onTrouble: (source: OpenSource, error: unknown) => void;
  readonly onState: () => void;
}

/** Bounds of one batch: its records are mapped together, and wait for one append. */
const MOST_RECORDS = 2000;
const MOST_BYTES = 4 * 1024 * 1024;
const LAG_EVERY_MS = 10_000;
/** Interval of asking while something is in the way, in milliseconds. */
const LOOK_AGAIN_MS = 1000;

/**
 * Reads topics of somebody's Kafka in a consumer group of the source's own. Records go to the event log by their device, whatever their key was, and
 * a position is committed once it has them. What comes again after a crash says where it is from, so that it is left out.
 */
export function kafkaDoors({ openLog, deliver, onTrouble, onState }: KafkaDoorDeps): OpenDoor {
  return (source, current) => {
    const { doorSecret } = source;
    const door = kafkaOf(source);
    const stopping = new AbortController();
    const readers: Reader[] = [];
    const troubles = createTroubles(onState);
    let lag: number | null = null;
    let log: Awaited<ReturnType<typeof openLog>> | null = null;

    function failed(error: unknown): void {
      onTrouble(current(), error);
      troubles.unreadable(wordsOf(error));
    }

    const opening = (async () => {
      const backoff = createBackoff({ firstMs: 500, maxMs: 30_000 });
      log = await openLog(door, doorSecret);
      for (const topic of door.topics) {
        while (!stopping.signal.aborted) {
          try {
            readers.push({ topic, consumption: await log.consume(subscriptionOf(log, topic)) });
            break;
          } catch (error) {
            failed(error);
            await pause(backoff.next(), stopping.signal);
          }
        }
      }
      while (!stopping.signal.aborted) {
        await look(log);
        await pause(troubles.words() === null ? LAG_EVERY_MS : LOOK_AGAIN_MS, stopping.signal);
      }
    })();
    opening.catch(failed);

    /** Asks for the lag. What couldn't be read is all right once all topics answer and are read, here or by another process. */
    async function look(from: Pick<EventLog, "describe">): Promise<void> {
      try {
        const states = await Promise.all(readers.map(({ topic }) => from.describe(topic, door.group)));
        lag = states.reduce((sum, state) => sum + lagOf(state), 0);
        const isRead = readers.every(({ consumption }, i) => {
          const { members, partitions } = states[i]!;
          return consumption.assigned().length > 0 || members > partitions.length;
        });
        if (isRead) troubles.readable();
        const own = readers.flatMap(({ topic, consumption }) => consumption.assigned().map((one) => `${topic}/${one}`));
        troubles.keep(new Set(own));
      } catch (error) {
        lag = null;
        troubles.unreadable(wordsOf(error));
      }
    }

    function subscriptionOf(from: Pick<EventLog, "describe">, topic: string): Subscription {
      const committed = onceAtATime(async () => (await from.describe(topic, door.group)).partitions);
      const runs = new Map<number, readonly unknown[] | null>();
      return {
        ...{ topic, group: door.group, maxRecords: MOST_RECORDS, maxBytes: MOST_BYTES, concurrency: 2 },
        async startAt(partition, { cluster, topicId, end }) {
          const at = (await committed()).find((one) => one.partition === partition)?.committed ?? null;
          // A log that lost its tail gives its offsets to other records. One that doesn't say which topic it is can't be told from another.
          const isCut = at !== null && at > end;
          runs.set(partition, topicId === null ? null : [cluster, topicId, door.group, isCut && [end, Date.now()]]);
          // Null begins where the group's position is, or at the start.
          return door.from === "latest" && at === null ? end : null;
        },
        async onBatch({ partition, records }, signal) {
          troubles.readable();
          const one = current();
          const run = runs.get(partition) ?? null;
          const from = run && { lane: `${topic}/${partition}`, run: shortOf([...run, one.mappingVersion]) };
          try {
            if (records.length > 0)
              await deliver(
                one,
                records.map((record) => ({
                  ...deliveryOf(topic, record),
                  ...(from && { from: { ...from, offset: record.offset } }),
                })),
              );
          } catch (error) {
            if (!signal.aborted) troubles.stuck(`${topic}/${partition}`, wordsOf(error));
            throw error;
          }
          troubles.goesOn(`${topic}/${partition}`);
        },
        onError: failed,
      };
    }

    return {
      state() {
        const trouble = troubles.words();
        return {
          what: `${door.topics.join(", ")} of ${door.brokers.length === 0 ? "the cluster in use here" : door.brokers.join(",")} as group ${door.group}`,
          trouble,
          fix:
            trouble === null
              ? null
              : "It is tried again by itself. Check the brokers, the sign-in and the topics in the source's settings.",
          clients: null,
          lag,
        };
      },
      async stop(withinMs) {
        stopping.abort();
        await opening.catch(() => undefined);
        await Promise.all(readers.map(({ consumption }) => consumption.stop(withinMs)));
        await log?.close();
      },
    };
  };
}

interface Reader {
  readonly topic: string;
  readonly consumption: Consumption;
}

/** What is in the way of reading, held until it really is no more: an attempt that hasn't failed yet mends nothing. */
function createTroubles(onState: () => void) {
  let unreadable: string | null = "It is connecting for the first time.";
  /** By the partition whose batch can't be taken on. */
  const stuck = new Map<string, string>();
  const words = () => [...stuck.values()][0] ?? unreadable;

  function change(by: () => void): void {
    const before = words();
    by();
    if (words() !== before) onState();
  }
  return {
    words,
    unreadable: (why: string) => change(() => (unreadable = `It can't be read: ${why}`)),
    readable: () => change(() => (unreadable = null)),
    stuck: (place: string, why: string) => change(() => stuck.set(place, `It can't be taken on: ${why}`)),
    goesOn: (place: string) => change(() => stuck.delete(place)),
    /** Forgets partitions that another process has now. */
    keep: (places: ReadonlySet<string>) =>
      change(() => [...stuck.keys()].filter((place) => !places.has(place)).forEach((place) => stuck.delete(place))),
  };
}

/** A few letters for what would be long. */
function shortOf(words: readonly unknown[]): string {
  return createHash("sha256").update(JSON.stringify(words)).digest("base64url").slice(0, 12);
}

function kafkaOf({ name, door }: OpenSource): KafkaDoor {
  if (door.type !== "kafka") throw new Error(`${name} reads no Kafka`);
  return door;
}

function deliveryOf(topic: string, { key, value, headers, ingestTime }: StoredRecord) {
  const lower = Object.fromEntries(Object.entries(headers).map(([name, text]) => [name.toLowerCase(), text]));
  const kafka: Beside["kafka"] = { topic, key, headers: lower, timestamp: ingestTime };
  const beside: Beside = { ...NOTHING_BESIDE, kafka };
  return { body: value, arrived: ingestTime, beside };
}

function lagOf({ partitions }: TopicState): number {
  return partitions.reduce(
    (sum, { start, readableEnd, committed }) => sum + readableEnd - Math.max(start, committed ?? start),
    0,
  );
}

function wordsOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, 200);
}
