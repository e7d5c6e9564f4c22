import kafkajs, { type Batch, type Kafka as KafkaType, type logLevel as LogLevelType } from "kafkajs";

// kafkajs is CommonJS and Node can't see the names it exports: it gives them only on the default export.
export const {
  AssignerProtocol,
  CompressionCodecs,
  CompressionTypes,
  ConfigResourceTypes,
  Kafka,
  KafkaJSAggregateError,
  KafkaJSError,
  KafkaJSNonRetriableError,
  KafkaJSProtocolError,
  logLevel,
  Partitioners,
} = kafkajs;

/** The offset that was asked for when a batch came; kafkajs knows and doesn't declare it. What is held may begin later. */
export function askedOffsetOf(batch: Batch): number {
  return Number((batch as { fetchedOffset?: string }).fetchedOffset ?? batch.firstOffset() ?? NaN);
}

// The same names as types.
export type Kafka = KafkaType;
export type logLevel = LogLevelType;
