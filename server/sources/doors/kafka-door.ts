import { type Beside, NOTHING_BESIDE } from "@/server/domain/mapping/delivery";
import {
  type Consumption,
  type EventLog,
  type LogBatch,
  LogUnavailableError,
  type StoredRecord,
} from "@/server/ports/event-log";
import { createBackoff, pause } from "@/server/async/backoff";
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

/**
 * Reads topics of somebody's Kafka in a consumer group of the source's own. Records go to the event log by their device, whatever their key was, and
 * a position is committed once it has them: what comes again after a crash are the same readings.
 */
export function kafkaDoors({ openLog, deliver, onTrouble, onState }: KafkaDoorDeps): OpenDoor {
  return (source, current) => {
    const { doorSecret } = source;
    const door = kafkaOf(source);
    const stopping = new AbortController();
    const consumptions: Consumption[] = [];
    // An outage of the cluster is over when it answers again, all else when a batch was taken.
    const troubles: Record<"cluster" | "batches", string | null> = {
      cluster: "It is connecting for the first time.",
      batches: null,
    };
    let lag: number | null = null;
    let log: Awaited<ReturnType<typeof openLog>> | null = null;

    function become(of: keyof typeof troubles, now: string | null): void {
      if (now === troubles[of]) return;
      troubles[of] = now;
      onState();
    }
    function failed(error: unknown): void {
      onTrouble(current(), error);
      become(error instanceof LogUnavailableError ? "cluster" : "batches", told(error));
    }
    async function look(): Promise<void> {
      try {
        lag = await lagOf(log!, door);
        become("cluster", null);
      } catch (error) {
        lag = null;
        become("cluster", told(error));
      }
    }

    const opening = (async () => {
      const backoff = createBackoff({ firstMs: 500, maxMs: 30_000 });
      log = await openLog(door, doorSecret);
      for (const topic of door.topics) {
        while (!stopping.signal.aborted) {
          try {
            // It is under way whether the cluster answers or not.
            consumptions.push(await log.consume(subscriptionOf(topic)));
            break;
          } catch (error) {
            failed(error);
            await pause(backoff.next(), stopping.signal);
          }
        }
      }
      while (!stopping.signal.aborted) {
        await look();
        await pause(LAG_EVERY_MS, stopping.signal);
      }
    })();
    opening.catch(failed);

    function subscriptionOf(topic: string): Parameters<EventLog["consume"]>[0] {
      return {
        ...{ topic, group: door.group, maxRecords: MOST_RECORDS, maxBytes: MOST_BYTES, concurrency: 2 },
        // Null begins where the group's position is, or at the start.
        startAt: async (partition, { end }) =>
          door.from === "latest" && (await committedOf(topic, partition)) === null ? end : null,
        async onBatch(batch) {
          const deliveries = batch.records.map((record) => deliveryOf(batch, record));
          try {
            if (deliveries.length > 0) await deliver(current(), deliveries);
          } catch (error) {
            // Of our own log, whether or not that one is Kafka as well.
            become("batches", told(error));
            throw error;
          }
          become("batches", null);
        },
        onError: failed,
      };
    }

    async function committedOf(topic: string, partition: number): Promise<number | null> {
      const { partitions } = await log!.describe(topic, door.group);
      return partitions.find((one) => one.partition === partition)?.committed ?? null;
    }

    return {
      state: () => ({
        what: `${door.topics.join(", ")} of ${door.brokers.length === 0 ? "the cluster in use here" : door.brokers.join(",")} as group ${door.group}`,
        trouble: troubles.cluster ?? troubles.batches,
        fix:
          (troubles.cluster ?? troubles.batches) === null
            ? null
            : "It is tried again by itself. Check the brokers, the sign-in and the topics in the source's settings.",
        clients: null,
        lag,
      }),
      async stop(withinMs) {
        stopping.abort();
        await opening.catch(() => undefined);
        await Promise.all(consumptions.map((consumption) => consumption.stop(withinMs)));
        await log?.close();
      },
    };
  };
}

function kafkaOf({ name, door }: OpenSource): KafkaDoor {
  if (door.type !== "kafka") throw new Error(`${name} reads no Kafka`);
  return door;
}

function deliveryOf({ topic }: LogBatch, { key, value, headers, ingestTime }: StoredRecord) {
  const lower = Object.fromEntries(Object.entries(headers).map(([name, text]) => [name.toLowerCase(), text]));
  const kafka: Beside["kafka"] = { topic, key, headers: lower, timestamp: ingestTime };
  const beside: Beside = { ...NOTHING_BESIDE, kafka };
  return { body: value, arrived: ingestTime, beside };
}

async function lagOf(log: Pick<EventLog, "describe">, { topics, group }: KafkaDoor): Promise<number | null> {
  let sum = 0;
  for (const topic of topics)
    for (const { start, readableEnd, committed } of (await log.describe(topic, group)).partitions)
      sum += readableEnd - Math.max(start, committed ?? start);
  return sum;
}

function told(error: unknown): string {
  return `It can't be read: ${(error instanceof Error ? error.message : String(error)).slice(0, 200)}`;
}
