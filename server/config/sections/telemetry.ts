import { z } from "zod";
import { variable, whole } from "../variables";

/** Settings of what the pipeline takes and how long it is kept. */
export const pipeline = {
  READINGS_RETENTION_DAYS: variable(
    whole(0, 36500).default(0),
    "Days of event time that readings and rollups are kept, where nobody has set it on the page Retention; 0 keeps all. Older messages become dead letters (tooOld).",
    "0",
  ),
  ARCHIVE_RETENTION_DAYS: variable(whole(1, 36500).default(30), "Days whole messages are kept.", "30"),
  DEAD_LETTER_RETENTION_DAYS: variable(
    whole(1, 36500).default(90),
    "Days dead letters are kept; in PostgreSQL whole months go at once, so up to a month longer.",
    "90",
  ),
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

/** Settings of the doors of sources that are no routes: MQTT, and brokers and logs of others. */
export const intake = {
  MQTT_PORT: variable(
    whole(1, 65535).optional(),
    "Port of the MQTT listener, at the address of HOST; with TLS_CERT_FILE it speaks MQTT over TLS. Not set: 1883 (8883 over TLS), as soon as there is a source that comes by MQTT.",
    "1883",
  ),
  MQTT_CLIENTS_PER_SOURCE: variable(
    whole(1, 1_000_000).default(2000),
    "Most clients that one source may have connected at the MQTT listener.",
    "2000",
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
