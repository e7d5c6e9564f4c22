import { randomUUID } from "node:crypto";
import type { AddressInfo } from "node:net";
import type { Pool } from "pg";
import { createAuthenticator } from "./access/authenticate";
import { createKeyCheck } from "./access/key-check";
import { addressOf } from "./api/address";
import { doorCaller } from "./api/sources/door-key";
import { watchAccess } from "./access/watch";
import { credentialsIn } from "./api/address";
import { sessionCookie } from "./api/access/cookie";
import { toPipelineAnswer } from "./api/pipeline/get";
import { shareApi } from "./api/runtime";
import { applyLevel } from "./boot/log-level";
import { INTAKE_UNWANTED, INTAKE_WANTED } from "./boot/role";
import { seenAt } from "./catalog/devices";
import { composeEngines, type Engines } from "./compose";
import { composeHealth } from "./compose-health";
import { collectKept, collectPools } from "./compose-metrics";
import { composeDoors } from "./compose-sources";
import { composeApi, composePipelineState } from "./compose-web";
import type { Config } from "./config/config";
import { afterDeath } from "./config/launch";
import { createKeptSecrets, type KeptSecrets } from "./config/kept-secrets";
import { readVersion } from "./config/version";
import { exposureOf } from "./config/exposure";
import { PAGES } from "./contracts/pages";
import { databaseConnection } from "./postgres/connection";
import { openHealthPool } from "./postgres/health-pool";
import { followLogLevel } from "./postgres/log-level";
import { createPrismaClient } from "./postgres/prisma";
import { noIngestCounts, writeIngestRates } from "./ingest/ingest-rates";
import { createMetrics } from "./observability/metrics/metrics";
import { collectProcess } from "./observability/metrics/process-metrics";
import { createMetricsGate } from "./metrics-gate";
import { createTally } from "./observability/tally";
import { ask } from "./delivery/ask";
import { ownAddress } from "./delivery/target";
import type { Logger } from "./observability/logger";
import { openTracing } from "./observability/tracing/tracing";
import { captureConsole } from "./observability/logs/console";
import { followOwn } from "./events/follow";
import { noteStart } from "./events/starts";
import { noteAbsence, noteVersion } from "./events/write";
import { noteOpen } from "./alerting/telemetry-open";
import { within } from "./async/timeout";
import { PIPELINE_GROUP, TOPICS } from "./domain/terms";
import type { Running } from "./observability/running";
import { noteWatched } from "./pipeline/live-watch";
import { leave } from "./realtime/leave";
import { type LiveChannel, startLiveChannel } from "./realtime/live-channel";
import { sealSecrets } from "./sources/rows";
import { hasDoors } from "./sources/doors/wanted";
import { cutOff } from "./socket-gate";
import { pushMetrics } from "./metrics-push";
import { traceAppends } from "./trace-requests";
import { certificateOf } from "./own-certificate";
import { listen, OWN_HEADER } from "./web-listen";

/** The log has so long to show that it takes messages, in milliseconds. */
const LOG_ANSWERS_MS = 4000;

/**
 * Runs pages, REST routes and the live channel on one port. Answers also while the engines are down.
 * @returns the port it listens on, and how to stop it.
 * @throws Error with code EADDRINUSE when the port is taken.
 */
