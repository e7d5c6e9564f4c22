import { readFileSync } from "node:fs";
import type { KafkaConfig, SASLOptions } from "kafkajs";
import { Kafka, logLevel } from "./kafkajs";
// Gives kafkajs the codecs, and record sets in which one batch can't spoil the others.
import "./records/record-set";
import type { Config } from "@/server/config/config";
import type { Logger } from "@/server/observability/logger";

/** The settings by which Kafka is reached: the KAFKA_* variables. */
export type KafkaSettings = Pick<
  Config["engines"],
  | "KAFKA_BROKERS"
  | "KAFKA_SSL"
  | "KAFKA_SSL_CA_FILE"
  | "KAFKA_SASL_MECHANISM"
  | "KAFKA_SASL_USERNAME"
  | "KAFKA_SASL_PASSWORD"
> & {
  /** The password as of now; left out: it stays KAFKA_SASL_PASSWORD. */
  readonly currentPassword?: () => string | undefined;
};

const CONNECT_MS = 3000;
const REQUEST_MS = 10_000;
/** About three seconds of waiting in all: callers that bridge longer outages retry above the client. */
const RETRY = { initialRetryTime: 100, multiplier: 2, factor: 0.2, maxRetryTime: 1000, retries: 5 } as const;

/**
 * A client of Kafka named `fieldwatch-<role>`; it connects when something is asked of it. kafkajs logs each attempt of
 * everything it repeats, so its lines are one level finer here: what matters is thrown, and logged by who handles it.
 * @param over for tests and for consumers, which watch their sockets.
 * @throws Error when the file of the certificate authority can't be read.
 */
export function createKafkaClient(
  settings: KafkaSettings,
  role: string,
  logger: Logger,
  over: Partial<KafkaConfig> = {},
): Kafka {
  const { KAFKA_BROKERS, KAFKA_SSL, KAFKA_SSL_CA_FILE } = settings;
  if (KAFKA_BROKERS === undefined) throw new Error("KAFKA_BROKERS is not set");
  const sasl = saslOptions(settings);
  return new Kafka({
    clientId: `fieldwatch-${role}`,
    brokers: KAFKA_BROKERS,
    ssl: KAFKA_SSL ? { ...(KAFKA_SSL_CA_FILE && { ca: [readFileSync(KAFKA_SSL_CA_FILE, "utf8")] }) } : false,
    ...(sasl && { sasl }),
    connectionTimeout: CONNECT_MS,
    authenticationTimeout: CONNECT_MS,
    requestTimeout: REQUEST_MS,
    retry: RETRY,
    logLevel: logger.isLevelEnabled("debug") ? logLevel.DEBUG : logLevel.WARN,
    logCreator: () => (entry) => {
      const { message, timestamp: _timestamp, logger: _logger, ...details } = entry.log;
      logger[levelOf(entry.level)]({ kafkajs: entry.namespace, ...details }, message);
    },
    ...over,
  });
}

function levelOf(level: logLevel): "debug" | "trace" {
  return level === logLevel.ERROR || level === logLevel.WARN ? "debug" : "trace";
}

function saslOptions(settings: KafkaSettings): SASLOptions | undefined {
  const { KAFKA_SASL_MECHANISM: mechanism, KAFKA_SASL_USERNAME: username, KAFKA_SASL_PASSWORD: password } = settings;
  if (mechanism === undefined) return undefined;
  return {
    mechanism,
    username: username ?? "",
    // kafkajs reads it for each sign-in: one that was changed meanwhile is taken up.
    get password() {
      return settings.currentPassword?.() ?? password ?? "";
    },
  } as SASLOptions;
}
