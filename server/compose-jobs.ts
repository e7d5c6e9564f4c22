import type { Pool, PoolClient } from "pg";
import { addDeed } from "./access/audit/deeds";
import { auditJobs } from "./access/audit/seal";
import { createPostgresDeadLetters } from "./adapters/postgres/dead-letters";
import { createPostgresLogRetention } from "./adapters/postgres/event-log";
import { createPostgresMessageArchive } from "./adapters/postgres/message-archive";
import { createPostgresDeviceTwins } from "./adapters/postgres/device-twins";
import { backtestJobs } from "./alerting/backtest/job";
import { catalogJobs } from "./catalog/jobs";
import type { Engines } from "./compose";
import { composeErasure } from "./compose-erasure";
import { composeHistory } from "./compose-history";
import type { LineageTelling } from "./compose-lineage";
import { lineageJobs } from "./lineage/jobs";
import { auditFiles } from "./config/audit-files";
import type { Config } from "./config/config";
import { deadLetterJobs } from "./dead-letters/jobs";
import { SYSTEM } from "./domain/access";
import { eventJobs } from "./events/jobs";
import { ingestJobs } from "./ingest/jobs";
import { jobJobs } from "./jobs/jobs";
import type { EndedRun } from "./jobs/runs";
import type { Logger } from "./observability/logger";
import { pipelineJobs } from "./pipeline/jobs";
import { qualityJobs } from "./quality/jobs";
import { slowQualityJobs } from "./quality/slow-jobs";
import { readBlocks } from "./readings/blocks";
import { readSeriesHours } from "./readings/hour-means";
import { countReceived } from "./readings/received";
import { readDeviceSteps, readRecentSteps } from "./readings/steps";
import { oddnessJobs } from "./oddness/jobs";
import { settleLeft } from "./pipeline/settlements";
import { notificationJobs } from "./notifications/jobs";
import { countMessages } from "./notifications/would-tell";
import type { Job, JobContext } from "./postgres/job";
import { bringBack } from "./readings/cold/bring-back";
import { coldJobs } from "./readings/cold/jobs";
import type { ColdReader } from "./readings/cold/reader";
import { readingJobs } from "./readings/jobs";
import { createReread } from "./sources/reread";
import { mergeJobs } from "./readings/merge";
import { quarterJob } from "./readings/quarters";
import { latestReadings, takeDevice, takeMetric } from "./readings/removals";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

export interface JobParts {
  readonly config: Pick<Config, "pipeline" | "access" | "dataDir" | "cold" | "eventLog">;
  readonly engines: Engines;
  readonly cold: ColdReader;
  /** The jobs' own connections, so that they and the pipeline never wait for each other. */
  readonly work: Pool;
  readonly logger: Logger;
  /** Left out or null: no OpenLineage events are sent. */
  readonly lineage?: Pick<LineageTelling, "names" | "send"> | null;
}

/** The table of jobs: each subject's own, on the engines there are. */
export function composeJobs({ config, engines, cold, work, logger, lineage = null }: JobParts): readonly Job[] {
  const { pipeline: settings } = config;
  const isMongo = engines.inspection.mongodb !== null;
  const archive = isMongo ? engines.archive : createPostgresMessageArchive(work, settings.ARCHIVE_RETENTION_DAYS);
  const twins = isMongo ? engines.twins : createPostgresDeviceTwins(work);
  const deadLetters = isMongo ? engines.deadLetters : createPostgresDeadLetters(work);
  return [
    ...readingJobs({ days: settings.READINGS_RETENTION_DAYS, cold }),
    ...mergeJobs(cold),
    quarterJob(),
    ...movingJobs(config, engines, cold),
    ...catalogJobs({
      erasing: composeErasure({ config, engines, archive, deadLetters, twins }),
      ...{ twins, takeDevice, latestReadings },
      takeMetric: (tx, device, removed) => takeMetric(tx, device, removed, cold),
      bringBack: (tx, device, metric) => bringBack(tx, cold, device, { metric }),
    }),
    ...pipelineJobs(),
    ...qualityJobs(countReceived),
    ...oddnessJobs({ recent: readRecentSteps, device: readDeviceSteps }),
    ...slowQualityJobs(readBlocks, readSeriesHours),
    ...ingestJobs(),
    ...deadLetterJobs({
      ...{ deadLetters, eventLog: engines.eventLog, days: settings.DEAD_LETTER_RETENTION_DAYS },
      reread: createReread(work),
      settleLeft: () => settleLeft(work, deadLetters),
    }),
    ...archiveJobs(archive, settings.ARCHIVE_RETENTION_DAYS),
    ...(engines.inspection.kafka === null ? [logRetention(createPostgresLogRetention(work))] : []),
    ...auditJobs({ files: auditFiles(config), logger }),
    ...notificationJobs(),
    ...eventJobs(),
    ...(lineage === null ? [] : lineageJobs({ ...lineage, logger })),
    ...backtestJobs({
      ...{ history: composeHistory(cold), countMessages },
      staleMs: 10_000 * settings.DEVICE_STALE_SECONDS,
    }),
    ...jobJobs({ days: settings.DEAD_LETTER_RETENTION_DAYS }),
  ];
}

function movingJobs(
  { cold: { COLD_AFTER_DAYS: afterDays } }: Pick<Config, "cold">,
  { coldStore: store }: Pick<Engines, "coldStore">,
  cold: ColdReader,
): Job[] {
  return store === null ? [] : coldJobs({ store, cold, afterDays });
}

/** Adds to the audit record what became of a run that somebody asked for. */
export async function recordRun(
  tx: PoolClient,
  { id, job, state, done, total, error, wasRequested }: EndedRun,
): Promise<void> {
  if (!wasRequested) return;
  const outcome = state === "failed" ? "failed" : "done";
  await addDeed(tx, SYSTEM, {
    ...{ verb: "endJobRun", target: `${job}/${id}`, outcome, address: null },
    detail: { after: { state, done, total, error } },
  });
}

function archiveJobs(archive: Pick<Engines["archive"], "merge" | "removeBefore">, days: number): Job[] {
  return [
    {
      name: "archive-merge",
      title: "Archive merge",
      about: "Merges small blocks of the message archive, and packs what earlier versions kept.",
      counts: { one: "message packed", many: "messages packed" },
      everyMs: 2 * MINUTE,
      limitMs: null,
      run: (ctx) => noteParts(ctx, archive.merge(ctx.now)),
    },
    {
      name: "message-retention",
      title: "Message retention",
      about: `Removes messages from the archive ${days} days after the event log took them, whole days at a time.`,
      counts: { one: "message removed", many: "messages removed" },
      everyMs: 10 * MINUTE,
      limitMs: 60 * MINUTE,
      run: (ctx) => noteParts(ctx, archive.removeBefore(ctx.now - days * DAY)),
    },
  ];
}

/** Kafka removes what is expired by itself. */
function logRetention(removeExpired: () => AsyncIterable<number>): Job {
  return {
    name: "log-retention",
    title: "Event log retention",
    about: "Removes records of the event log that are older than their topic's retention.",
    counts: { one: "record removed", many: "records removed" },
    everyMs: MINUTE,
    limitMs: 30 * MINUTE,
    run: (ctx) => noteParts(ctx, removeExpired()),
  };
}

/** Notes the progress of work that goes on by itself, part by part. */
async function noteParts(ctx: JobContext, parts: AsyncIterable<number>): Promise<void> {
  let { done } = ctx.run;
  for await (const part of parts) {
    await ctx.note({ done: (done += part) });
    ctx.signal.throwIfAborted();
  }
}
