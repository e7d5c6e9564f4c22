import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { runPipelineRules } from "./alerting/pipeline-rules";
import { runAlerting } from "./alerting/run-alerting";
import { LEAST_SILENCE_MS, silentAt } from "./alerting/silence";
import { readOpen } from "./alerting/telemetry-open";
import { followWatermark } from "./alerting/watermark";
import { afterDeath } from "./config/launch";
import { createBackoff, pause } from "./async/backoff";
import { composeEngines, topicSettings, type Engines } from "./compose";
import { composeLineage } from "./compose-lineage";
import { composeMeasures } from "./compose-measures";
import { collectPools } from "./compose-metrics";
import { composeChannels } from "./compose-notifications";
import type { Config } from "./config/config";
import { createKeptSecrets } from "./config/kept-secrets";
import { noteHandled } from "./health/probe-messages";
import { endProcess } from "./boot/end-process";
import { EXIT_TEMPORARY } from "./boot/explain";
import { applyLevel } from "./boot/log-level";
import { classOf, fatalCauseOf, isRetryable } from "./postgres/error-classes";
import { explainFatal } from "./postgres/fatal";
import { createPool, databaseConnection } from "./postgres/connection";
import { openJobPool } from "./postgres/job-pool";
import { followLogLevel } from "./postgres/log-level";
import { runSilences } from "./events/silences";
import { noteStart } from "./events/starts";
import { composeJobs, recordRun } from "./compose-jobs";
import { type ColdReader, createColdReader } from "./readings/cold/reader";
import { runJobs } from "./jobs/run-jobs";
import { openMetricsPort } from "./metrics-port";
import { pushMetrics } from "./metrics-push";
import { runNotifier } from "./notifications/notifier";
import { PIPELINE_GROUP, TOPICS } from "./domain/terms";
import type { Logger } from "./observability/logger";
import { openTracing } from "./observability/tracing/tracing";
import { type Counting, createMetrics } from "./observability/metrics/metrics";
import { collectProcess } from "./observability/metrics/process-metrics";
import type { Running } from "./observability/running";
import { isGivenUp } from "./pipeline/batch";
import { LONGEST_MS, startConsumer } from "./pipeline/consumer";
import { readBlocks } from "./readings/blocks";
import { createTaken } from "./readings/taken";
import { eachIngestTime } from "./pipeline/ingest-times";
import { createPipeline, type Pipeline } from "./pipeline/pipeline";
import { createPublishLive } from "./pipeline/stages/publish-live";
import { createFollow, type FollowBatch } from "./pipeline/follow";
import { createTimings, type Timings } from "./pipeline/timings";
import { traceBatches, type TracedBatches } from "./trace-batches";

/** The time batches may take to finish when the worker stops, in milliseconds. */
const DRAIN_MS = 5000;
/** Connections of the notifier, so that it and the pipeline never wait for each other's. */
const NOTIFIER_CONNECTIONS = 4;
/** Records handled at once that tell of a backlog, and the time for which they do once they are handled, in milliseconds. */
const MUCH = 1000;
const BUSY_MS = 1000;
/** The time the worker may take to end when it can't go on, in milliseconds. */
const FATAL_END_MS = DRAIN_MS + 3000;

