import { type Engines, topicSettings } from "./compose";
import type { Config } from "./config/config";
import { readMigrations } from "./postgres/migrate";
import type { PipelineState } from "@/server/domain/pipeline-state";
import { type EpochMs, PIPELINE_GROUP, TOPICS } from "./domain/terms";
import { auditProbe } from "./health/audit";
import { readLastBackup } from "./backup/last-backup";
import { noteFleetLive, readFleetLive } from "./catalog/fleet-live";
import { backupProbe } from "./health/backup";
import { doorsProbe } from "./health/doors";
import { documentProbes } from "./health/documents";
import { eventLogProbes, pipelineProbes } from "./health/event-log";
import { type Encryption, encryptionProbe } from "./health/encryption";
import { failedRecordsProbe } from "./health/failed-records";
import { fleetProbe } from "./health/fleet";
import { type Health, startHealth } from "./health/health";
import { kafkaProbes } from "./health/kafka";
import { type JobSeen, watchJobs, type WatchedJobs } from "./health/jobs";
import { type LiveChannelState, liveProbes } from "./health/live";
import { machineProbes } from "./health/machine";
import { mongoProbes } from "./health/mongodb";
import { postgresProbes } from "./health/postgres";
import type { Probe } from "./health/probe";
import { roomProbe } from "./health/room";
import { sendersProbe } from "./health/senders";
import { secretProbes } from "./health/secrets";
import { coldProbes } from "./health/cold";
import { channelsProbe, type ChannelsSeen } from "./health/channels";
import { listChannels, readWaiting, undecidedSince } from "./notifications/channels";
import { tellsAnybody } from "./notifications/untold-now";
import { stateOf } from "./jobs/job-state";
import { readRhythms } from "./sources/counts";
import { readDoors } from "./sources/doors/reports";
import { readJobs, type RunRow } from "./jobs/read";
import { onceAtATime } from "./async/once-at-a-time";

const HEALTH_EVERY_MS = 5000;

export interface HealthParts {
  readonly config: Config;
  readonly engines: Engines;
  readonly pipelineState: () => Promise<PipelineState>;
  readonly version: string;
  readonly liveState: () => LiveChannelState | undefined;
  /** What is spoken with those who come from elsewhere. */
  readonly encryption: () => Encryption;
}

export interface ProbeParts extends Omit<HealthParts, "version"> {
  readonly jobs: WatchedJobs;
  /** The clock that engines' clocks are compared with. */
  readonly now: () => EpochMs;
}

/** Every probe there is, under way. */
export function composeHealth(parts: HealthParts): Health {
  const { engines, version } = parts;
  // The probes that read it start together: one reading serves them all.
  const pipelineState = onceAtATime(parts.pipelineState);
  const jobs = watchedJobs(engines);
  return startHealth({
    probes: composeProbes({ ...parts, pipelineState, jobs, now: Date.now }),
    jobs: jobs.latest,
    pipelineState,
    engines: engines.names,
    version,
    privateNames: namesIn(parts.config),
    everyMs: HEALTH_EVERY_MS,
    now: Date.now,
  });
}

/** The jobs of these engines, as their probe saw them last. */
export function watchedJobs(engines: Pick<Engines, "pool">): WatchedJobs {
  return watchJobs(() => seenJobs(engines, Date.now()));
}

/** The hosts and users that the configuration names. */
export function namesIn({ engines }: Config): string[] {
  const { DATABASE_URL, MONGODB_URI, KAFKA_BROKERS, KAFKA_SASL_USERNAME } = engines;
  // An address of MongoDB may name several hosts, which no URL does: mongodb://user:secret@one:27017,two:27017/name.
  const addresses = [DATABASE_URL, MONGODB_URI].flatMap(
    (address) => /^[a-z0-9+]+:\/\/([^/?]*)/.exec(address ?? "")?.[1] ?? [],
  );
  const users = addresses.flatMap((address) => (address.includes("@") ? address.split("@")[0]!.split(":")[0]! : []));
  const hosts = [...addresses.flatMap((address) => address.split("@").at(-1)!.split(",")), ...(KAFKA_BROKERS ?? [])];
  const names = [...users, ...hosts.map((host) => host.replace(/:\d+$/, "")), KAFKA_SASL_USERNAME ?? ""];
  return [...new Set(names)].filter((name) => name.length > 0);
}

