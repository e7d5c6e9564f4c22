import { readFile } from "node:fs/promises";
import { InspectionError } from "@/server/ports/inspection";
import type { KafkaSettings } from "./client";
import { type KafkaConnection, openConnection, type OpenSocket } from "./inspection-connection";
import { askVersions } from "./inspection-positions";
import { signIn, userOf } from "./inspection-sign-in";

/** A broker to ask, and the highest version of each request it answers. */
interface Broker {
  readonly connection: KafkaConnection;
  readonly versions: ReadonlyMap<number, number>;
}

/** The brokers, asked one question at a time each, over connections that are kept until one fails. */
export interface Brokers {
  /** Asks the broker at host:port. @throws InspectionError; RangeError for an answer that isn't Kafka's */
  at<T>(address: string, work: (broker: Broker) => Promise<T>): Promise<T>;
  /** Asks the first broker of the settings that can be asked. @throws the first one's error when none can */
  anywhere<T>(work: (broker: Broker) => Promise<T>): Promise<T>;
  close(): void;
}

export function createBrokers(settings: KafkaSettings, open?: OpenSocket): Brokers {
  const known = new Map<string, Promise<Broker>>();
  /** The last question to each broker. */
  const asked = new Map<string, Promise<unknown>>();
  let closed = false;

  async function connect(address: string): Promise<Broker> {
    const ca = settings.KAFKA_SSL_CA_FILE && (await readFile(settings.KAFKA_SSL_CA_FILE, "utf8"));
    const connection = await openConnection(address, settings.KAFKA_SSL ? { ca } : null, open);
    try {
      const versions = await askVersions(connection);
      const user = userOf(settings);
      if (user !== null) await signIn(connection, user);
      if (closed) throw new InspectionError("other", address, "closed");
      return { connection, versions };
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  function drop(address: string, broker: Promise<Broker>): void {
    if (known.get(address) === broker) known.delete(address);
    broker.then(
      ({ connection }) => connection.close(),
      () => undefined,
    );
  }

  async function attempt<T>(address: string, work: (broker: Broker) => Promise<T>): Promise<T> {
    const kept = known.get(address);
    const broker = kept ?? connect(address);
    known.set(address, broker);
    try {
      return await work(await broker);
    } catch (error) {
      drop(address, broker);
      // A broker hangs up on clients that have been silent for long.
      const stale = kept !== undefined && error instanceof InspectionError && error.kind === "hungUp";
      if (!stale || closed) throw error;
      return attempt(address, work);
    }
  }

  function at<T>(address: string, work: (broker: Broker) => Promise<T>): Promise<T> {
    const before = asked.get(address) ?? Promise.resolve();
    const answer = before.then(() => attempt(address, work));
    asked.set(
      address,
      answer.catch(() => undefined),
    );
    return answer;
  }

  return {
    at,
    async anywhere(work) {
      const failures: unknown[] = [];
      for (const address of settings.KAFKA_BROKERS ?? []) {
        try {
          return await at(address, work);
        } catch (error) {
          failures.push(error);
        }
      }
      throw failures[0] ?? new InspectionError("missing", "", "KAFKA_BROKERS is not set");
    },
    close() {
      closed = true;
      for (const [address, broker] of known) drop(address, broker);
    },
  };
}
