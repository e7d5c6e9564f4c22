import kafkajs, { type Kafka as KafkaType, type logLevel as LogLevelType } from "kafkajs";

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

// The same names as types.
export type Kafka = KafkaType;
export type logLevel = LogLevelType;
