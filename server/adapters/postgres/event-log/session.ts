import type pg from "pg";
import { LogUnavailableError } from "@/server/ports/event-log";
import { type ConnectionString, DatabaseClient, driverError } from "@/server/postgres/client";
import { GROUP_CHANNEL, groupKey, readEnds, recordsChannel, SLOT_OF_MEMBERS } from "./group-key";
import { findTopic, type Topic } from "./topics";
import { prepared } from "@/server/postgres/prepared";

/** A time longer than any statement here takes, in milliseconds; after it the connection counts as lost. */
const STATEMENT_MS = 10_000;

/** The members of a group, and which partitions each owns. */
interface GroupView {
  /** Place of this member among all, from 0, in an order all members agree on. */
  readonly rank: number;
  readonly members: number;
  /** Partitions somebody holds. */
  readonly held: ReadonlySet<number>;
}

/**
 * The connection a consumer lives by: notifications arrive on it, and its advisory locks are the membership in the
 * group and the partitions owned. One statement at a time.
 */
export interface Session {
  readonly topic: Topic;
  /** Throws what broke the connection, if it is broken. */
  check(): void;
  bounds(): Promise<ReadonlyMap<number, { readonly end: number }>>;
  group(): Promise<GroupView>;
  /** Takes those of the partitions nobody holds. */
  acquire(partitions: readonly number[]): Promise<readonly number[]>;
  release(partitions: readonly number[]): Promise<void>;
  /** Gives up membership; partitions stay held until released. */
  leave(): Promise<void>;
  close(): Promise<void>;
}

/** The means to open a session; it needs a connection of its own because locks and LISTEN belong to it. */
export interface SessionSettings {
  readonly connectionString: ConnectionString;
  readonly applicationName: string;
  readonly topic: string;
  readonly group: string | null;
  /** Called after an append, with where the partitions that it changed end now; with none of them if they are too many. */
  readonly onRecords: (ends: readonly (readonly [partition: number, end: number])[]) => void;
  readonly onGroup: () => void;
  readonly onLost: () => void;
}

/** Connects, listens and joins the group. @throws what pg throws, or LogUnavailableError for an unknown topic. */
export async function openSession(settings: SessionSettings): Promise<Session> {
  const client = new DatabaseClient({
    connectionString: settings.connectionString,
    application_name: settings.applicationName,
    connectionTimeoutMillis: 5000,
    query_timeout: STATEMENT_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: 5000,
  });
  let lost: Error | null = null;
  const lose = (error: Error) => {
    lost ??= driverError(error) as Error;
    settings.onLost();
  };
  client.on("error", lose);
  client.on("end", () => lose(new LogUnavailableError("the connection was closed")));
  try {
    await client.connect();
    return await joined(client, settings, () => {
      if (lost !== null) throw lost;
    });
  } catch (error) {
    await disconnect(client);
    throw error;
  }
}

const BOUNDS = prepared("SELECT partition, end_offset FROM log_partition WHERE topic_id = $1 ORDER BY partition");

const GROUP = prepared(
  `SELECT objid::bigint AS slot, pid, pid = pg_backend_pid() AS own FROM pg_locks
         WHERE locktype = 'advisory' AND granted AND objsubid = 2 AND classid = $1::bigint::oid
           AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
         ORDER BY pid`,
);

async function joined(client: pg.Client, settings: SessionSettings, check: () => void): Promise<Session> {
  // The server, too, must notice soon when this machine vanishes: the locks are held until it does.
  await client.query(
    `SET idle_session_timeout = 0; SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 2; SET tcp_keepalives_count = 4;
     LISTEN ${GROUP_CHANNEL}`,
  );
  const topic = await findTopic(client, settings.topic);
  const channelOfRecords = recordsChannel(topic.id);
  const key = settings.group === null ? 0 : groupKey(topic.id, settings.group);
  client.on("notification", ({ channel, payload }) => {
    if (channel === channelOfRecords) settings.onRecords(readEnds(payload ?? ""));
    if (channel === GROUP_CHANNEL && payload === String(key)) settings.onGroup();
  });
  await client.query(`LISTEN ${channelOfRecords}`);
  const tellGroup = () => client.query("SELECT pg_notify($1, $2)", [GROUP_CHANNEL, String(key)]);
  if (settings.group !== null) {
    await client.query("SELECT pg_advisory_lock_shared($1::int, $2::int)", [key, SLOT_OF_MEMBERS]);
    await tellGroup();
  }

  return {
    topic,
    check,

    async bounds() {
      const { rows } = await client.query<{ partition: number; end_offset: string }>(BOUNDS([topic.id]));
      // Another topic may have its name by now: whoever consumes it opens a session with that one.
      if (rows.length === 0) throw new LogUnavailableError(`the topic ${topic.name} was removed`);
      return new Map(rows.map((row) => [row.partition, { end: Number(row.end_offset) }]));
    },

    async group() {
      const { rows } = await client.query<{ slot: string; pid: number; own: boolean }>(GROUP([key >>> 0]));
      const members = rows.filter(({ slot }) => Number(slot) === SLOT_OF_MEMBERS);
      const held = rows.map(({ slot }) => Number(slot) - 1).filter((partition) => partition >= 0);
      return { rank: members.findIndex(({ own }) => own), members: members.length, held: new Set(held) };
    },

    async acquire(partitions) {
      const { rows } = await client.query<{ partition: number }>(
        "SELECT p AS partition FROM unnest($2::int[]) AS p WHERE pg_try_advisory_lock($1::int, p + 1)",
        [key, partitions],
      );
      return rows.map(({ partition }) => partition);
    },

    async release(partitions) {
      await client.query("SELECT pg_advisory_unlock($1::int, p + 1) FROM unnest($2::int[]) AS p", [key, partitions]);
      await tellGroup();
    },

    async leave() {
      await client.query("SELECT pg_advisory_unlock_shared($1::int, $2::int)", [key, SLOT_OF_MEMBERS]);
      await tellGroup();
    },

    async close() {
      await disconnect(client);
    },
  };
}

/** Ends the connection; one that doesn't answer any more is cut. */
async function disconnect(client: pg.Client): Promise<void> {
  const cut = setTimeout(() => client.connection.stream.destroy(), 1000);
  await client.end().catch(() => undefined);
  clearTimeout(cut);
}
