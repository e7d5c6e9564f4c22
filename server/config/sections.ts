import { z } from "zod";
import {
  addresses,
  flag,
  hosts,
  issuer,
  networks,
  postgresUrl,
  publicOrigin,
  roleRules,
  variable,
  whole,
} from "./variables";

/** Settings of where Fieldwatch listens and keeps its files. */
export const server = {
  PORT: variable(whole(1, 65535).default(3000), "Port of the dashboard and the REST routes.", "3000"),
  HOST: variable(z.string().min(1).default("127.0.0.1"), "Address to listen on.", "127.0.0.1"),
  FIELDWATCH_DATA_DIR: variable(
    z.string().min(1).default(".fieldwatch"),
    "Folder of the embedded PostgreSQL, its log and the simulator's outbox.",
    ".fieldwatch",
  ),
  LOG_LEVEL: variable(
    z.enum(["trace", "debug", "info", "warn", "error", "fatal"]).default("info"),
    "Least severe log lines shown.",
    "info",
  ),
  LOG_FORMAT: variable(
    z.enum(["auto", "json", "pretty"]).default("auto"),
    "json for machines, pretty for people; auto is pretty on a terminal.",
    "auto",
  ),
} as const;

/** Who may come in. */
export const access = {
  FIELDWATCH_KEY: variable(
    z.string().min(1).optional(),
    "Key by which the simulator and replay send. Not set: the one in the data folder, ingest.key, which each start sees to.",
    "fws_…",
    { secret: true },
  ),
  ADMIN_EMAIL: variable(
    z.email().toLowerCase().optional(),
    "With ADMIN_PASSWORD_FILE: the first account, made at the first start instead of by the link it prints.",
    "ada@example.org",
  ),
  ADMIN_PASSWORD_FILE: variable(
    z.string().min(1).optional(),
    "File with that account's first password, of 12 characters or more.",
    "/run/secrets/admin_password",
  ),
  FIELDWATCH_AUDIT_KEY_FILE: variable(
    z.string().min(1).optional(),
    "File with the key that seals the audit record, of 32 characters or more; further lines are keys of before. All workers need the same. Not set: audit.key in the data folder, made by the worker.",
    "/run/secrets/audit_key",
  ),
  FIELDWATCH_AUDIT_ANCHOR_FILE: variable(
    z.string().min(1).optional(),
    "File to which the worker adds each seal of the audit record; best where nobody can change it. Not set: audit-anchors.ndjson in the data folder.",
    "/var/log/fieldwatch/audit-anchors.ndjson",
  ),
  PASSWORD_SIGN_IN: variable(
    flag().default(true),
    "false: passwords are not taken, only sign-in links and the identity provider.",
    "false",
  ),
} as const;

/** Signing in at an identity provider, by OpenID Connect. */
export const provider = {
  OIDC_ISSUER: variable(
    z.string().transform(issuer).optional(),
    "The identity provider's address, exactly as it names itself. Not set: nobody signs in there.",
    "https://login.example/realms/plant",
  ),
  OIDC_CLIENT_ID: variable(z.string().min(1).optional(), "The name the provider knows Fieldwatch by.", "fieldwatch"),
  OIDC_CLIENT_SECRET: variable(
    z.string().min(1).optional(),
    "The secret it knows Fieldwatch by. Not set: a public client, by PKCE alone.",
    "secret",
    { secret: true },
  ),
  OIDC_NAME: variable(
    z.string().trim().min(1).max(60).optional(),
    "What people call it, for the button. Not set: the host of OIDC_ISSUER.",
    "Plant login",
  ),
  OIDC_SCOPE: variable(
    z.string().trim().min(1).default("openid profile"),
    "What is asked of the provider; openid is always asked.",
    "openid profile groups",
  ),
  OIDC_ROLES_CLAIM: variable(
    z.string().trim().min(1).default("groups"),
    "The claim that says somebody's groups, of the ID token or of userinfo; with dots, the way to it.",
    "realm_access.roles",
  ),
  OIDC_ROLES: variable(
    z.string().default("").transform(roleRules),
    "Which groups have which role, everywhere or at one site. Whoever is in none of them may sign in, and sees nothing.",
    "fieldwatch-admins=admin;plant-a-ops=operator:plant-a",
  ),
} as const;

/** Whom the front door lets in. */
export const frontDoor = {
  PUBLIC_URL: variable(
    z.string().transform(publicOrigin).optional(),
    "The address people open, when it is another than where Fieldwatch listens: behind a reverse proxy, a tunnel or a published port. No path.",
    "https://fieldwatch.example",
  ),
  ALLOWED_HOSTS: variable(
    z.string().default("").transform(hosts),
    "Further hosts that requests may name, with commas between; without a port, at any. Requests for other hosts are answered 421.",
    "iot.example,192.168.1.20:3000",
  ),
  TRUSTED_PROXIES: variable(
    z.string().default("").transform(networks),
    "Addresses of reverse proxies, or networks of them, whose X-Forwarded-For, -Proto and -Host are believed. From all others they are removed.",
    "127.0.0.1,10.0.0.0/8",
  ),
  TLS_CERT_FILE: variable(
    z.string().min(1).optional(),
    "With TLS_KEY_FILE: PEM file of the certificate, the authorities between behind it. Then it speaks HTTPS alone, and reads both files again when they change.",
    "/etc/fieldwatch/tls.crt",
  ),
  TLS_KEY_FILE: variable(
    z.string().min(1).optional(),
    "PEM file of that certificate's private key.",
    "/etc/fieldwatch/tls.key",
  ),
  ALLOW_PLAIN_HTTP: variable(
    flag().default(false),
    "true: listens beyond this machine without encryption, where anyone on the way can read passwords and keys. Health warns of it for as long as it is set.",
    "true",
  ),
  MAX_CONNECTIONS: variable(whole(10, 1_000_000).default(10_000), "Most connections open at once.", "10000"),
  MAX_CONNECTIONS_PER_ADDRESS: variable(
    whole(1, 1_000_000).default(1000),
    "Most connections, and most live sockets, of one address; the connections of a trusted proxy are not counted.",
    "1000",
  ),
} as const;

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

