import type { Pool } from "pg";
import type { EpochMs } from "@/server/domain/terms";
import { prepared } from "@/server/postgres/prepared";
import type { TopicState } from "@/server/ports/event-log";
import { timeText } from "@/server/postgres/time-text";

/** Ingest times are of other machines' clocks. */
const SKEW_MS = 2000;
/** Times of a partition that are remembered, while it is behind. */
const MOST_SEEN = 600;

interface Seen {
  readonly at: EpochMs;
  /** Where the partition ended then. */
  readonly end: number;
}

interface Position {
  readonly partition: number;
  /** First offset that isn't handled. */
  readonly next: number;
  readonly watermark: EpochMs | null;
}

const POSITIONS = prepared(
  `SELECT DISTINCT ON (partition) partition, next::float8 AS next, (extract(epoch FROM ingest_watermark) * 1000)::float8 AS watermark
   FROM pipeline_position WHERE cluster = $1 AND topic = $2 AND partition = ANY ($3::integer[]) ORDER BY partition, epoch DESC`,
);

// It may be lost in a crash: the one before is as true, only earlier.
const MOVE = prepared(
  `WITH soon AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true))
   UPDATE pipeline_position p SET ingest_watermark = n.at FROM soon, unnest($3::integer[], $4::timestamptz[]) AS n (partition, at)
   WHERE p.cluster = $1 AND p.topic = $2 AND p.partition = n.partition
     AND p.epoch = (SELECT max(epoch) FROM pipeline_position o WHERE o.cluster = p.cluster AND o.topic = p.topic AND o.partition = p.partition)`,
);

/**
 * Follows up to which ingest time every message was handled. A partition's mark is the last time at which it ended where it is handled by now: so it
 * goes on, that much behind, while messages never stop coming.
 * @returns what moves the marks by how the log stood at a time, and says the least of them; null: nobody knows.
 */
export function followWatermark(pool: Pool): (log: TopicState, askedAt: EpochMs) => Promise<EpochMs | null> {
  const seen = new Map<string, Seen[]>();
  return async ({ cluster, topic, topicId, partitions }, askedAt) => {
    const { rows } = await pool.query<Position>(
      POSITIONS([cluster, topic, partitions.map(({ partition }) => partition)]),
    );
    const moved: { readonly partition: number; readonly at: EpochMs }[] = [];
    let least: EpochMs | null = rows.length === partitions.length ? Infinity : null;
    for (const { partition, next, watermark } of rows) {
      const key = `${cluster} ${topicId} ${partition}`;
      const { end } = partitions.find((one) => one.partition === partition)!;
      const times = [...(seen.get(key) ?? []), { at: askedAt, end }];
      const handled = times.filter((one) => one.end <= next).at(-1);
      const ahead = times.filter((one) => one.end > next);
      // While it is far behind, every other time is enough.
      seen.set(key, ahead.length > MOST_SEEN ? ahead.filter((_, i) => i % 2 === 0) : ahead);
      const at = Math.max(handled ? handled.at - SKEW_MS : -Infinity, watermark ?? -Infinity);
      if (at > (watermark ?? -Infinity)) moved.push({ partition, at });
      if (least !== null) least = at === -Infinity ? null : Math.min(least, at);
    }
    if (moved.length > 0)
      await pool.query(
        MOVE([...[cluster, topic, moved.map(({ partition }) => partition)], moved.map(({ at }) => timeText(at))]),
      );
    return least === Infinity ? null : least;
  };
}

/** Ingest time up to which every message of a log was handled, as it was noted last; null: nobody knows. */
export async function readWatermark(
  pool: Pool,
  { cluster, topic, partitions }: Pick<TopicState, "cluster" | "topic" | "partitions">,
): Promise<EpochMs | null> {
  const { rows } = await pool.query<Position>(
    POSITIONS([cluster, topic, partitions.map(({ partition }) => partition)]),
  );
  if (rows.length < partitions.length || rows.some(({ watermark }) => watermark === null)) return null;
  return Math.min(...rows.map(({ watermark }) => watermark!));
}