/** Runs the worker: the pipeline on its share of the partitions, and the jobs. Waits for engines that are not up yet. */
export async function runWorker(config: Config, logger: Logger): Promise<Running> {
  const engines = await composeEngines(config, "worker", logger);
  const stopFollowing = followLogLevel(engines.pool, (level) => applyLevel(logger, config.server.LOG_LEVEL, level));
  const stopping = new AbortController();
  const fatal = (error: unknown) => {
    const { what, why, fix } = explainFatal(error) ?? {};
    logger.fatal({ err: error, why, fix }, what ?? "the worker cannot go on; it ends so that this is seen");
    endProcess(stop, explainFatal(error) === undefined ? 1 : EXIT_TEMPORARY, FATAL_END_MS);
  };
  const cold = createColdReader(engines.coldStore);
  const worker = `${hostname()}:${process.pid}:${randomBytes(3).toString("hex")}`;
  const metrics = createMetrics("worker");
  const stopProcess = collectProcess(metrics);
  let consumes = false;
  const isReady = () => consumes && !stopping.signal.aborted;
  const port = await openMetricsPort(config, "worker", metrics, logger, isReady);
  const pushed = pushMetrics(config, metrics, logger);
  const measured = createTimings({
    pool: engines.pool,
    worker,
    now: Date.now,
    onError: (error) => logger.debug({ err: error }, "stage timings could not be written"),
  });
  const tracing = await openTracing(config, "worker", (outcome, count) =>
    metrics.count("fieldwatch_trace_spans_total", { outcome }, count),
  );
  const counted: Timings = {
    add(stage, run) {
      measured.add(stage, run);
      metrics.observe("fieldwatch_stage_duration_seconds", { stage }, run.ms / 1000, { times: run.runs ?? 1 });
    },
  };
  let busyUntil = -Infinity;
  const publishLive = createPublishLive({ eventLog: engines.eventLog, worker, timings: counted });
  const traced = traceBatches(tracing, counted, publishLive);
  const follow = createFollow({
    worker,
    note: (id, handled) => noteHandled(engines.pool, id, handled),
    onError: (error) => logger.debug({ err: error }, "the way of a followed message could not be written"),
  });
  const consuming = consume(config, engines, {
    cold,
    logger,
    publishLive,
    traced,
    follow,
    fatal,
    counting: metrics,
    // A batch that never ends is given up after so long; it is no backlog for ever.
    noteLoad: (records, isUnderWay) => {
      if (records >= MUCH) busyUntil = performance.now() + (isUnderWay ? LONGEST_MS : BUSY_MS);
    },
    signal: stopping.signal,
  });
  consuming.then(
    () => (consumes = true),
    (error: unknown) => (stopping.signal.aborted ? undefined : fatal(error)),
  );
  const work = openJobPool(databaseConnection(config), "worker", logger);
  const lineage = composeLineage(config);
  const jobs = runJobs({
    ...{ pool: engines.pool, work: work.pool, owner: worker, logger },
    jobs: composeJobs({ config, engines, cold, work: work.pool, logger, lineage }),
    ...(lineage !== null && { onTaken: lineage.taken }),
    async onEnd(tx, run, job) {
      await recordRun(tx, run);
      await lineage?.ended(tx, run, job);
    },
    isBusy: () => performance.now() < busyUntil,
  });
  const telling = createPool(databaseConnection(config), {
    role: "worker notifier",
    logger,
    size: NOTIFIER_CONNECTIONS,
    prepares: true,
  });
  const notifier = runNotifier({
    ...{
      pool: telling,
      eventLog: engines.eventLog,
      now: Date.now,
      logger,
      publicUrl: config.frontDoor.PUBLIC_URL ?? null,
    },
    ...composeChannels(config),
    keptSecrets: createKeptSecrets(config),
  });
  const staleMs = 10_000 * config.pipeline.DEVICE_STALE_SECONDS;
  const describe = () => engines.eventLog.describe(TOPICS.telemetry, PIPELINE_GROUP);
  const watermarkOf = followWatermark(work.pool);
  const silences = runSilences({
    ...{ pool: work.pool, logger },
    usual: { staleMs: 1000 * config.pipeline.DEVICE_STALE_SECONDS, leastMs: LEAST_SILENCE_MS },
    async watermark() {
      const askedAt = Date.now();
      return watermarkOf(await describe(), askedAt);
    },
    async judge(pool, watermark) {
      const open = await readOpen(pool, 0);
      return (since, afterMs) => silentAt(open, since, watermark, afterMs) !== null;
    },
  });
  collectPools(metrics, { pipeline: engines.pool, jobs: work.pool, notifier: telling });
  const start = noteStart(engines.pool, "worker", afterDeath(), logger);
  const alerting = runAlerting({
    ...{ pool: work.pool, readBlocks, staleMs, logger },
    describe,
    addsReady: config.demoDevices > 0,
  });
  const watching = runPipelineRules({
    ...{ pool: work.pool, logger },
    measure: composeMeasures({ config, engines, now: Date.now }),
  });

  let stopped: Promise<void> | undefined;
  function stop(): Promise<void> {
    return (stopped ??= (async () => {
      stopping.abort();
      stopFollowing();
      const consumption = await consuming.catch(() => null);
      await consumption?.stop(DRAIN_MS);
      await Promise.all([
        publishLive.stop(),
        jobs.stop(),
        alerting.stop(),
        watching.stop(),
        silences.stop(),
        notifier.stop(),
        start.stop(),
      ]);
      await measured.stop();
      await tracing?.stop();
      await pushed.stop();
      await port?.stop();
      stopProcess();
      await Promise.all([work.close(), telling.end(), engines.close()]);
    })());
  }
  return { stop };
}

