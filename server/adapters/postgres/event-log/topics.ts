import type { Pool } from "pg";
import {
  TopicMissingError,
  type PartitionState,
  type TopicDifference,
  type TopicSettings,
  type TopicState,
} from "@/server/ports/event-log";
import { prepared } from "@/server/postgres/prepared";
import { withTransaction } from "@/server/postgres/transaction";
import { groupKey, SLOT_OF_MEMBERS } from "./group-key";

/** A topic as the database knows it. */
export interface Topic {
  readonly id: number;
  readonly name: string;
  readonly cluster: string;
  readonly partitions: number;
  readonly durable: boolean;
}

/** Anything that can run a statement: a pool or one connection. */
export type Queryable = Pick<Pool, "query">;

const FIND = prepared(
  `SELECT t.id, t.durable, (SELECT id FROM log_cluster) AS cluster,
     (SELECT count(*)::int FROM log_partition p WHERE p.topic_id = t.id) AS partitions
   FROM log_topic t WHERE t.name = $1`,
);

/** Looks a topic up. @throws TopicMissingError if it isn't there (yet). */
export async function findTopic(database: Queryable, name: string): Promise<Topic> {
  const { rows } = await database.query<{ id: number; durable: boolean; cluster: string; partitions: number }>(
    FIND([name]),
  );
  const row = rows[0];
  if (row === undefined) throw new TopicMissingError(name);
  return { ...row, name };
}

/** Creates missing topics and tells what existing ones have otherwise. */
export async function ensureTopics(pool: Pool, wanted: readonly TopicSettings[]): Promise<readonly TopicDifference[]> {
  return await withTransaction(pool, async (client) => {
    const differences: TopicDifference[] = [];
    // Sorted by name, so that two processes wait for each other and never in a circle.
    const sorted = [...wanted].sort((a, b) => (a.topic < b.topic ? -1 : 1));
    for (const { topic, partitions, retentionMs, durable } of sorted) {
      const created = await client.query(
        `WITH topic AS (
           INSERT INTO log_topic (name, retention_ms, durable) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING RETURNING id
         )
         INSERT INTO log_partition (topic_id, partition) SELECT topic.id, n FROM topic, generate_series(0, $4::int - 1) AS n`,
        [topic, retentionMs, durable, partitions],
      );
      if (created.rowCount !== 0) continue;
      const found = await findTopic(client, topic);
      const { rows } = await client.query<{ retention_ms: string }>(
        "SELECT retention_ms FROM log_topic WHERE id = $1",
        [found.id],
      );
      const compare = (setting: TopicDifference["setting"], want: unknown, have: unknown) => {
        if (String(want) !== String(have))
          differences.push({ topic, setting, wanted: String(want), found: String(have) });
      };
      compare("partitions", partitions, found.partitions);
      compare("retentionMs", retentionMs, rows[0]?.retention_ms);
      compare("durable", durable, found.durable);
    }
    return differences;
  });
}

const DESCRIBE = prepared(
  `WITH held AS (
     SELECT l.objid::bigint AS slot, l.pid FROM pg_locks l
     WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2 AND l.classid = $3::bigint::oid
       AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
   )
   SELECT p.partition, p.start_offset, p.end_offset, c.next_offset, first.ingest_time AS oldest,
          (SELECT coalesce(nullif(a.application_name, ''), 'connection ' || a.pid)
           FROM held JOIN pg_stat_activity a USING (pid) WHERE held.slot = p.partition + 1) AS owner,
          (SELECT count(*)::int FROM held WHERE slot = ${SLOT_OF_MEMBERS}) AS members
   FROM log_partition p
   LEFT JOIN log_commit c ON c.topic_id = p.topic_id AND c.partition = p.partition AND c.group_name = $2
   LEFT JOIN LATERAL (
     SELECT b.ingest_time FROM log_batch b
     WHERE b.topic_id = p.topic_id AND b.partition = p.partition AND b.last_offset >= coalesce(c.next_offset, p.start_offset)
     ORDER BY b.last_offset LIMIT 1
   ) first ON true
   WHERE p.topic_id = $1 ORDER BY p.partition`,
);

/** Describes a topic as it is now, and how far `group` has come. */
export async function describeTopic(pool: Pool, name: string, group: string): Promise<TopicState> {
  const topic = await findTopic(pool, name);
  const key = groupKey(topic.id, group) >>> 0;
  const { rows } = await pool.query<{
    partition: number;
    start_offset: string;
    end_offset: string;
    next_offset: string | null;
    oldest: Date | null;
    owner: string | null;
    members: number;
  }>(DESCRIBE([topic.id, group, key]));
  const partitions = rows.map((row): PartitionState => ({
    partition: row.partition,
    start: Number(row.start_offset),
    end: Number(row.end_offset),
    readableEnd: Number(row.end_offset),
    committed: row.next_offset === null ? null : Number(row.next_offset),
    oldestWaiting: row.oldest === null ? null : row.oldest.getTime(),
    owner: row.owner,
  }));
  return { cluster: topic.cluster, topic: name, topicId: String(topic.id), partitions, members: rows[0]?.members ?? 0 };
}
