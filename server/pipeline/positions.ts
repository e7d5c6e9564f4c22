import type { Pool, PoolClient } from "pg";
import { RULES_EPOCH } from "@/server/alerting/epoch";
import { EPOCH } from "@/server/catalog/epoch";
import { logIdentity } from "@/server/domain/terms";
import type { LogBreakKind } from "@/server/domain/pipeline-state";
import type { PartitionBounds } from "@/server/ports/event-log";
import { InconsistencyError } from "@/server/postgres/transaction";
import { prepared } from "@/server/postgres/prepared";
import { IS_WATCHED } from "./live-watch";

/** The pipeline's position in one partition of one epoch of a topic. */
export interface PipelinePosition {
  readonly cluster: string;
  readonly topic: string;
  readonly epoch: number;
  readonly partition: number;
  /** Offset of the first message not yet handled. */
  readonly next: number;
}

/** The numbers one batch adds to a partition's totals. */
export interface BatchTotals {
  readonly messages: number;
  readonly readings: number;
  /** Readings that were already stored with the same value. */
  readonly duplicates: number;
  /** Readings for which another value was already stored, which stays. */
  readonly conflicts: number;
  readonly deadLetters: number;
  /** New readings from before the latest event time their device had. */
  readonly late: number;
  /** Offsets that expired in the log before they were read. */
  readonly skipped: number;
}

/** A break in the log that happened under a position since it was left. */
export interface LogBreak {
  readonly kind: LogBreakKind;
  /** The number of offsets that are gone: expired unread, or lost after they were handled. Null where that isn't known. */
  readonly offsets: number | null;
}

/** A position as taken up, with the breaks in the log before that, in order. */
export interface TakenPosition {
  readonly position: PipelinePosition;
  readonly breaks: readonly LogBreak[];
}

/** Tells the {@link logIdentity} of the log a position belongs to. */
export function logOf(position: PipelinePosition): string {
  return logIdentity(position.cluster, position.topic, position.epoch);
}

/** A partition's position as stored in the database. */
interface Row {
  readonly epoch: number;
  readonly next: number;
  readonly topicId: string | null;
  readonly term: number | null;
}

/**
 * Finds where to go on in a partition, and makes or moves the position where the log demands it:
 * - none yet → the log's start.
 * - another topic id → the topic was recreated: a new epoch from its start.
 * - the same id, but what was handled reaches beyond what the log still has of it → the log lost its tail. A new epoch goes
 *   on where it was lost: what is written there since is new, and no offset handled before is handled again.
 * - the log's start beyond the position → messages expired unread, which are counted.
 * Where an id is missing on either side, an end before the position counts as recreated, so that nothing is left out.
 * @param again asks the log again: `bounds` may be older than a position another worker has just moved.
 */
