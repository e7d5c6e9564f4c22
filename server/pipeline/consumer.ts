import type { Pool } from "pg";
import { isOutage } from "@/server/postgres/outage";
import { takePosition, type PipelinePosition } from "./positions";
import { PIPELINE_GROUP, TOPICS } from "@/server/domain/terms";
import type { Logger } from "@/server/observability/logger";
import type { Consumption, EventLog, LogBatch, PartitionBounds } from "@/server/ports/event-log";
import { FencedError } from "./batch";
import type { Pipeline } from "./pipeline";
import type { FollowBatch } from "./traces";

/** So many failures in a row of the same batch, none of them an outage, are a bug that retrying won't mend. */
const MOST_FAILURES = 5;

export interface ConsumerDeps {
  readonly eventLog: Pick<EventLog, "consume" | "describe">;
  readonly pool: Pool;
  readonly pipeline: Pipeline;
  /** Finds the messages of a batch that are to be followed. */
  readonly follow: FollowBatch;
  readonly maxRecords: number;
  readonly maxBytes: number;
  readonly logger: Logger;
  /** Told of an error that retrying won't mend; the process should end, loudly. */
  readonly onFatal: (error: unknown) => void;
}

/** Batches of so many partitions are on their way at once: one computes while another waits for the database. */
const CONCURRENCY = 2;

/**
 * Feeds the pipeline from the event log. The only committer: the position in PostgreSQL, moved with the readings, is
 * the truth; the log's own offset follows when a batch resolves, for lag and for operators.
 */
export async function startConsumer(deps: ConsumerDeps): Promise<Consumption> {
  const { eventLog, pool, pipeline, follow, logger, onFatal } = deps;
  const topic = TOPICS.telemetry;
  const positions = new Map<number, PipelinePosition>();
  const failures = new Map<number, { next: number; count: number }>();

  async function startAt(partition: number, bounds: PartitionBounds): Promise<number> {
    const currentEnd = async () => {
      const state = await eventLog.describe(topic, PIPELINE_GROUP);
      return state.partitions.find((one) => one.partition === partition)?.end ?? 0;
    };
    const { position, recreated, skipped } = await takePosition(pool, { topic, partition }, bounds, currentEnd);
    if (recreated)
      logger.warn({ topic, partition, epoch: position.epoch }, "the topic was recreated: begins a new epoch");
    if (skipped > 0) logger.warn({ topic, partition, skipped }, "messages expired in the log before they were read");
    positions.set(partition, position);
    return position.next;
  }

  async function handle(batch: LogBatch, signal: AbortSignal): Promise<void> {
    const position = positions.get(batch.partition);
    if (position?.cluster !== batch.cluster) throw new FencedError(`${topic}/${batch.partition} is of another cluster`);
    const records = batch.records.filter((record) => record.offset >= position.next);
    const last = records.at(-1);
    if (!last) return;
    const to = last.offset + 1;
    const trace = follow(batch.partition, records);
    const source = { position, to, records, processedTime: Date.now(), ...(trace && { trace }) };
    const { totals } = await pipeline(source, signal).catch((error: unknown) => {
      trace?.failed(error);
      throw error;
    });
    positions.set(batch.partition, { ...position, next: to });
    failures.delete(batch.partition);
    const { partition } = batch;
    if (totals.skipped > 0)
      logger.warn({ topic, partition, skipped: totals.skipped }, "messages were missing in the log");
    logger.debug({ topic, partition, to, ...totals }, "batch committed");
  }

  async function onBatch(batch: LogBatch, signal: AbortSignal): Promise<void> {
    try {
      await handle(batch, signal);
    } catch (error) {
      // Whatever happened, the next attempt begins from what the database says.
      const next = positions.get(batch.partition)?.next ?? -1;
      positions.delete(batch.partition);
      if (isExpected(error)) throw error;
      const before = failures.get(batch.partition);
      const count = before?.next === next ? before.count + 1 : 1;
      failures.set(batch.partition, { next, count });
      if (count >= MOST_FAILURES) onFatal(error);
      throw error;
    }
  }

  return eventLog.consume({
    topic,
    group: PIPELINE_GROUP,
    startAt,
    onBatch,
    maxRecords: deps.maxRecords,
    maxBytes: deps.maxBytes,
    concurrency: CONCURRENCY,
    onError(error) {
      if (isAbort(error)) return;
      if (error instanceof FencedError) logger.info({ reason: error.message }, "batch given up to another worker");
      else if (isOutage(error)) logger.warn({ err: error }, "an engine is away: retrying");
      else logger.error({ err: error }, "batch failed: retrying");
    },
  });
}

function isExpected(error: unknown): boolean {
  return error instanceof FencedError || isAbort(error) || isOutage(error);
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === "AbortError";
}
