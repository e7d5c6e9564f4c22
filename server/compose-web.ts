import { ownUnitsOf } from "@/server/catalog/metrics";
import { createProvider, type Provider } from "./access/provider";
import { KNOWN_MS } from "./access/guessing";
import { ATTEMPT_MS } from "./access/provider-attempt";
import { attemptCookie, knownCookie, sessionCookie } from "./api/access/cookie";
import { within } from "./async/timeout";
import type { Caller } from "./domain/access";
import { createApi } from "./api/api";
import { composeDoors, type Doors } from "./compose-sources";
import type { OnUnforeseen } from "./api/problem";
import { createReceive } from "./api/source-doors/receive";
import { doorCaller } from "./api/sources/door-key";
import { addressOf } from "./api/address";
import { createKeyCheck } from "./access/key-check";
import type { Api } from "./api/runtime";
import type { Engines } from "./compose";
import { composeHistory } from "./compose-history";
import { composeMeasures } from "./compose-measures";
import { composeChannels } from "./compose-notifications";
import { mqttListener } from "./config/address";
import type { Config } from "./config/config";
import { createKeptSecrets, type KeptSecrets } from "./config/kept-secrets";
import type { PipelineState } from "@/server/domain/pipeline-state";
import type { PrismaClient } from "./postgres/prisma";
import { type Admission } from "./ingest/admission";
import { noIngestCounts, type IngestCounts, readRejected } from "./ingest/ingest-rates";
import { createPipelineState, type PipelineStateDeps } from "./pipeline/pipeline-state";
import { readStages, type StagesState } from "./pipeline/stages-state";
import { roomInCatalog } from "./catalog/catalog-room";
import { findDevices, findMetrics, findSiteIds } from "./catalog/catalog-writes";
import { createReadLatest } from "./catalog/device-values";
import { createPreview, createPreviewLetters } from "./dead-letters/preview";
import type { Fetch } from "./sources/handshakes";
import { createReread } from "./sources/reread";
import { PIPELINE_GROUP, TOPICS } from "./domain/terms";
import type { Health } from "./health/health";
import { keptByKey } from "./async/kept-for";
import { readChangelog } from "./config/changelog";
import { breakingMigrations } from "./postgres/breaking-migrations";
import { measureMachine } from "./health/machine";
import { readSetup } from "./health/setup-attempts";
import { createTestMessages } from "./health/test-messages";
import { createColdReader } from "./readings/cold/reader";
import type { Logger } from "./observability/logger";
import { LogUnavailableError } from "./ports/event-log";
import { traceAnswering } from "./trace-requests";

const READY_TIMEOUT_MS = 3000;

export interface ApiParts {
  readonly config: Config;
  readonly engines: Engines;
  readonly prisma: PrismaClient;
  readonly pipelineState: () => Promise<PipelineState>;
  readonly health: Pick<Health, "answer">;
  /** Returns the counts that the telemetry route adds to; left out, nothing is counted. */
  readonly ingestCounts?: () => IngestCounts;
  /** Left out, ones of its own, which hear of no change. */
  readonly doors?: Doors;
  /** Who judges senders, of doors of its own; left out, one of its own too. */
  readonly admission?: Admission;
  /** Left out, ones by the key file of the configuration. */
  readonly keptSecrets?: KeptSecrets;
  /** Left out, that of Node. */
  readonly fetchOutside?: Fetch;
  readonly version: string;
  readonly logger: Logger;
  /** True from when this web was told to stop. */
  readonly isLeaving?: () => boolean;
  /** Who sends a request. */
  readonly callerOf: (request: Request) => Promise<Caller>;
  /** Who sends one to a door of sources; left out, by a check of keys that hears of no change. */
  readonly doorCallerOf?: (request: Request) => Promise<Caller>;
}

