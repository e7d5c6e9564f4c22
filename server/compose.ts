import type { Pool } from "pg";
import { createPostgresDeadLetters } from "./adapters/postgres/dead-letters";
import { namesAt } from "./adapters/postgres/names-at";
import { createPostgresDeviceTwins } from "./adapters/postgres/device-twins";
import { createPostgresEventLog } from "./adapters/postgres/event-log";
import { createLogKey } from "./adapters/postgres/log-key";
import { createPostgresMessageArchive } from "./adapters/postgres/message-archive";
import { signHeaders } from "./adapters/signed-headers";
import { withinRoom } from "./adapters/within-room";
import { createFolderColdStore } from "./adapters/cold/folder";
import type { Config } from "./config/config";
import { currentSecret } from "./config/secret-files";
import { connectDatabase } from "./postgres/connection";
import { StartError } from "./postgres/start-error";
import { createRoomCheck } from "./postgres/disk-room";
import type { Logger } from "./observability/logger";
import type { ColdStore } from "./ports/cold-store";
import type { DeadLetters } from "./ports/dead-letters";
import type { DeviceTwins } from "./ports/device-twins";
import type { EventLog, TopicSettings } from "./ports/event-log";
import type { KafkaInspection, MongoInspection } from "./ports/inspection";
import type { MessageArchive } from "./ports/message-archive";
import type { SourceDoor } from "./domain/source";
import { TOPICS } from "./domain/terms";

/** Everything a role works on. The only place that decides which adapter stands behind a port. */
export interface Engines {
  readonly eventLog: EventLog;
  readonly archive: MessageArchive;
  readonly twins: DeviceTwins;
  readonly deadLetters: DeadLetters;
  /** PostgreSQL, for readings, rollups, positions and the catalog. */
  readonly pool: Pool;
  /** Where readings of long ago are, if anywhere but in PostgreSQL. */
  readonly coldStore: ColdStore | null;
  /** The engine behind each role, in words for people. */
  readonly names: { readonly eventLog: string; readonly documents: string; readonly database: string };
  /** The means by which health asks engines other than PostgreSQL; null where PostgreSQL carries the port. */
  readonly inspection: { readonly kafka: KafkaInspection | null; readonly mongodb: MongoInspection | null };
  /** Makes what the document store needs beyond PostgreSQL's migrations: indexes. Safe to repeat and to run twice at once. */
  prepareDocuments(): Promise<void>;
  /** The same engines, with all that PostgreSQL carries asked through another pool, which whoever opened it closes. */
  through(pool: Pool): Engines;
  close(): Promise<void>;
}

/** Opens the engines the configuration asks for. Connects lazily: an engine that is down shows at its first use. */
export async function composeEngines(config: Config, role: string, logger: Logger): Promise<Engines> {
  const { KAFKA_BROKERS, MONGODB_URI, DATABASE_URL } = config.engines;
  const { pool, connectionString } = connectDatabase(config, role, logger);
  const kafka = KAFKA_BROKERS === undefined ? null : await openKafka(config, role, logger);
  const mongodb = MONGODB_URI === undefined ? null : await openMongo({ config, role, logger, pool }, MONGODB_URI);
  const coldStore = await openColdStore(config);
  const database = DATABASE_URL === undefined ? "PostgreSQL (embedded)" : "PostgreSQL";
  const onPostgres = (pool: Pool) => {
    const unsigned = kafka?.eventLog ?? createPostgresEventLog({ pool, connectionString, role, logger });
    return {
      eventLog: withinRoom(signHeaders(unsigned, createLogKey(pool)), TOPICS.telemetry, roomOf(config)),
      ...(mongodb?.stores ?? {
        archive: createPostgresMessageArchive(pool),
        twins: createPostgresDeviceTwins(pool),
        deadLetters: createPostgresDeadLetters(pool),
      }),
      pool,
    };
  };
  const carried = onPostgres(pool);
  const engines: Engines = {
    ...carried,
    coldStore,
    names: {
      eventLog: kafka === null ? database : "Kafka",
      documents: mongodb === null ? database : "MongoDB",
      database,
    },
    inspection: { kafka: kafka?.inspection ?? null, mongodb: mongodb?.inspection ?? null },
    prepareDocuments: async () => mongodb?.prepare(),
    through: (other) => ({ ...engines, ...onPostgres(other) }),
    async close() {
      await Promise.all([carried.eventLog.close(), mongodb?.close()]);
      await pool.end();
    },
  };
  return engines;
}