type ConsumeDeps = {
  cold: ColdReader;
  logger: Logger;
  publishLive: ReturnType<typeof createPublishLive>;
  traced: TracedBatches;
  follow: FollowBatch;
  fatal: (error: unknown) => void;
  counting: Counting;
  /** Called with the number of records of each group of batches, when it begins and when it has ended. */
  noteLoad: (records: number, isUnderWay: boolean) => void;
  signal: AbortSignal;
};

async function consume(config: Config, engines: Engines, deps: ConsumeDeps) {
  const { cold, logger, publishLive, traced, follow, fatal, counting, noteLoad, signal } = deps;
  const { pipeline: settings } = config;
  await untilReady(() => engines.eventLog.ensureTopics(topicSettings(config)), logger, signal);
  await untilReady(() => engines.prepareDocuments(), logger, signal);
  const pipeline = createPipeline({
    ...engines,
    cold,
    publishLive,
    timings: traced.timings,
    maxDevices: settings.MAX_DEVICES,
    maxMetrics: settings.MAX_METRICS,
    futureToleranceMs: settings.FUTURE_TOLERANCE_SECONDS * 1000,
    oldestTaken: createTaken(engines.pool, settings.READINGS_RETENTION_DAYS).read,
  });
  return startConsumer({
    ...engines,
    pipeline: {
      ...pipeline,
      handle(batches, signal) {
        const load = batches.reduce((sum, { records }) => sum + records.length, 0);
        noteLoad(load, true);
        return counted(counting, batches, () => traced.handle(batches, () => pipeline.handle(batches, signal))).finally(
          () => noteLoad(load, false),
        );
      },
    },
    follow,
    maxRecords: settings.WORKER_BATCH_MESSAGES,
    maxBytes: settings.WORKER_BATCH_BYTES,
    logger,
    onFatal: fatal,
  });
}

/** Counts what was committed together and how long its messages took, or that it failed and comes again. */
async function counted(
  counting: Counting,
  batches: Parameters<Pipeline["handle"]>[0],
  handle: () => ReturnType<Pipeline["handle"]>,
): ReturnType<Pipeline["handle"]> {
  try {
    const committed = await handle();
    const now = Date.now();
    counting.observe(
      "fieldwatch_batch_messages",
      {},
      batches.reduce((sum, { records }) => sum + records.length, 0),
    );
    for (const { records } of batches)
      eachIngestTime(records, (ingestTime, times) =>
        counting.observe("fieldwatch_ingest_to_commit_seconds", {}, Math.max(0, now - ingestTime) / 1000, { times }),
      );
    return committed;
  } catch (error) {
    if (!isGivenUp(error)) counting.count("fieldwatch_batch_failures_total", { class: classOf(error) });
    throw error;
  }
}

/** Tries until it works, as long as the reason is one that mends by itself or by `migrate`. */
async function untilReady(attempt: () => Promise<unknown>, logger: Logger, signal: AbortSignal): Promise<void> {
  const backoff = createBackoff({ firstMs: 250, maxMs: 5000 });
  for (;;) {
    try {
      await attempt();
      return;
    } catch (error) {
      // Tables that aren't there yet: `migrate` has still to run.
      const notMigrated = fatalCauseOf(error) === "schema";
      if (!isRetryable(error) && !notMigrated) throw error;
      logger.warn({ err: error }, notMigrated ? "the database has still to be migrated" : "the engines are not up yet");
      await pause(backoff.next(), signal);
      signal.throwIfAborted();
    }
  }
}