/** Settings of what the pipeline takes and how long it is kept. */
export const pipeline = {
  READINGS_RETENTION_DAYS: variable(
    whole(0, 36500).default(0),
    "Days of event time that readings and rollups are kept; 0 keeps all. Older messages become dead letters (tooOld).",
    "0",
  ),
  ARCHIVE_RETENTION_DAYS: variable(whole(1, 36500).default(30), "Days whole messages are kept.", "30"),
  DEAD_LETTER_RETENTION_DAYS: variable(whole(1, 36500).default(90), "Days dead letters are kept.", "90"),
  FUTURE_TOLERANCE_SECONDS: variable(
    whole(0, 86400 * 366).default(600),
    "How far ahead of the clock here an event time may be, in seconds.",
    "600",
  ),
  MAX_DEVICES: variable(whole(1, 1_000_000).default(100_000), "Most devices that are discovered.", "100000"),
  MAX_METRICS: variable(whole(1, 100_000).default(10_000), "Most metrics that are discovered.", "10000"),
  DEVICE_STALE_SECONDS: variable(
    whole(1, 86400 * 366).default(60),
    "A device not heard from for so long is stale; after ten times as long, silent.",
    "60",
  ),
  WORKER_BATCH_MESSAGES: variable(
    whole(1, 50_000).default(5000),
    "Most messages the worker handles in one transaction.",
    "5000",
  ),
  WORKER_BATCH_BYTES: variable(
    whole(65536, 64 * 1024 * 1024).default(4 * 1024 * 1024),
    "Most bytes of messages in one transaction.",
    "4194304",
  ),
} as const;

/** The telemetry route's bounds. */
export const ingest = {
  INGEST_MAX_BODY_BYTES: variable(
    whole(1024, 256 * 1024 * 1024).default(8 * 1024 * 1024),
    "Largest request body, unpacked, in bytes.",
    "8388608",
  ),
  INGEST_MAX_MESSAGES: variable(whole(1, 100_000).default(10_000), "Most messages in one request.", "10000"),
  INGEST_MAX_WAITING_BYTES: variable(
    whole(65536, 1024 * 1024 * 1024).default(64 * 1024 * 1024),
    "Bytes that may wait for the event log before further requests are answered 429.",
    "67108864",
  ),
  KEY_MESSAGES_PER_SECOND: variable(
    whole(0, 10_000_000).default(10_000),
    "Messages a second that one key, or person, may send on average, within one web process; a minute's worth may come at once. 0 for no limit.",
    "10000",
  ),
  KEY_BYTES_PER_SECOND: variable(
    whole(0, 10 * 1024 ** 3).default(16 * 1024 * 1024),
    "Bytes of messages a second that one key may send on average, in the same way. 0 for no limit.",
    "16777216",
  ),
  KEY_NEW_DEVICES_PER_HOUR: variable(
    whole(0, 1_000_000).default(20_000),
    "Devices that are in no catalog yet which one key may name within an hour.",
    "20000",
  ),
  KEY_NEW_METRICS_PER_HOUR: variable(
    whole(0, 100_000).default(1000),
    "Metrics that are in no catalog yet which one key may name within an hour.",
    "1000",
  ),
} as const;

/** The simulated fleet. */
export const simulator = {
  DEMO_DEVICES: variable(
    whole(0, 100_000).optional(),
    "Simulated devices; 0 for none. Not set: 50 while every engine is embedded, none with a real one.",
    "50",
  ),
  SIMULATOR_SEED: variable(
    whole(0, 2 ** 32 - 1).default(1),
    "Seed: the same seed gives the same fleet and the same faults.",
    "1",
  ),
  SIMULATOR_INTERVAL_MS: variable(
    whole(10, 3_600_000).default(2000),
    "Time between two messages of a device, in milliseconds.",
    "2000",
  ),
  SIMULATOR_FAULTS_PER_HOUR: variable(whole(0, 3600).default(2), "Faults an average device has in an hour.", "2"),
  SIMULATOR_URL: variable(
    z.url({ protocol: /^https?$/ }).optional(),
    "Where the simulator sends. Not set: this server.",
    "http://127.0.0.1:3000",
  ),
  OUTBOX_MAX_BYTES: variable(
    whole(65536, 1024 ** 4).default(512 * 1024 * 1024),
    "Most bytes of undelivered messages the simulator keeps on disk; past that the oldest are dropped, and counted.",
    "536870912",
  ),
} as const;
