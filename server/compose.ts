import type { Pool } from "pg";
import { createPostgresDeadLetters } from "./adapters/postgres/dead-letters";
import { createPostgresDeviceTwins } from "./adapters/postgres/device-twins";
import { createPostgresEventLog, createPostgresLogRetention } from "./adapters/postgres/event-log";
import { createPostgresMessageArchive } from "./adapters/postgres/message-archive";
import type { Config } from "./config/config";
import { connectDatabase } from "./database/connection";
import type { Logger } from "./observability/logger";
import type { DeadLetters } from "./ports/dead-letters";
import type { DeviceTwins } from "./ports/device-twins";
import type { EventLog, TopicSettings } from "./ports/event-log";
import type { KafkaInspection, MongoInspection } from "./ports/inspection";
import type { MessageArchive } from "./ports/message-archive";
import { TOPICS } from "./domain/terms";

/** Everything a role works on. The only place that decides which adapter stands behind a port. */
export interface Engines {
  readonly eventLog: EventLog;
  readonly archive: MessageArchive;
  readonly twins: DeviceTwins;
  readonly deadLetters: DeadLetters;
  /** PostgreSQL, for readings, rollups, positions and the catalog. */
  readonly pool: Pool;
  /** Which engine carries what, in words for people. */
  readonly names: { readonly eventLog: string; readonly documents: string; readonly database: string };
  /** What health asks of engines outside of PostgreSQL; null where PostgreSQL carries the port. */
  readonly inspection: { readonly kafka: KafkaInspection | null; readonly mongodb: MongoInspection | null };
  /** Makes what the document store needs beyond PostgreSQL's migrations: indexes. Safe to repeat and to run twice at once. */
  prepareDocuments(): Promise<void>;
  /** Removes what the event log on PostgreSQL has kept for its time (a retention job); Kafka does so itself. */
  removeExpiredRecords(): Promise<number>;
  close(): Promise<void>;
}

/** Opens the engines the configuration asks for. Connects lazily: an engine that is down shows at its first use. */
export function composeEngines(config: Config, role: string, logger: Logger): Engines {
  const { pool, connectionString } = connectDatabase(config, role, logger);
  const database = config.engines.DATABASE_URL === undefined ? "PostgreSQL (embedded)" : "PostgreSQL";
  const eventLog = createPostgresEventLog({ pool, connectionString, role, logger });
  return {
    eventLog,
    archive: createPostgresMessageArchive(pool),
    twins: createPostgresDeviceTwins(pool),
    deadLetters: createPostgresDeadLetters(pool),
    pool,
    names: { eventLog: database, documents: database, database },
    inspection: { kafka: null, mongodb: null },
    prepareDocuments: async () => {},
    removeExpiredRecords: createPostgresLogRetention(pool),
    async close() {
      await eventLog.close();
      await pool.end();
    },
  };
}

/** The topics Fieldwatch needs, with their settings. */
export function topicSettings(config: Config): readonly TopicSettings[] {
  const hour = 3_600_000;
  const retentionMs = config.eventLog.LOG_RETENTION_HOURS * hour;
  const { KAFKA_REPLICATION: replication } = config.engines;
  const copies = replication === undefined ? {} : { replication };
  return [
    {
      topic: TOPICS.telemetry,
      partitions: config.eventLog.TELEMETRY_PARTITIONS,
      retentionMs,
      durable: true,
      ...copies,
    },
    { topic: TOPICS.alerts, partitions: 1, retentionMs, durable: true, ...copies },
    { topic: TOPICS.live, partitions: 1, retentionMs: hour / 4, durable: false, ...copies },
  ];
}
