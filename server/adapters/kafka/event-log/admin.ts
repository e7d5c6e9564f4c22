import type { Admin, Kafka } from "kafkajs";
import { logError, within } from "../errors";

/** How long disconnecting may take before it is left to itself. */
export const DISCONNECT_MS = 2000;

/** A connection for questions, made when it is needed and thrown away after any failure. */
export interface AdminConnection {
  /**
   * Asks something, in at most `timeoutMs` altogether.
   * @throws LogUnavailableError for an outage; other errors as they are.
   */
  ask<T>(what: string, timeoutMs: number, work: (admin: Admin) => Promise<T>): Promise<T>;
  /** The next question is asked over a new connection, which knows nothing of before. */
  forget(): void;
  close(): Promise<void>;
}

export function createAdminConnection(kafka: Kafka): AdminConnection {
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
        return await within(timeoutMs, what, connection.then(work));
      } catch (error) {
        drop(connection);
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

/** Lets go of a client, not waiting for long: Kafka ends what is left over by itself. */
export async function disconnected(client: { disconnect(): Promise<void> }): Promise<void> {
  await within(DISCONNECT_MS, "disconnecting", client.disconnect()).catch(() => undefined);
}

function discard(client: { disconnect(): Promise<void> }): void {
  void client.disconnect().catch(() => undefined);
}