/** The probes of these engines: those of each engine that is used, and of what Fieldwatch does on them. */
export function composeProbes({
  config,
  engines,
  pipelineState,
  liveState,
  encryption,
  jobs,
  now,
}: ProbeParts): readonly Probe[] {
  const migrations = readMigrations().map(({ name }) => name);
  const { names, inspection } = engines;
  const topics = topicSettings(config);
  return [
    ...postgresProbes({
      pool: engines.pool,
      group: names.database,
      url: config.engines.DATABASE_URL ?? null,
      dataDir: config.dataDir,
      migrations: () => migrations,
      now,
    }),
    ...(inspection.kafka
      ? kafkaProbes({
          inspection: inspection.kafka,
          group: names.eventLog,
          topics,
          consumerGroup: PIPELINE_GROUP,
          clockTopic: TOPICS.live,
          now,
        })
      : eventLogProbes({
          eventLog: engines.eventLog,
          group: `Event log on ${names.eventLog}`,
          engine: names.database,
          topics,
        })),
    ...(inspection.mongodb ? mongoProbes({ inspection: inspection.mongodb, group: names.documents, now }) : []),
    ...documentProbes({
      ...engines,
      group: inspection.mongodb ? names.documents : `Documents on ${names.documents}`,
      engine: names.documents,
    }),
    ...pipelineProbes(pipelineState),
    fleetProbe({
      read: (at) => readFleetLive(engines.pool, at, config.pipeline.DEVICE_STALE_SECONDS),
      note: (at, sites) => noteFleetLive(engines.pool, at, sites),
      lagSeconds: async () => (await pipelineState()).lagSeconds,
      now,
    }),
    ...coldProbes(engines),
    failedRecordsProbe(engines),
    jobs.probe,
    auditProbe(engines),
    ...liveProbes(() => liveState() ?? { listening: false, lastError: null, lastFrame: null, browsers: 0 }),
    doorsProbe(() => readDoors(engines.pool)),
    sendersProbe(() => readRhythms(engines.pool), now),
    channelsProbe(() => seenChannels(engines), now),
    encryptionProbe(encryption, now),
    ...machineProbes(config.dataDir),
    ...(config.engines.DATABASE_URL === undefined
      ? [
          roomProbe({ dataDir: config.dataDir, leastBytes: config.engines.DISK_FREE_MIN_BYTES, now }),
          backupProbe(() => readLastBackup(config.dataDir), config.server.BACKUP_MAX_AGE_HOURS ?? null, now),
        ]
      : []),
    ...secretProbes(config.secretFiles),
  ];
}

async function seenChannels({ pool }: Pick<Engines, "pool">): Promise<ChannelsSeen> {
  const waiting = await readWaiting(pool);
  const channels = await listChannels(pool);
  return {
    channels: channels.map((channel) => ({ ...channel, waiting: waiting.get(channel.id) ?? 0 })),
    tellsAnybody: await tellsAnybody(pool),
    undecidedSince: await undecidedSince(pool),
  };
}

async function seenJobs({ pool }: Pick<Engines, "pool">, now: EpochMs): Promise<readonly JobSeen[]> {
  return (await readJobs(pool)).map((row) => ({
    ...stateOf(row, now),
    title: row.title,
    isScheduled: row.everyMs !== null,
    attempt: row.current?.attempt ?? 0,
    name: row.name,
    last: endOf(row.last),
    nextAt: row.paused || row.current ? null : row.nextAt,
  }));
}

function endOf(run: RunRow | null): JobSeen["last"] {
  if (run === null || run.finishedAt === null) return null;
  const outcome = run.state === "failed" || run.state === "stopped" ? run.state : "done";
  return { outcome, endedAt: run.finishedAt };
}