export async function takePosition(
  pool: Pool,
  place: { topic: string; partition: number },
  bounds: PartitionBounds,
  again: () => Promise<{ readonly end: number }>,
): Promise<TakenPosition> {
  const key = [bounds.cluster, place.topic, place.partition] as const;
  const breaks: LogBreak[] = [];
  const begin = async (epoch: number, at: number, reason?: LogBreak) => {
    const { rowCount } = await pool.query(
      `INSERT INTO pipeline_position (cluster, topic, partition, epoch, next, topic_id, break, break_time, break_offsets)
       VALUES ($1, $2, $3, $4, $5, $6, $7, CASE WHEN $7::text IS NULL THEN NULL ELSE now() END, $8) ON CONFLICT DO NOTHING`,
      [...key, epoch, at, bounds.topicId, reason?.kind ?? null, reason?.offsets ?? null],
    );
    if (reason && rowCount === 1) breaks.push(reason);
  };

  // Each turn changes one thing and looks again, as another worker may be at it too.
  for (let turn = 0; turn < 10; turn++) {
    const { rows } = await pool.query<Row>(
      `SELECT epoch, next::float8 AS next, topic_id AS "topicId", term FROM pipeline_position
       WHERE cluster = $1 AND topic = $2 AND partition = $3 ORDER BY epoch DESC LIMIT 1`,
      [...key],
    );
    const own = rows[0];
    if (own === undefined) {
      await begin(0, bounds.start);
      continue;
    }
    const { epoch, next, topicId } = own;
    const isBeyond = async () => bounds.end < next && (await again()).end < next;
    if (topicId === null || bounds.topicId === null) {
      if (await isBeyond()) {
        await begin(epoch + 1, bounds.start, { kind: "recreated", offsets: null });
        continue;
      }
      if (bounds.topicId !== null) {
        await pool.query(
          `UPDATE pipeline_position SET topic_id = $5
           WHERE cluster = $1 AND topic = $2 AND partition = $3 AND epoch = $4 AND topic_id IS NULL`,
          [...key, epoch, bounds.topicId],
        );
        continue;
      }
    } else if (topicId !== bounds.topicId) {
      await begin(epoch + 1, bounds.start, { kind: "recreated", offsets: null });
      continue;
    } else {
      const kept = own.term === null ? null : await bounds.endOfTerm(own.term);
      const lostFrom = kept ?? ((await isBeyond()) ? bounds.end : next);
      if (lostFrom < next) {
        await begin(epoch + 1, Math.max(lostFrom, bounds.start), { kind: "lostTail", offsets: next - lostFrom });
        continue;
      }
    }
    if (next < bounds.start) {
      const expired = { kind: "expired", offsets: bounds.start - next } as const;
      const { rowCount } = await pool.query(
        `UPDATE pipeline_position SET next = $5, term = NULL, skipped = skipped + $7, updated_at = now(),
           break = $8, break_time = now(), break_offsets = $7
         WHERE cluster = $1 AND topic = $2 AND partition = $3 AND epoch = $4 AND next = $6`,
        [...key, epoch, bounds.start, next, expired.offsets, expired.kind],
      );
      if (rowCount === 1) breaks.push(expired);
      continue;
    }
    const position = { cluster: bounds.cluster, topic: place.topic, epoch, partition: place.partition, next };
    return { position, breaks };
  }
  throw new InconsistencyError(`the position of ${place.topic}/${place.partition} does not settle`);
}

/**
 * Gives every position in the log of a cluster a new epoch, at the same place: after a restore that log hands out offsets again which
 * documents elsewhere may know from before, as those of other messages.
 */
export async function beginEpochs(client: PoolClient, cluster: string): Promise<void> {
  await client.query(
    `INSERT INTO pipeline_position (cluster, topic, partition, epoch, next, topic_id, term)
     SELECT DISTINCT ON (topic, partition) cluster, topic, partition, epoch + 1, next, topic_id, term
     FROM pipeline_position WHERE cluster = $1 ORDER BY topic, partition, epoch DESC`,
    [cluster],
  );
}

const LOCK_POSITIONS = prepared(
  `SELECT p.cluster, p.topic, p.partition, p.next::float8 AS next, ${EPOCH} AS "catalogEpoch", ${RULES_EPOCH} AS "rulesEpoch"
     FROM pipeline_position p
     JOIN unnest($1::text[], $2::text[], $3::integer[], $4::integer[]) AS n (cluster, topic, epoch, partition)
       USING (cluster, topic, epoch, partition)
     ORDER BY p.cluster, p.topic, p.partition FOR UPDATE OF p`,
);

/**
 * Locks the rows of positions in different partitions until the transaction ends, in one order, so that two transactions
 * can't lock each other out.
 * @returns one that doesn't stand where it says any more, as another worker moved it, null if all do; and the epochs of the catalog and of
 *   the alert rules.
 */