export async function runWeb(config: Config, logger: Logger): Promise<Running & { readonly port: number }> {
  const keptSecrets = createKeptSecrets(config);
  const metrics = createMetrics("web");
  const tracing = await openTracing(config, "web", (outcome, count) =>
    metrics.count("fieldwatch_trace_spans_total", { outcome }, count),
  );
  const opened = await composeEngines(config, "web", logger);
  const engines = { ...opened, eventLog: traceAppends(opened.eventLog, tracing) };
  const undo: (() => Promise<void> | void)[] = [() => tracing?.stop(), () => engines.close(), collectProcess(metrics)];
  let stopped: Promise<void> | undefined;
  const stop = () =>
    (stopped ??= (async () => {
      for (let step = undo.pop(); step; step = undo.pop()) {
        await Promise.resolve(step()).catch((error: unknown) => logger.warn({ err: error }, "did not stop cleanly"));
      }
    })());
  try {
    undo.push(captureConsole(logger));
    undo.push(
      followLogLevel(engines.pool, (level) => {
        applyLevel(logger, config.server.LOG_LEVEL, level);
        // The supervisor and the simulator have no database to ask.
        process.send?.({ logLevel: level });
      }),
    );
    const version = readVersion();
    const prisma = createPrismaClient(engines.pool);
    undo.push(() => prisma.$disconnect());
    const ingestTally = createTally({
      empty: noIngestCounts,
      write: (buckets) => writeIngestRates(engines.pool, buckets),
      now: Date.now,
      onError: (error) => logger.debug({ err: error }, "the route's counts could not be written"),
    });
    undo.push(() => ingestTally.stop());
    const stateOf = (asked: Engines) =>
      composePipelineState(asked, {
        staleSeconds: config.pipeline.DEVICE_STALE_SECONDS,
        now: Date.now,
        onLogError: (error) => logger.debug({ err: error }, "the event log cannot be asked"),
      });
    const pipelineState = stateOf(engines);
    const own = followOwn(engines.pool, (error) =>
      logger.debug({ err: error }, "an event could not be written; it will be"),
    );
    const started: { live?: LiveChannel } = {};
    let leaving = false;
    const certificate = certificateOf(config, logger);
    undo.push(() => certificate?.stop());
    const healthPool = openHealthPool(databaseConnection(config), logger);
    undo.push(() => healthPool.end());
    const asked = engines.through(healthPool);
    const seenState = stateOf(asked);
    const health = composeHealth({
      ...{ config, engines: asked, version },
      async pipelineState() {
        const state = await seenState();
        own.sawLag(state.time, state.lagSeconds, state.lag);
        return state;
      },
      liveState: () => started.live?.state(),
      encryption: () => ({ exposure: exposureOf(config), certificate: certificate?.state() ?? null }),
    });
    undo.push(() => health.stop());
    undo.push(health.onChange(() => own.sawProbes(health.answer(true).probes)));
    const ingestCounts = () => ingestTally.current();
    const keys = createKeyCheck(engines.pool);
    const authenticator = createAuthenticator(engines.pool, sessionCookie(config.server.PORT).names, keys);
    const callerOf = (request: Request) => authenticator.callerOf(credentialsIn(request));
    const doors = composeDoors({ config, engines, ingestCounts, logger });
    undo.push(() => doors.stop());
    const api = composeApi({
      ...{
        config,
        engines,
        prisma,
        pipelineState,
        health,
        isLeaving: () => leaving,
        ingestCounts,
        version,
        logger,
        callerOf,
        doors,
        keptSecrets,
      },
      doorCallerOf: doorCaller(keys, addressOf),
    });
    undo.push(shareApi(api));
    collectPools(metrics, { web: engines.pool, health: healthPool });
    collectKept(metrics, { config, engines, pipelineState, health, liveState: () => started.live?.state() });

    const ownId = randomUUID();
    // Node keeps the source maps of all that is loaded, texts included: of Next's own code some 10 MB, which nobody reads. They are on again when
    // the pages are loaded.
    process.setSourceMapsEnabled(false);
    const { server, io, welcome, close } = await listen({
      config,
      logger,
      authenticator,
      own: ownId,
      certificate,
      counting: metrics,
      tracing,
      isLeaving: () => leaving,
      scraped: createMetricsGate(metrics, authenticator, config.metrics.METRICS_NETWORKS),
      api,
    });
    undo.push(close);
    let sealing: Promise<void> | undefined;
    undo.push(
      watchAccess(
        databaseConnection(config),
        logger,
        (changed) => {
          doors.forget(changed);
          if (changed === "sources" || changed === "anything") void tellOfDoors(config, engines.pool, logger);
          // Once it listens for changes, the database is there.
          if (changed === "anything") sealing ??= sealThose(engines.pool, keptSecrets, logger);
          if (changed === "anything") started.live?.alertsChanged("any");
          if (changed === "catalog" || changed === "sources") return;
          authenticator.forget(changed);
          for (const socket of io.sockets.sockets.values()) void cutOff(socket, authenticator);
        },
        { [ALERTS_CHANGED]: (site) => started.live?.alertsChanged(Number(site)) },
      ),
    );
    // A socket let in just before a change wasn't among those that were cut off then.
    io.on("connection", (socket) => void cutOff(socket, authenticator));
    const live = startLiveChannel({
      io,
      eventLog: engines.eventLog,
      seenAt: (sites, devices) => seenAt(engines.pool, sites, devices),
      noteWatched: () => noteWatched(engines.pool),
      onFrame: (kind) => metrics.count("fieldwatch_live_frames_total", { kind }),
      pipeline: async () => {
        const state = await pipelineState();
        return (details) => toPipelineAnswer(state, details);
      },
      health: health.answer,
      onHealthChange: health.onChange,
      logger,
      now: Date.now,
    });
    started.live = live;
    welcome();
    undo.push(() => live.stop());
    const bootedAt = Date.now();
    await noteAbsence(engines.pool, bootedAt).catch(() => undefined);
    void noteVersion(engines.pool, version).catch((error: unknown) =>
      logger.debug({ err: error }, "the version could not be noted"),
    );
    const start = noteStart(engines.pool, "web", afterDeath(), logger);
    undo.push(() => start.stop());
    undo.push(
      noteOpen(engines.pool, ownId, {
        // While the log is away no message is taken.
        accepts: () =>
          within(
            LOG_ANSWERS_MS,
            engines.eventLog.describe(TOPICS.telemetry, PIPELINE_GROUP),
            () => new Error("the event log doesn't answer"),
          ),
        onError: (error) => logger.debug({ err: error }, "it could not be noted that messages are taken"),
      }),
    );
    await health.firstRound();
    own.sawProbes(health.answer(true).probes);
    const warming = new AbortController();
    undo.push(() => warming.abort());
    const pushed = pushMetrics(config, metrics, logger);
    undo.push(() => pushed.stop());
    void warmUp(ownAddress(config), ownId, warming.signal);
    // The first step of a stop.
    undo.push(() => {
      leaving = true;
      return leave(io, config.server.STOP_DELAY_SECONDS * 1000);
    });
    return { port: (server.address() as AddressInfo).port, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The channel on which triggers say at which sites alerts have changed. */
const ALERTS_CHANGED = "fieldwatch_alerts";

/** Encrypts what a version before has kept in the clear. What can't be encrypted now is at the next start. */
async function sealThose(pool: Pool, keptSecrets: KeptSecrets, logger: Logger): Promise<void> {
  try {
    const sealed = await sealSecrets(pool, keptSecrets);
    if (sealed > 0) logger.info({ sealed }, "passwords of sources are encrypted in the database from now on");
  } catch (error) {
    logger.warn({ err: error }, "passwords of sources stay in the clear in the database");
  }
}

/** Tells the supervisor, if there is one, whether the role intake has anything to do. */
async function tellOfDoors({ intake }: Config, pool: Pool, logger: Logger): Promise<void> {
  try {
    const isWanted = intake.MQTT_PORT !== undefined || (await hasDoors(pool));
    process.send?.(isWanted ? INTAKE_WANTED : INTAKE_UNWANTED);
  } catch (error) {
    // The next look is within the minute.
    logger.debug({ err: error }, "sources can't be asked for");
  }
}

/** Asks for each page once, so that the first visitor needn't wait for its code to be read and compiled. */
async function warmUp(address: string, own: string, signal: AbortSignal): Promise<void> {
  const headers = { [OWN_HEADER]: own };
  try {
    for (const { href } of PAGES) await ask(new URL(href, address), { headers, signal });
  } catch {
    // A page that can't be had is the first visitor's to see.
  } finally {
    process.setSourceMapsEnabled(true);
  }
}
