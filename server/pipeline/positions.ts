import type { Pool, PoolClient } from "pg";
import { logIdentity } from "@/server/domain/terms";
import type { PartitionBounds } from "@/server/ports/event-log";
import { InconsistencyError } from "@/server/postgres/transaction";

/** Where the pipeline stands in one partition of one life of a topic. */
export interface PipelinePosition {
  readonly cluster: string;
  readonly topic: string;
  readonly epoch: number;
  readonly partition: number;
  /** Offset of the first message not yet handled. */
  readonly next: number;
}

/** What one batch adds to a partition's totals. */
export interface BatchTotals {
  readonly messages: number;
  readonly readings: number;
  /** Readings that were there already with the same value. */
  readonly duplicates: number;
  /** Readings where another value was there already, which stays. */
  readonly conflicts: number;
  readonly deadLetters: number;
  /** New readings from before the latest event time their device had. */
  readonly late: number;
  /** Offsets the log no longer held. */
  readonly skipped: number;
}

/** A position as taken up, and what had happened to the log since it was left. */
export interface TakenPosition {
  readonly position: PipelinePosition;
  /** The topic was recreated, so a new epoch began. */
  readonly recreated: boolean;
  /** Messages the log had dropped before they were read. */
  readonly skipped: number;
}

/** {@link logIdentity} of the log a position belongs to. */
export function logOf(position: PipelinePosition): string {
  return logIdentity(position.cluster, position.topic, position.epoch);
}

/**
 * Finds where to go on in a partition, and makes or moves the position where the log demands it: none yet → the log's
 * start; an end before the position → the topic was recreated, a new epoch begins; a start behind it → messages
 * were dropped unread, which are counted.
 * @param currentEnd asks the log again: `bounds` may be older than a position another worker has just moved.
 */
export async function takePosition(
  pool: Pool,
  place: { topic: string; partition: number },
  bounds: PartitionBounds,
  currentEnd: () => Promise<number>,
): Promise<TakenPosition> {
  const key = [bounds.cluster, place.topic] as const;
  let recreated = false;
  let skipped = 0;
  const begin = (epoch: number) =>
    pool.query(
      `INSERT INTO pipeline_position (cluster, topic, epoch, partition, next) VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT DO NOTHING`,
      [...key, epoch, place.partition, bounds.start],
    );

  // Each turn changes one thing and looks again, as another worker may be at it too.
  for (let turn = 0; turn < 10; turn++) {
    const { rows } = await pool.query<{ epoch: number; own: number | string | null }>(
      `SELECT epoch, max(next) FILTER (WHERE partition = $3) AS own FROM pipeline_position
       WHERE cluster = $1 AND topic = $2 GROUP BY epoch ORDER BY epoch DESC LIMIT 1`,
      [...key, place.partition],
    );
    const epoch = rows[0]?.epoch ?? 0;
    const own = rows[0]?.own ?? null;
    if (own === null) {
      await begin(epoch);
      continue;
    }
    const next = Number(own);
    if (bounds.end < next && (await currentEnd()) < next) {
      recreated = true;
      await begin(epoch + 1);
      continue;
    }
    if (next < bounds.start) {
      const { rowCount } = await pool.query(
        `UPDATE pipeline_position SET next = $5, skipped = skipped + $5 - next, updated_at = now()
         WHERE cluster = $1 AND topic = $2 AND epoch = $3 AND partition = $4 AND next = $6`,
        [...key, epoch, place.partition, bounds.start, next],
      );
      if (rowCount === 1) skipped += bounds.start - next;
      continue;
    }
    const position = { cluster: bounds.cluster, topic: place.topic, epoch, partition: place.partition, next };
    return { position, recreated, skipped };
  }
  throw new InconsistencyError(`the position of ${place.topic}/${place.partition} does not settle`);
}

/**
 * Locks the position's row until the transaction ends.
 * @returns true if it still stands where `position` says; false if another worker moved it.
 */
export async function lockPosition(client: PoolClient, position: PipelinePosition): Promise<boolean> {
  const { rows } = await client.query<{ next: number | string }>(
    `SELECT next FROM pipeline_position WHERE cluster = $1 AND topic = $2 AND epoch = $3 AND partition = $4 FOR UPDATE`,
    [position.cluster, position.topic, position.epoch, position.partition],
  );
  return rows[0] !== undefined && Number(rows[0].next) === position.next;
}

/** Moves the position to `to` and adds to its totals, only if it still stands where `position` says; returns whether it did. */
export async function advancePosition(
  client: PoolClient,
  position: PipelinePosition,
  to: number,
  totals: BatchTotals,
): Promise<boolean> {
  const { rowCount } = await client.query(
    `UPDATE pipeline_position
     SET next = $6, messages = messages + $7, readings = readings + $8, duplicates = duplicates + $9,
         dead_letters = dead_letters + $10, skipped = skipped + $11, late = late + $12, conflicts = conflicts + $13, updated_at = now()
     WHERE cluster = $1 AND topic = $2 AND epoch = $3 AND partition = $4 AND next = $5`,
    [
      position.cluster,
      position.topic,
      position.epoch,
      position.partition,
      position.next,
      to,
      totals.messages,
      totals.readings,
      totals.duplicates,
      totals.deadLetters,
      totals.skipped,
      totals.late,
      totals.conflicts,
    ],
  );
  return rowCount === 1;
}
