import type { Engine } from "./engine";
import { prepareJava } from "./java";
import { type KafkaOptions, type KafkaServer, startKafka } from "./kafka";
import { type MongoOptions, type MongoServer, startMongo } from "./mongodb";
import { type PostgresOptions, type PostgresServer, startPostgres } from "./postgres";

/** The engines to start; true for one as it comes. */
export interface WhichEngines {
  readonly kafka?: KafkaOptions | boolean | undefined;
  readonly mongodb?: MongoOptions | boolean | undefined;
  readonly postgres?: PostgresOptions | boolean | undefined;
}

export interface RunningEngines {
  /** The variables that make Fieldwatch use what was started. */
  readonly env: Readonly<Record<string, string>>;
  readonly kafka?: KafkaServer;
  readonly mongodb?: MongoServer;
  readonly postgres?: PostgresServer;
  /** Stops all and removes what was temporary. */
  stop(): Promise<void>;
}

/** Starts the engines side by side; when one fails, the others are stopped. @throws EnginesMissing, StartError */
export async function startEngines(which: WhichEngines): Promise<RunningEngines> {
  // Before anything is started: what is missing is said at once, and fetched once.
  const killable = which.mongodb && optionsOf(which.mongodb)?.killable;
  const onJava = which.kafka || (!killable && which.mongodb);
  if (onJava) await prepareJava(optionsOf(onJava)?.say);
  const [kafka, mongodb, postgres] = await allOrNone([
    which.kafka ? startKafka(optionsOf(which.kafka)) : undefined,
    which.mongodb ? startMongo(optionsOf(which.mongodb)) : undefined,
    which.postgres ? startPostgres(optionsOf(which.postgres)) : undefined,
  ]);
  return {
    env: {
      ...(kafka && { KAFKA_BROKERS: kafka.brokers }),
      ...(mongodb && { MONGODB_URI: mongodb.uri }),
      ...(postgres && { DATABASE_URL: postgres.url }),
    },
    ...(kafka && { kafka }),
    ...(mongodb && { mongodb }),
    ...(postgres && { postgres }),
    async stop() {
      await Promise.all([kafka, mongodb, postgres].map((engine) => engine?.remove()));
    },
  };
}

function optionsOf<T extends object>(wanted: T | true): T | undefined {
  return wanted === true ? undefined : wanted;
}

async function allOrNone<T extends readonly (Engine | undefined)[]>(starts: {
  [K in keyof T]: Promise<T[K]> | T[K];
}): Promise<T> {
  const results = await Promise.allSettled(starts as readonly unknown[]);
  const failed = results.find((result) => result.status === "rejected");
  const values = results.map((result) => (result.status === "fulfilled" ? result.value : undefined)) as unknown as T;
  if (!failed) return values;
  await Promise.all(values.map((engine) => engine?.remove()));
  throw failed.reason;
}
