import type { Pool } from "pg";
import { withinAborting } from "@/server/async/timeout";
import { UnavailableError } from "@/server/domain/unavailable";
import { ColdUnavailableError } from "@/server/ports/cold-store";
import { classOf } from "@/server/postgres/error-classes";
import { type BatchTotals, type LogBreak, passOver, type PipelinePosition, takePosition } from "./positions";
import { createJoint } from "./joint";
import { PIPELINE_GROUP, TOPICS } from "@/server/domain/terms";
import type { Logger } from "@/server/observability/logger";
import {
  type Consumption,
  type EventLog,
  type LogBatch,
  LogUnavailableError,
  type PartitionBounds,
  UnreadableBatchError,
} from "@/server/ports/event-log";
import { type Committed, FencedError, isGivenUp, type SourceBatch } from "./batch";
import type { Pipeline } from "./pipeline";
import type { FollowBatch } from "./follow";
import { noteUnreadable } from "./unreadable-batches";
import { noteWait } from "./waits";

/** The number of failures in a row of one batch, none of them an outage, after which retrying alone won't help. */
const TRIES = 5;
/** The longest time a failing batch is divided without a break, in milliseconds: then other partitions have their turn. */
const TURN_MS = 2000;
/** Longer than any batch takes whose every part is in time, in milliseconds: an answer was lost that nobody else bounds. */
export const LONGEST_MS = 300_000;

export interface ConsumerDeps {
  readonly eventLog: Pick<EventLog, "consume" | "describe">;
  readonly pool: Pool;
  readonly pipeline: Pipeline;
  /** Finds the messages of a batch that are to be followed. */
  readonly follow: FollowBatch;
  readonly maxRecords: number;
  readonly maxBytes: number;
  readonly logger: Logger;
  /** The longest that batches handled together may take, in milliseconds, before they come again; left out: 5 minutes. */
  readonly longestMs?: number;
  /** Called with an error that nothing can go on after, once it has lasted; the process should end, loudly. */
  readonly onFatal: (error: unknown) => void;
}

/** The part of a partition that is handled at once. */
type Stretch = Pick<LogBatch, "records" | "from" | "to" | "term">;

const BREAKS: Readonly<Record<LogBreak["kind"], string>> = {
  recreated: "the topic was recreated: a new epoch begins at its start",
  lostTail: "the log has lost messages that were handled: a new epoch goes on where they were lost",
  expired: "messages expired in the log before they were read",
};

/** The number of full batches under way at once: one computes while another waits for the database. */
const CONCURRENCY = 2;
/** The time between batches where little comes, in milliseconds: four transactions a second, however many messages. */
const PACE_MS = 250;

/** A batch as the log delivers it. */
interface Delivery {
  readonly batch: LogBatch;
  readonly signal: AbortSignal;
}

/**
 * Feeds the pipeline from the event log. The only committer: the position in PostgreSQL, moved with the readings, is
 * the truth; the log's own offset follows when a batch resolves, for lag and for operators.
 */