export async function lockPositions(
  client: PoolClient,
  positions: readonly PipelinePosition[],
): Promise<{ readonly moved: PipelinePosition | null } & Epochs> {
  const { rows } = await client.query<Omit<PipelinePosition, "epoch"> & Epochs>(LOCK_POSITIONS(keysOf(positions)));
  const found = new Map(rows.map((row) => [placeOf(row), row.next]));
  const moved = positions.find((position) => found.get(placeOf(position)) !== position.next) ?? null;
  return { moved, catalogEpoch: rows[0]?.catalogEpoch ?? null, rulesEpoch: rows[0]?.rulesEpoch ?? null };
}

interface Epochs {
  readonly catalogEpoch: number | null;
  readonly rulesEpoch: number | null;
}

/** A step of a position: from where it stands to `to`, written in `term`. */
export interface PositionStep {
  readonly position: PipelinePosition;
  readonly to: number;
  readonly term: number | null;
  readonly totals: BatchTotals;
}

const ADVANCE_POSITIONS = prepared(
  `UPDATE pipeline_position p
     SET next = n.to, messages = p.messages + n.messages, readings = p.readings + n.readings,
         duplicates = p.duplicates + n.duplicates, dead_letters = p.dead_letters + n.dead_letters,
         skipped = p.skipped + n.skipped, late = p.late + n.late, conflicts = p.conflicts + n.conflicts, term = n.term,
         break = CASE WHEN n.skipped > 0 THEN 'expired' ELSE p.break END,
         break_time = CASE WHEN n.skipped > 0 THEN now() ELSE p.break_time END,
         break_offsets = CASE WHEN n.skipped > 0 THEN n.skipped ELSE p.break_offsets END, updated_at = now()
     FROM unnest($1::text[], $2::text[], $3::integer[], $4::integer[], $5::bigint[], $6::bigint[], $7::integer[], $8::bigint[],
         $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[])
       AS n (cluster, topic, epoch, partition, next, "to", term, messages, readings, duplicates, dead_letters, skipped, late, conflicts)
     WHERE p.cluster = n.cluster AND p.topic = n.topic AND p.epoch = n.epoch AND p.partition = n.partition AND p.next = n.next
     RETURNING ${IS_WATCHED} AS "isWatched"`,
);

/**
 * Moves positions in different partitions and adds to their totals, each only if it still stands where it says.
 * @returns whether all did, and whether browsers watch.
 */
export async function advancePositions(
  client: PoolClient,
  steps: readonly PositionStep[],
): Promise<{ readonly areAll: boolean; readonly isWatched: boolean }> {
  const total = (name: keyof BatchTotals) => steps.map(({ totals }) => totals[name]);
  const { rows } = await client.query<{ isWatched: boolean }>(
    ADVANCE_POSITIONS([
      ...keysOf(steps.map(({ position }) => position)),
      steps.map(({ position }) => position.next),
      steps.map(({ to }) => to),
      steps.map(({ term }) => term),
      ...(["messages", "readings", "duplicates", "deadLetters", "skipped", "late", "conflicts"] as const).map(total),
    ]),
  );
  return { areAll: rows.length === steps.length, isWatched: rows[0]?.isWatched ?? false };
}

function keysOf(positions: readonly PipelinePosition[]): [string[], string[], number[], number[]] {
  return [
    positions.map(({ cluster }) => cluster),
    positions.map(({ topic }) => topic),
    positions.map(({ epoch }) => epoch),
    positions.map(({ partition }) => partition),
  ];
}

function placeOf({ cluster, topic, partition }: Pick<PipelinePosition, "cluster" | "topic" | "partition">): string {
  return JSON.stringify([cluster, topic, partition]);
}

/** Moves the position over a stretch that holds no message, only if it still stands where `position` says; returns whether it did. */
export async function passOver(pool: Pool, position: PipelinePosition, to: number): Promise<boolean> {
  const { cluster, topic, epoch, partition, next } = position;
  const { rowCount } = await pool.query(
    `UPDATE pipeline_position SET next = $6, term = NULL, updated_at = now()
     WHERE cluster = $1 AND topic = $2 AND epoch = $3 AND partition = $4 AND next = $5`,
    [cluster, topic, epoch, partition, next, to],
  );
  return rowCount === 1;
}
