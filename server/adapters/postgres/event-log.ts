import type { ConnectionString } from "@/server/postgres/client";
import { hostname } from "node:os";
import type { Pool } from "pg";
import type { Logger } from "pino";
import { type Consumption, type EventLog, LogUnavailableError } from "@/server/ports/event-log";
import { withLogErrors } from "./errors";
import { createPostgresAppender } from "./event-log/append";
import { startConsumption } from "./event-log/consume";
import { describeTopic, ensureTopics } from "./event-log/topics";

export { countInLog, eraseFromLog } from "./event-log/erase";
export { createPostgresLogRetention } from "./event-log/retention";

/** The time close() waits for batches that nobody stopped, in milliseconds. */
const CLOSE_MS = 5000;

/** The connections and settings of the event log on PostgreSQL. */
export interface PostgresEventLogDeps {
  /** For appending, reading and committing; stays open when the log is closed. */
  readonly pool: Pool;
  /** For one more connection per consumption, which holds its locks and hears notifications. */
  readonly connectionString: ConnectionString;
  /** Shown to people as the owner of partitions, with this machine and process. */
  readonly role: string;
  readonly logger: Logger;
}

/**
 * The event log in tables of PostgreSQL. A record is durable when its transaction is committed; partitions are owned
 * through session advisory locks, so the connections must not go through a pooler that shares sessions.
 */
export function createPostgresEventLog({ pool, connectionString, role, logger }: PostgresEventLogDeps): EventLog {
  const applicationName = `fieldwatch ${role} ${hostname()}:${process.pid}`;
  const appender = createPostgresAppender(pool);
  const consumptions = new Set<Consumption>();
  let closed = false;

  function assertOpen(): void {
    if (closed) throw new LogUnavailableError("the event log is closed");
  }

  return {
    async ensureTopics(topics) {
      assertOpen();
      const differences = await withLogErrors(() => ensureTopics(pool, topics));
      for (const difference of differences)
        logger.warn(difference, "a topic exists with another setting; it is left as it is");
      return differences;
    },

    async append(topic, records, before) {
      assertOpen();
      await appender.append(topic, records, before);
    },

    async consume(subscription) {
      assertOpen();
      const consumption = await startConsumption({ pool, connectionString, applicationName }, subscription);
      const known: Consumption = {
        assigned: () => consumption.assigned(),
        async stop(timeoutMs) {
          await consumption.stop(timeoutMs);
          consumptions.delete(known);
        },
      };
      consumptions.add(known);
      return known;
    },

    async describe(topic, group) {
      assertOpen();
      return await withLogErrors(() => describeTopic(pool, topic, group));
    },

    async close() {
      closed = true;
      await Promise.all([...consumptions].map((consumption) => consumption.stop(CLOSE_MS)));
      await appender.idle();
    },
  };
}