export async function startConsumer(deps: ConsumerDeps): Promise<Consumption> {
  const { eventLog, pool, pipeline, follow, logger, longestMs = LONGEST_MS, onFatal } = deps;
  const topic = TOPICS.telemetry;
  const positions = new Map<number, PipelinePosition>();
  const failures = new Map<number, { next: number; count: number }>();

  async function startAt(partition: number, bounds: PartitionBounds): Promise<number> {
    const again = async () => {
      const { topicId, partitions } = await eventLog.describe(topic, PIPELINE_GROUP);
      const found = partitions.find((one) => one.partition === partition);
      if (found === undefined || topicId !== bounds.topicId)
        throw new LogUnavailableError(`where ${topic}/${partition} ends isn't known for now`);
      return found;
    };
    const { position, breaks } = await takePosition(pool, { topic, partition }, bounds, again);
    const { epoch, next } = position;
    for (const { kind, offsets } of breaks) logger.warn({ topic, partition, epoch, next, offsets }, BREAKS[kind]);
    positions.set(partition, position);
    return position.next;
  }

  async function handle(batch: LogBatch, signal: AbortSignal): Promise<void> {
    const { partition } = batch;
    const position = positions.get(partition);
    if (position?.cluster !== batch.cluster) throw new FencedError(`${topic}/${partition} is of another cluster`);
    if (batch.to <= position.next) return;
    const records = batch.records.filter((record) => record.offset >= position.next);
    const stretch = { ...batch, records };
    const failure = failures.get(partition);
    if (failure?.next === position.next && failure.count >= TRIES)
      await divide(partition, stretch, signal, performance.now() + TURN_MS);
    else await run(partition, stretch, (source) => handleOne(source, signal));
    failures.delete(partition);
  }

  /** Handles records some of which make a stage fail, by halves, down to each of those, which is kept as a dead letter. */
  async function divide(partition: number, stretch: Stretch, signal: AbortSignal, until: number): Promise<void> {
    signal.throwIfAborted();
    if (performance.now() > until) throw new TurnOver();
    const { records } = stretch;
    const [record] = records;
    try {
      await run(partition, stretch, (source) => handleOne(source, signal));
    } catch (error) {
      if (isGivenUp(error) || classOf(error) !== "unhandled" || record === undefined) throw error;
      if (records.length > 1) {
        const half = Math.ceil(records.length / 2);
        const from = records[half]!.offset;
        await divide(partition, { ...stretch, records: records.slice(0, half), to: from, term: null }, signal, until);
        await divide(partition, { ...stretch, records: records.slice(half), from }, signal, until);
        return;
      }
      await run(partition, stretch, (source) => pipeline.refuse(source, record, error, signal));
      const { offset } = record;
      logger.error({ err: error, topic, partition, offset }, "a record made the worker fail: kept as a dead letter");
    }
  }

  /** Takes a stretch of a partition through `work`, from the current position, and moves on. */
  async function run(
    partition: number,
    { records, from, to, term }: Stretch,
    work: (source: SourceBatch) => Promise<Committed>,
  ): Promise<void> {
    const position = positions.get(partition)!;
    // Records that the log had and no longer gives; gaps within what it gives hold nothing.
    const skipped = Math.max(0, from - position.next);
    if (records.length === 0 && skipped === 0) {
      if (!(await passOver(pool, position, to))) throw new FencedError(`${topic}/${partition} has moved on`);
      positions.set(partition, { ...position, next: to });
      return;
    }
    const source = sourceOf(position, { records, to, term, skipped });
    const { totals } = await work(source).catch((error: unknown) => {
      source.followed?.failed(error);
      throw error;
    });
    moveOn(source, totals);
  }

  function sourceOf(position: PipelinePosition, part: Pick<SourceBatch, "records" | "to" | "term" | "skipped">) {
    const followed = follow(position.partition, part.records);
    return { position, ...part, processedTime: Date.now(), ...(followed && { followed }) } satisfies SourceBatch;
  }

  function moveOn({ position, to, skipped }: SourceBatch, totals: BatchTotals): void {
    const { partition } = position;
    // Too late: the batch was given up meanwhile, and the partition begins from what the database says.
    if (positions.get(partition) !== position) return;
    positions.set(partition, { ...position, next: to });
    if (skipped > 0) logger.warn({ topic, partition, next: to, offsets: skipped }, BREAKS.expired);
    logger.debug({ topic, partition, to, ...totals }, "batch committed");
  }

  async function handleOne(source: SourceBatch, signal: AbortSignal): Promise<Committed> {
    const [committed] = await pipeline.handle([source], signal);
    return committed!;
  }

  /** True unless the batch is just what follows the position, and has given no trouble so far. */
  function needsCare({ batch: { partition, cluster, records, from } }: Delivery): boolean {
    const position = positions.get(partition);
    const isNext = position?.cluster === cluster && position.next === from && records.length > 0;
    return !isNext || failures.has(partition);
  }

  /**
   * Handles batches of different partitions as one; where that fails by other than an outage that all of them meet, each by
   * itself, so that none waits for another's fault.
   */
  async function handleGroup(group: readonly Delivery[]): Promise<PromiseSettledResult<void>[]> {
    const alone = () =>
      Promise.allSettled(group.map(({ batch, signal }) => inTime([signal], (either) => handle(batch, either))));
    if (group.length === 1) return alone();
    const sources = group.map(({ batch: { partition, records, to, term } }) =>
      sourceOf(positions.get(partition)!, { records, to, term, skipped: 0 }),
    );
    try {
      const signals = group.map(({ signal }) => signal);
      const all = await inTime(signals, (first) => pipeline.handle(sources, first));
      for (const [i, source] of sources.entries()) moveOn(source, all[i]!.totals);
      return group.map(() => ({ status: "fulfilled", value: undefined }));
    } catch (error) {
      if (classOf(error) !== "retryable" || error instanceof ColdUnavailableError) return alone();
      for (const { followed } of sources) followed?.failed(error);
      throw error;
    }
  }

  /** No partition waits for ever, whatever is lost: its batch fails then, and comes again. */
  function inTime<T>(signals: readonly AbortSignal[], work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    return withinAborting(
      longestMs,
      signals,
      work,
      () => new BatchLateError(`a batch had no end in ${longestMs / 1000} s`),
    );
  }

  /** Notes a batch that the log can't give: it stops its partition until the position is past it; people see it, and decide. */
  async function note(error: UnreadableBatchError): Promise<void> {
    const { batch } = error;
    const position = positions.get(batch.partition);
    if (position === undefined) return;
    try {
      const isNew = await noteUnreadable(pool, position, batch);
      if (isNew)
        logger.error({ topic, ...batch }, "a batch can't be read: its partition has stopped, the others go on");
    } catch (cause) {
      logger.warn({ err: cause, ...batch }, "a batch can't be read, nor can that be noted: trying again");
    }
  }

  /** Tells people why a partition waits. Nobody waits for that: the engine that is away may be the one it would be noted in. */
  function noteFailed(position: PipelinePosition, error: unknown): void {
    if (error instanceof TurnOver) return;
    noteWait(pool, position, error).catch((cause: unknown) => {
      logger.debug({ err: cause, partition: position.partition }, "why a partition waits can't be noted");
    });
  }

  const takeTogether = createJoint<Delivery>({
    most: deps.maxRecords,
    size: ({ batch }) => batch.records.length,
    concurrency: CONCURRENCY,
    alone: needsCare,
    work: handleGroup,
  });

  async function onBatch(batch: LogBatch, signal: AbortSignal): Promise<void> {
    try {
      await takeTogether({ batch, signal });
    } catch (error) {
      // Whatever happened, the next attempt begins from what the database says.
      const position = positions.get(batch.partition);
      const next = position?.next ?? -1;
      positions.delete(batch.partition);
      if (error instanceof TurnOver) failures.set(batch.partition, { next, count: TRIES });
      const kind = classOf(error);
      if (position !== undefined && !isGivenUp(error)) noteFailed(position, error);
      // Cold storage is needed by some batches only: this one stands alone until it is through.
      if (error instanceof ColdUnavailableError && !failures.has(batch.partition))
        failures.set(batch.partition, { next, count: 0 });
      if (isGivenUp(error) || kind === "retryable" || error instanceof TurnOver) throw error;
      const before = failures.get(batch.partition);
      const count = before?.next === next ? before.count + 1 : 1;
      failures.set(batch.partition, { next, count });
      if (kind === "fatal" && count >= TRIES) onFatal(error);
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
    paceMs: PACE_MS,
    onError(error) {
      if (error instanceof UnreadableBatchError) return void note(error);
      if (error instanceof FencedError) logger.info({ reason: error.message }, "batch given up to another worker");
      else if (isGivenUp(error) || error instanceof TurnOver) return;
      else if (classOf(error) === "retryable") logger.warn({ err: error }, "an engine is away: retrying");
      else logger.error({ err: error }, "batch failed: retrying");
    },
  });
}

/** Thrown when dividing a batch has used up its share of the time; it goes on from there at the next delivery. */
class TurnOver extends Error {
  override readonly name = "TurnOver";
}

/** Thrown when a batch neither ends nor fails. */
class BatchLateError extends UnavailableError {
  override readonly name = "BatchLateError";
}
