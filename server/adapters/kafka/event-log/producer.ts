import type { Kafka, Message, Producer } from "kafkajs";
import { CompressionTypes } from "../kafkajs";
import { LogUnavailableError } from "@/server/ports/event-log";
import { kafkaType, logError, answeredWithin } from "../errors";
import { disconnected } from "./admin";

/** The time one send may take with all its retries, in milliseconds. */
const SEND_MS = 8000;
/** The size, in bytes, below which compressing isn't worth the work. */
const COMPRESS_BYTES = 1024;
/** Kafka has forgotten this producer, or remembers it otherwise; it took nothing, and a new one may try at once. */
const START_ANEW = new Set(["OUT_OF_ORDER_SEQUENCE_NUMBER", "INVALID_PRODUCER_EPOCH", "UNKNOWN_PRODUCER_ID"]);

/** Messages for given partitions of a topic. */
export interface Sending {
  readonly topic: string;
  readonly byPartition: ReadonlyMap<number, readonly Message[]>;
  readonly bytes: number;
}

export interface ProducerConnection {
  /** Sends; resolves when every in-sync replica has it. @throws LogUnavailableError for an outage; others as they are. */
  send(sending: Sending): Promise<void>;
  /** The next send makes a new producer, which knows topics as they are then. */
  forget(): void;
  close(): Promise<void>;
}

/**
 * An idempotent producer that is replaced after any failure: whether the batch is in the log is unclear then, and the next
 * batch under the same sequence numbers would be taken for its repeat, and lost.
 */
export function createProducerConnection(kafka: Kafka, metadataMaxAge: number): ProducerConnection {
  let current: Promise<Producer> | null = null;

  async function open(): Promise<Producer> {
    const producer = kafka.producer({
      idempotent: true,
      allowAutoTopicCreation: false,
      metadataMaxAge,
      createPartitioner:
        () =>
        ({ message }) =>
          message.partition ?? 0,
    });
    try {
      await producer.connect();
      return producer;
    } catch (error) {
      void producer.disconnect().catch(() => undefined);
      throw error;
    }
  }

  function drop(connection: Promise<Producer>): void {
    if (current === connection) current = null;
    connection.then(
      (producer) => void producer.disconnect().catch(() => undefined),
      () => undefined,
    );
  }

  async function attempt({ topic, byPartition, bytes }: Sending): Promise<void> {
    const connection = (current ??= open());
    const messages = [...byPartition.values()].flat();
    const small = bytes / byPartition.size < COMPRESS_BYTES;
    const compression = small ? CompressionTypes.None : CompressionTypes.GZIP;
    try {
      const send = connection.then((producer) =>
        producer.send({ topic, messages, acks: -1, timeout: SEND_MS, compression }),
      );
      const taken = new Set((await answeredWithin(SEND_MS, "appending", send)).map(({ partition }) => partition));
      // kafkajs leaves out, without a word, what is for a partition it doesn't know.
      for (const partition of byPartition.keys())
        if (!taken.has(partition)) throw new LogUnavailableError(`the partitions of ${topic} have changed`);
    } catch (error) {
      // Another topic's failure has taken this producer away: kafkajs calls that a mistake of the caller.
      const takenAway = current !== connection;
      drop(connection);
      throw takenAway ? new LogUnavailableError("the connection to Kafka was lost", { cause: error }) : error;
    }
  }

  return {
    async send(sending) {
      try {
        await attempt(sending).catch((error: unknown) => {
          if (!START_ANEW.has(kafkaType(error) ?? "")) throw error;
          return attempt(sending);
        });
      } catch (error) {
        throw logError(error);
      }
    },
    forget() {
      if (current !== null) drop(current);
    },
    async close() {
      const connection = current;
      current = null;
      await connection?.then(disconnected).catch(() => undefined);
    },
  };
}
