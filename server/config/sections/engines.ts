import { z } from "zod";
import { addresses, flag, postgresUrl, variable, whole } from "../variables";

/** Engines outside of Fieldwatch. */
export const engines = {
  DATABASE_URL: variable(
    postgresUrl().optional(),
    "PostgreSQL 15 or later. Not set: an embedded PostgreSQL in the data folder.",
    "postgresql://fieldwatch:secret@localhost:5432/fieldwatch",
    { secret: true },
  ),
  MIGRATION_DATABASE_URL: variable(
    postgresUrl().optional(),
    "The same database as its tables' owner, who migrates. Then DATABASE_URL's user needs no right to make or drop anything; it is given what it needs, and made where it may be. Not set: DATABASE_URL's user does both.",
    "postgresql://owner:secret@localhost:5432/fieldwatch",
    { secret: true },
  ),
  DATABASE_POOL_SIZE: variable(whole(3, 200).default(8), "Most connections one process opens to PostgreSQL.", "8"),
  DISK_FREE_MIN_BYTES: variable(
    whole(0, 1024 ** 5).optional(),
    "Bytes that must stay free on the disk of the embedded PostgreSQL: with less, messages are answered 507 and the worker waits. Not set: 2 % of the disk, at most 512 MiB.",
    "536870912",
  ),
  KAFKA_BROKERS: variable(
    z.string().transform(addresses).optional(),
    "Apache Kafka: one or more host:port, with commas between. Not set: the event log is kept in PostgreSQL.",
    "localhost:9092",
  ),
  KAFKA_SSL: variable(flag().default(false), "true: connections to Kafka use TLS.", "true"),
  KAFKA_SSL_CA_FILE: variable(
    z.string().min(1).optional(),
    "PEM file of the authority that signed Kafka's certificate. Not set: the public ones.",
    "/etc/fieldwatch/kafka-ca.pem",
  ),
  KAFKA_SASL_MECHANISM: variable(
    z.enum(["plain", "scram-sha-256", "scram-sha-512"]).optional(),
    "How to sign in to Kafka: plain, scram-sha-256 or scram-sha-512. Not set: no sign-in.",
    "scram-sha-512",
  ),
  KAFKA_SASL_USERNAME: variable(z.string().min(1).optional(), "Kafka user.", "fieldwatch"),
  KAFKA_SASL_PASSWORD: variable(z.string().min(1).optional(), "Password of the Kafka user.", "secret", {
    secret: true,
  }),
  KAFKA_REPLICATION: variable(
    whole(1, 32).optional(),
    "Copies Kafka keeps of each topic it creates. Not set: the cluster's own default.",
    "3",
  ),
  MONGODB_URI: variable(
    z
      .string()
      .refine(
        (text) => /^mongodb(\+srv)?:\/\/[^/?#\s]+/.test(text),
        "must be a mongodb:// or mongodb+srv:// URI with a host",
      )
      .optional(),
    "MongoDB for messages, twins and dead letters; the database is named by its path (fieldwatch if there is none). Not set: they are kept in PostgreSQL.",
    "mongodb://fieldwatch:secret@localhost:27017/fieldwatch?authSource=admin",
    { secret: true },
  ),
} as const;

/** The event log's topics. */
export const eventLog = {
  TELEMETRY_PARTITIONS: variable(
    whole(1, 256).default(6),
    "Partitions of iot.telemetry when it is created: the most workers that can share the work.",
    "6",
  ),
  LOG_RETENTION_HOURS: variable(
    whole(1, 24 * 3650).default(168),
    "How long iot.telemetry keeps messages, handled or not, in hours.",
    "168",
  ),
} as const;