/** The REST routes on these engines. */
export function composeApi(parts: ApiParts): Api {
  const { config, engines, prisma, pipelineState, health, version, logger } = parts;
  const { ingest, pipeline } = config;
  const ingestCounts = parts.ingestCounts ?? noIngestCounts;
  const { admission } = parts;
  const doors = parts.doors ?? composeDoors({ config, engines, ingestCounts, logger, ...(admission && { admission }) });
  const { accept, bounds, pace, senders, waiting } = doors;
  const doorCallerOf = parts.doorCallerOf ?? doorCaller(createKeyCheck(engines.pool), addressOf);
  const onUnforeseen: OnUnforeseen = (error, path, kind) => {
    if (kind === "internal" || kind === "audit-unavailable") logger.error({ err: error, path }, "a request failed");
    else logger.warn({ err: error, path: path.slice(0, 300) }, "a value was refused late");
  };
  const receive = createReceive({
    ...{ doorCallerOf, senders, waiting, ingestCounts, onUnforeseen, now: Date.now },
    ...{
      sources: doors.sources,
      intake: doors.intake,
      doorCounting: doors.counting,
      maxBodyBytes: ingest.INGEST_MAX_BODY_BYTES,
    },
  });
  const reread = createReread(engines.pool);
  const cold = createColdReader(engines.coldStore);
  const verbs = createApi(
    {
      ...engines,
      readLatest: createReadLatest(engines.twins, engines.pool),
      cold,
      history: composeHistory(cold),
      prisma,
      callerOf: parts.callerOf,
      doorCallerOf,
      cookie: sessionCookie(config.server.PORT),
      attemptCookie: attemptCookie(config.server.PORT, ATTEMPT_MS),
      knownCookie: knownCookie(config.server.PORT, KNOWN_MS),
      passwordSignIn: config.access.PASSWORD_SIGN_IN,
      provider: composeProvider(config),
      publicUrl: config.frontDoor.PUBLIC_URL,
      pipelineState,
      pipelineStages: composeStages(engines),
      ingestCounts,
      health: (details: boolean) => health.answer(details),
      logReady: () => askLog(engines),
      isLeaving: parts.isLeaving ?? (() => false),
      describeLog: () => engines.eventLog.describe(TOPICS.telemetry, PIPELINE_GROUP),
      measure: composeMeasures({ config, engines, now: Date.now }),
      setup: () => readSetup(config.dataDir),
      about: () => ({ version, node: process.version, releases: readChangelog(), breaking: breakingMigrations() }),
      staleSeconds: pipeline.DEVICE_STALE_SECONDS,
      now: Date.now,
      retention: {
        startDays: pipeline.READINGS_RETENTION_DAYS,
        leastDays: Math.ceil(config.eventLog.LOG_RETENTION_HOURS / 24),
        others: [
          ...(engines.inspection.mongodb === null
            ? ([
                {
                  what: "messages",
                  tables: ["archive_block", "archive_fresh", "message_archive"],
                  setting: "ARCHIVE_RETENTION_DAYS",
                  days: pipeline.ARCHIVE_RETENTION_DAYS,
                },
                {
                  what: "deadLetters",
                  tables: ["dead_letter"],
                  setting: "DEAD_LETTER_RETENTION_DAYS",
                  days: pipeline.DEAD_LETTER_RETENTION_DAYS,
                },
              ] as const)
            : []),
          ...(engines.inspection.kafka === null
            ? ([
                {
                  what: "log",
                  tables: ["log_batch"],
                  setting: "LOG_RETENTION_HOURS",
                  days: config.eventLog.LOG_RETENTION_HOURS / 24,
                },
              ] as const)
            : []),
        ],
      },
      cost: {
        pricesFile: config.cost.PRICES_FILE,
        coldAfterDays: config.cold.COLD_URL === undefined ? null : config.cold.COLD_AFTER_DAYS,
        machine: measureMachine,
      },
      lineage: {
        isSent: config.lineage.OPENLINEAGE_URL !== undefined,
        owner: config.lineage.DATA_OWNER ?? null,
        hasCold: engines.coldStore !== null,
        days: {
          log: config.eventLog.LOG_RETENTION_HOURS / 24,
          messages: pipeline.ARCHIVE_RETENTION_DAYS,
          deadLetters: pipeline.DEAD_LETTER_RETENTION_DAYS,
        },
      },
      newNamesLimits: { devices: ingest.KEY_NEW_DEVICES_PER_HOUR, metrics: ingest.KEY_NEW_METRICS_PER_HOUR },
      maxBodyBytes: ingest.INGEST_MAX_BODY_BYTES,
      ...{ accept, pace, senders, waiting },
      checkNames: doors.checkNames,
      keptSecrets: parts.keptSecrets ?? createKeptSecrets(config),
      openChannel: composeChannels(config).open,
      sources: doors.sources,
      intake: doors.intake,
      doorCounting: doors.counting,
      mqttListener: mqttListener(config),
      fetchOutside: parts.fetchOutside ?? fetch,
      testMessages: createTestMessages({
        ...engines,
        // Whoever may send sees it.
        health: () => health.answer(false),
        trace: traceAnswering,
        traceUrl: config.tracing.TRACE_URL,
        bounds,
        now: Date.now,
        onError: (error) => logger.debug({ err: error }, "the way of a test message could not be written"),
      }),
      reread,
      preview: createPreviewLetters(
        createPreview({
          catalog: {
            devices: (names) => findDevices(engines.pool, names),
            sites: (names) => findSiteIds(engines.pool, names),
            metrics: (names) => findMetrics(engines.pool, names),
            ownUnits: (names) => ownUnitsOf(engines.pool, names),
            room: () =>
              roomInCatalog(engines.pool, { maxDevices: pipeline.MAX_DEVICES, maxMetrics: pipeline.MAX_METRICS }),
          },
          bounds,
        }),
        reread,
      ),
    },
    version,
    onUnforeseen,
  );
  return { ...verbs, receive };
}

/** The identity provider that the configuration names, or null. */
function composeProvider({ provider }: Config): Provider | null {
  const { OIDC_ISSUER: issuer, OIDC_CLIENT_ID: clientId, OIDC_CLIENT_SECRET: clientSecret = null } = provider;
  if (issuer === undefined || clientId === undefined) return null;
  return createProvider(
    {
      ...{ issuer, clientId, clientSecret },
      scope: provider.OIDC_SCOPE,
      rolesClaim: provider.OIDC_ROLES_CLAIM,
      rules: provider.OIDC_ROLES,
      name: provider.OIDC_NAME ?? new URL(issuer).hostname,
    },
    Date.now,
  );
}

/** However many browsers look, the database is asked at most every two seconds for each range. */
function composeStages({ pool }: Engines): (minutes: number) => Promise<StagesState> {
  const read = keptByKey(2000, (minutes: number, now) => readStages(pool, minutes, now));
  return (minutes) => read(minutes, Date.now());
}

/** Binds the reader of the pipeline's state to what the doors have rejected. */
export function composePipelineState(
  engines: Engines,
  options: Pick<PipelineStateDeps, "staleSeconds" | "now" | "onLogError">,
): () => Promise<PipelineState> {
  return createPipelineState({ ...engines, ...options, rejected: () => readRejected(engines.pool) });
}

/** @throws LogUnavailableError unless the log answers in time and has the telemetry topic. */
async function askLog({ eventLog }: Pick<Engines, "eventLog">): Promise<void> {
  const late = () => new LogUnavailableError("the log did not answer in time");
  await within(READY_TIMEOUT_MS, eventLog.describe(TOPICS.telemetry, PIPELINE_GROUP), late);
}
