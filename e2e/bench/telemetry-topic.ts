import type pg from "pg";
import pino from "pino";
import { createKafkaEventLog } from "@/server/adapters/kafka/event-log";
import { topicSettings } from "@/server/compose";
import { loadConfig } from "@/server/config/config";
import { TOPICS } from "@/server/domain/terms";
import type { EventLog, LogRecord, RecordHeaders } from "@/server/ports/event-log";
import type { RunningEngines } from "../engines/engines";
import { cleanEnv } from "../product";
import { messageLine } from "./messages";

/** Messages per append while filling. */
const CHUNK = 2000;

/** Which part of the endless stream of messages, and of how many devices. */
interface Part {
  readonly from?: number;
  /** Time of the stream's first message; left out: such that its last is of now. */
  readonly began?: number;
  readonly devices?: number;
  /** Makes headers of the i-th message. */
  readonly headersOf?: (i: number) => RecordHeaders;
}

/** Opens the event log of running engines, with its topics. */
export async function openTopics(engines: RunningEngines): Promise<EventLog> {
  const config = loadConfig({ ...cleanEnv(), ...engines.env }, "");
  const log = createKafkaEventLog({ settings: config.engines, role: "bench", logger: pino({ level: "silent" }) });
  await log.ensureTopics(topicSettings(config));
  return log;
}

/** Puts the messages into the topic as fast as Kafka takes them; no worker runs meanwhile. */
export async function fill(
  log: EventLog,
  messages: number,
  { from = 0, devices, began, headersOf }: Part = {},
): Promise<void> {
  const base = (began ?? Date.now() - (from + messages) * 10) + from * 10;
  for (let at = 0; at < messages; at += CHUNK) {
    const records = Array.from({ length: Math.min(CHUNK, messages - at) }, (_, i) => {
      const record = recordOf(from + at + i, base + (at + i) * 10, devices);
      return headersOf ? { ...record, headers: headersOf(from + at + i) } : record;
    });
    await log.append(TOPICS.telemetry, records);
  }
}

/** The `i`-th message as a record. */
export function recordOf(i: number, time: number, devices?: number): LogRecord {
  const { device, line } = messageLine(i, time, devices);
  return { key: device, value: Buffer.from(line) };
}

/** What the worker has committed so far. */
export async function handled(pool: pg.Pool): Promise<{ messages: number; readings: number }> {
  const { rows } = await pool.query<{ messages: number; readings: number }>(
    "SELECT coalesce(sum(messages), 0)::float8 AS messages, coalesce(sum(readings), 0)::float8 AS readings FROM pipeline_position",
  );
  return rows[0]!;
}