/** The room that is needed where Fieldwatch runs PostgreSQL itself: on other disks, their engine says when there is none. */
function roomOf({ engines, dataDir }: Config): Parameters<typeof withinRoom>[2] {
  const always = async () => {};
  if (engines.DATABASE_URL !== undefined) return { toAppend: always, toHandle: always };
  const toHandle = createRoomCheck(dataDir, engines.DISK_FREE_MIN_BYTES);
  return { toAppend: engines.KAFKA_BROKERS === undefined ? toHandle : always, toHandle };
}

// Their drivers are loaded only when they are used: the embedded default starts sooner and smaller without.

async function openKafka(config: Config, role: string, logger: Logger) {
  const { createKafkaEventLog } = await import("./adapters/kafka/event-log");
  const { createKafkaInspection } = await import("./adapters/kafka/inspection");
  const { KAFKA_SASL_PASSWORD: password } = config.engines;
  const settings = {
    ...config.engines,
    currentPassword: () => currentSecret(config.secretFiles, "KAFKA_SASL_PASSWORD", password),
  };
  return {
    eventLog: createKafkaEventLog({ settings, role, logger }),
    inspection: createKafkaInspection({ settings, now: Date.now }),
  };
}

/** Connects to the Kafka of a source; to the one in use here, if the source names no brokers. @throws StartError when there is none. */
export async function openSourceKafka(
  config: Config,
  { brokers, ssl, sasl }: Extract<SourceDoor, { type: "kafka" }>,
  secret: string | null,
  logger: Logger,
): Promise<EventLog> {
  if (brokers.length === 0) {
    if (config.engines.KAFKA_BROKERS === undefined)
      throw new StartError(
        "There is no Kafka in use here",
        "The source names no brokers, and the event log is not on Kafka.",
        "Name the brokers of the source's topics on its page.",
      );
    return (await openKafka(config, "intake", logger)).eventLog;
  }
  const { createKafkaEventLog } = await import("./adapters/kafka/event-log");
  const settings = {
    KAFKA_BROKERS: [...brokers],
    KAFKA_SSL: ssl,
    KAFKA_SSL_CA_FILE: undefined,
    KAFKA_SASL_MECHANISM: sasl?.mechanism,
    KAFKA_SASL_USERNAME: sasl?.username,
    KAFKA_SASL_PASSWORD: secret ?? undefined,
  };
  return createKafkaEventLog({ settings, role: "intake", logger });
}

async function openMongo(
  { config, role, logger, pool }: { config: Config; role: string; logger: Logger; pool: Pool },
  uri: string,
) {
  const [{ connectMongo }, { prepareMongo }, { wantedIndexes }, { createMongoInspection }] = await Promise.all([
    import("./adapters/mongodb/connection"),
    import("./adapters/mongodb/prepare"),
    import("./adapters/mongodb/indexes"),
    import("./adapters/mongodb/inspection"),
  ]);
  const [{ createMongoMessageArchive }, { createMongoDeviceTwins }, { createMongoDeadLetters }] = await Promise.all([
    import("./adapters/mongodb/message-archive"),
    import("./adapters/mongodb/device-twins"),
    import("./adapters/mongodb/dead-letters"),
  ]);
  const retention = { archiveDays: config.pipeline.ARCHIVE_RETENTION_DAYS };
  const { client, db, close } = connectMongo(uri, role, logger, () => {
    return currentSecret(config.secretFiles, "MONGODB_URI", uri) ?? uri;
  });
  return {
    stores: {
      archive: createMongoMessageArchive(db),
      twins: createMongoDeviceTwins(db),
      deadLetters: createMongoDeadLetters(db, {
        devices: (sites) => namesAt(pool, "device", sites),
        sources: (sites) => namesAt(pool, "source", sites),
      }),
    },
    inspection: createMongoInspection({ client, db, indexes: wantedIndexes(retention), now: Date.now }),
    prepare: () => prepareMongo(db, retention),
    close,
  };
}

/** Opens the place of COLD_URL; null without one. */
export async function openColdStore({
  cold,
  secretFiles,
}: Pick<Config, "cold" | "secretFiles">): Promise<ColdStore | null> {
  const { COLD_URL: place } = cold;
  if (place === undefined) return null;
  if (place.kind === "folder") return createFolderColdStore(place.folder);
  const { createS3ColdStore } = await import("./adapters/cold/s3");
  const secretOf = (name: "COLD_S3_ACCESS_KEY_ID" | "COLD_S3_SECRET_ACCESS_KEY") =>
    currentSecret(secretFiles, name, cold[name]) ?? "";
  return createS3ColdStore({
    ...{ bucket: place.bucket, prefix: place.prefix, endpoint: cold.COLD_S3_ENDPOINT, region: cold.COLD_S3_REGION },
    credentials: () => ({
      accessKeyId: secretOf("COLD_S3_ACCESS_KEY_ID"),
      secretAccessKey: secretOf("COLD_S3_SECRET_ACCESS_KEY"),
    }),
  });
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
