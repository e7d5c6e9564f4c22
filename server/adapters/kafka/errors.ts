import { within } from "@/server/async/timeout";
import { KafkaJSError, KafkaJSNonRetriableError, KafkaJSProtocolError } from "./kafkajs";
import { LogUnavailableError } from "@/server/ports/event-log";

/** Kafka's answers to a request that will never be right; everything else it refuses may work later. */
const PERMANENT = new Set([
  "MESSAGE_TOO_LARGE",
  "RECORD_LIST_TOO_LARGE",
  "INVALID_TOPIC_EXCEPTION",
  "INVALID_PARTITIONS",
  "INVALID_REPLICATION_FACTOR",
  "INVALID_REPLICA_ASSIGNMENT",
  "INVALID_CONFIG",
  "INVALID_REQUEST",
  "INVALID_REQUIRED_ACKS",
  "INVALID_GROUP_ID",
  "INVALID_SESSION_TIMEOUT",
  "INVALID_TIMESTAMP",
  "INCONSISTENT_GROUP_PROTOCOL",
  "OFFSET_METADATA_TOO_LARGE",
  "POLICY_VIOLATION",
  "UNSUPPORTED_VERSION",
  "UNSUPPORTED_FOR_MESSAGE_FORMAT",
]);
/** kafkajs's own errors that come from a mistake in the program, not from Kafka being away. */
const MISTAKES = new Set([
  "KafkaJSNonRetriableError",
  "KafkaJSNotImplemented",
  "KafkaJSServerDoesNotSupportApiKey",
  "KafkaJSInvariantViolation",
  "KafkaJSUnsupportedMagicByteInMessageSet",
  "KafkaJSPartialMessageError",
]);

/** The error under kafkajs's wrappers: what happened, not that it was tried several times. */
function rootOf(error: unknown): unknown {
  let root = error;
  while (root instanceof KafkaJSNonRetriableError && root.cause instanceof Error) root = root.cause;
  return root;
}

/** Kafka's name of the error, such as UNKNOWN_TOPIC_OR_PARTITION; undefined when it isn't an answer of Kafka. */
export function kafkaType(error: unknown): string | undefined {
  const root = rootOf(error);
  return root instanceof KafkaJSProtocolError ? root.type : undefined;
}

/**
 * True if an error that came out of kafkajs means that Kafka can't be reached or refuses for now. Some of those are plain
 * errors ("Broker not connected") or Node's, so everything counts but what Kafka or JavaScript calls a mistake.
 */
export function isUnavailable(error: unknown): boolean {
  const root = rootOf(error);
  if (root instanceof LogUnavailableError) return true;
  if (root instanceof KafkaJSProtocolError) return !PERMANENT.has(root.type);
  if (root instanceof KafkaJSError) return !MISTAKES.has(root.name);
  return root instanceof Error && !(root instanceof TypeError || root instanceof RangeError);
}

/** The error a port promises: LogUnavailableError for an outage, everything else as it is. */
export function logError(error: unknown): unknown {
  if (error instanceof LogUnavailableError || !isUnavailable(error)) return error;
  return new LogUnavailableError(`Kafka can't be reached or refuses: ${inWords(rootOf(error) as Error)}`, {
    cause: error,
  });
}

/** Node leaves the message of a refused connection empty when a name has several addresses. */
function inWords({ message, ...details }: Error & { code?: unknown; broker?: unknown }): string {
  const parts = [details.code, details.broker].filter((part) => typeof part === "string" && !message.includes(part));
  return [message, ...parts].join(" ");
}

/** Waits for `work`, but not longer than `ms`. @throws LogUnavailableError when the time is over. */
export async function answeredWithin<T>(ms: number, what: string, work: Promise<T>): Promise<T> {
  return within(ms, work, () => new LogUnavailableError(`Kafka did not answer within ${ms} ms (${what})`));
}
