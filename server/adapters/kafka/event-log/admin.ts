import type { Admin, Kafka } from "kafkajs";
import { LogUnavailableError } from "@/server/ports/event-log";
import { logError, answeredWithin } from "../errors";

/** The time disconnecting may take before it is left to itself, in milliseconds. */
export const DISCONNECT_MS = 2000;

/**
 * A connection for questions about one topic, made when it is needed and thrown away after any failure. Topics don't share
 * one: kafkajs keeps what it knows of topics in one place, where a question about one topic drops what it knew of others.
 */
interface AdminConnection {
  /**
   * Asks something, in at most `timeoutMs` altogether.
   * @throws LogUnavailableError for an outage; other errors as they are.
   */
  ask<T>(what: string, timeoutMs: number, work: (admin: Admin) => Promise<T>): Promise<T>;
  /** The next question is asked over a new connection, which knows nothing of before. */
  forget(): void;
  close(): Promise<void>;
}

function createAdminConnection(kafka: Kafka): AdminConnection {
  let current: Promise<Admin> | null = null;

  async function open(): Promise<Admin> {
    const admin = kafka.admin();
    try {
      await admin.connect();
      return admin;
    } catch (error) {
      discard(admin);
      throw error;
    }
  }

  function drop(connection: Promise<Admin>): void {
    if (current === connection) current = null;
    connection.then(discard, () => undefined);
  }

  return {
    async ask(what, timeoutMs, work) {
      const connection = (current ??= open());
      try {
        return await answeredWithin(timeoutMs, what, connection.then(work));
      } catch (error) {
        drop(connection);
        // kafkajs reads on past what brokers left out of an answer, or past none: it is to be asked again.
        if (error instanceof TypeError)
          throw new LogUnavailableError(`kafkajs lost its way (${what})`, { cause: error });
        throw logError(error);
      }
    },
    forget() {
      if (current !== null) drop(current);
    },
    async close() {
      const connection = current;
      current = null;
      await connection?.then((admin) => disconnected(admin)).catch(() => undefined);
    },
  };
}

/** The connections for questions, by topic. */
export interface AdminConnections {
  of(topic: string): AdminConnection;
  close(): Promise<void>;
}

export function createAdminConnections(kafka: Kafka): AdminConnections {
  const byTopic = new Map<string, AdminConnection>();
  return {
    of(topic) {
      const known = byTopic.get(topic) ?? createAdminConnection(kafka);
      byTopic.set(topic, known);
      return known;
    },
    async close() {
      await Promise.all([...byTopic.values()].map((connection) => connection.close()));
    },
  };
}

/** Lets go of a client, not waiting for long: Kafka ends what is left over by itself. */
export async function disconnected(client: { disconnect(): Promise<void> }): Promise<void> {
  await answeredWithin(DISCONNECT_MS, "disconnecting", client.disconnect()).catch(() => undefined);
}

function discard(client: { disconnect(): Promise<void> }): void {
  void client.disconnect().catch(() => undefined);
}
