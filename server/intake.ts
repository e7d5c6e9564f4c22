import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { setImmediate } from "node:timers/promises";
import { createAuthenticator } from "./access/authenticate";
import { watchAccess } from "./access/watch";
import { pause } from "./async/backoff";
import { oneMore } from "./async/one-more";
import { composeEngines, openSourceKafka } from "./compose";
import { collectPools } from "./compose-metrics";
import { composeDoors } from "./compose-sources";
import { mqttListener } from "./config/address";
import type { Config } from "./config/config";
import { createKeptSecrets } from "./config/kept-secrets";
import { createSeldom } from "./front-door/seldom";
import { noIngestCounts, writeIngestRates } from "./ingest/ingest-rates";
import { IngestRefusedError } from "./ingest/refused";
import { applyLevel } from "./boot/log-level";
import { databaseConnection } from "./postgres/connection";
import { isRetryable } from "./postgres/error-classes";
import { followLogLevel } from "./postgres/log-level";
import { openMetricsPort } from "./metrics-port";
import { pushMetrics } from "./metrics-push";
import type { Logger } from "./observability/logger";
import { createMetrics } from "./observability/metrics/metrics";
import { collectProcess } from "./observability/metrics/process-metrics";
import { openTracing } from "./observability/tracing/tracing";
import { createTally } from "./observability/tally";
import type { Running } from "./observability/running";
import { type Counted, writeClients } from "./sources/counts";
import { bridgeDoors } from "./sources/doors/bridge-door";
import { createDeliver, deliveryOf } from "./sources/doors/deliver";
import { kafkaDoors } from "./sources/doors/kafka-door";
import { keepDoors } from "./sources/doors/keep-doors";
import { type MqttDoor, openMqttDoor } from "./sources/doors/mqtt-door";
import { writeReports } from "./sources/doors/reports";
import type { OpenSource } from "./sources/intake";
import type { Published } from "./sources/mqtt/durable-queue";
import { MQTT_LIMITS } from "./sources/mqtt/listener";
import { ENDINGS } from "./sources/mqtt/protocol";
import type { Incoming } from "./sources/read";
import { createBirths } from "./sources/sparkplug/births";
import { createSparkplugNodes } from "./sources/sparkplug/nodes";
import { certificateOf } from "./own-certificate";
import { traceDelivered, traceDeliveries } from "./trace-deliveries";

/** The time doors may take to let what they took become durable, in milliseconds; then its senders send it again. */
const DRAIN_MS = 4000;
/** Interval of telling the state of doors and the number of clients, in milliseconds. */
const TELL_MS = 10_000;
const TOGETHER_MS = 500;

/** What ignores a message to a topic that isn't one of its source's. */
const BY_TOPIC: ReadonlyMap<string, number> = new Map([["topic", 1]]);

/** Publishes to whoever sent. */
type Ask = (topic: string, payload: Uint8Array) => void;

/**
 * Runs the doors of sources that are no routes: the MQTT listener, and what reads brokers and logs of others. Opens and closes them as
 * sources change; one that can't be opened says why on Health, and is tried again.
 */
export async function runIntake(config: Config, logger: Logger): Promise<Running> {
  const keptSecrets = createKeptSecrets(config);
  const metrics = createMetrics("intake");
  const tracing = await openTracing(config, "intake", (outcome, count) =>
    metrics.count("fieldwatch_trace_spans_total", { outcome }, count),
  );
  const opened = await composeEngines(config, "intake", logger);
  const engines = { ...opened, eventLog: traceDelivered(opened.eventLog, tracing) };
  const { pool } = engines;
  const tally = createTally({
    empty: noIngestCounts,
    write: (buckets) => writeIngestRates(pool, buckets),
    now: Date.now,
    onError: (error) => logger.debug({ err: error }, "counts of doors can't be written"),
  });
  const own = composeDoors({ config, engines, ingestCounts: () => tally.current(), logger });
  const { sources } = own;
  const authenticator = createAuthenticator(pool, { secure: "", plain: "" });
  const certificate = certificateOf(config, logger);
  const name = `${hostname()}:${process.pid}:${randomBytes(3).toString("hex")}`;
  const stopping = new AbortController();
  collectPools(metrics, { intake: pool });
  const stopProcess = collectProcess(metrics);
  let isSettled = false;
  const port = await openMetricsPort(config, "intake", metrics, logger, () => isSettled && !stopping.signal.aborted);
  const pushed = pushMetrics(config, metrics, logger);
  const stopFollowing = followLogLevel(pool, (level) => applyLevel(logger, config.server.LOG_LEVEL, level));
  const mayTell = createSeldom(() => performance.now());

  const untraced = createDeliver({
    intake: own.intake,
    isPassing: (error) =>
      isRetryable(error) || (error instanceof IngestRefusedError && error.more.retryAfterSeconds !== undefined),
    onPoison(source, { arrived, body, beside }, error) {
      logger.error({ err: error, source: source.name, topic: beside.topic }, "a delivery can't be taken");
      const refused = [{ path: "", reason: "tooLarge" as const, detail: String(error).slice(0, 300) }];
      count(source, { at: arrived, bytes: body.byteLength, refused });
    },
  });
  const deliver = traceDeliveries(tracing, untraced);
  const count = (source: OpenSource, one: Partial<Pick<Counted, "at" | "bytes" | "refused" | "ignoredBy">>) =>
    own.counting.add(source.name, {
      ...{ at: Date.now(), bytes: 0, accepted: 0, isKept: false, ignoredBy: new Map(), refused: [] },
      ...{ isIgnored: one.refused === undefined, ...one },
    });
  const nodes = createSparkplugNodes(createBirths(pool));
  /** Batches of Sparkplug that the log didn't take yet: their births were read. */
  const completed = new WeakMap<readonly Published[], readonly Incoming[]>();
  async function publish(source: OpenSource, batch: readonly Published[], ask?: Ask): Promise<void> {
    if (source.mapping.decode !== "sparkplug") return deliver(source, batch.map(deliveryOf));
    const deliveries = completed.get(batch) ?? (await nodes.complete(source.id, batch.map(deliveryOf), ask));
    completed.set(batch, deliveries);
    await deliver(source, deliveries);
  }
  const onTrouble = (source: OpenSource, error: unknown) => {
    if (mayTell(`trouble ${source.name}`))
      logger.warn({ err: error, source: source.name }, "what came is held, and tried again until the log has it");
  };

  const opens = {
    kafka: kafkaDoors({
      ...{ deliver, onTrouble, onState: tellSoon },
      openLog: (door, secret) => openSourceKafka(config, door, secret, logger),
    }),
    "mqtt-bridge": bridgeDoors({
      ...{ publish, onTrouble, onState: tellSoon },
      onTooLarge(source, topic, bytes) {
        const detail = `${bytes} bytes at ${topic.slice(0, 100)} are more than a door takes`;
        count(source, { bytes, refused: [{ path: "", reason: "tooLarge", detail }] });
      },
    }),
  };
  const doors = keepDoors(opens, keptSecrets);
  let listener: MqttDoor | null = null;
  certificate?.keepCurrent({ setSecureContext: (pair) => listener?.setSecureContext(pair) });

  function openListener(): MqttDoor {
    return openMqttDoor({
      host: config.server.HOST,
      port: mqttListener(config).port,
      tls: certificate?.pair ?? null,
      maxConnections: config.frontDoor.MAX_CONNECTIONS,
      maxPerAddress: config.frontDoor.MAX_CONNECTIONS_PER_ADDRESS,
      clientsPerSource: config.intake.MQTT_CLIENTS_PER_SOURCE,
      ...{ sources, publish, onTrouble, onState: tellSoon },
      async sourceOf(key, address) {
        const shown = { cookie: null, authorization: `Bearer ${key}`, address, isHttps: certificate !== null };
        const caller = await authenticator.callerOf(shown);
        return caller.kind === "key" ? (caller.sourceId ?? null) : null;
      },
      onNotTaken: (source) => count(source, { ignoredBy: BY_TOPIC }),
      onRefused(source, ending, clientId) {
        const limit = ending === ENDINGS.tooLarge ? `: the limit is ${MQTT_LIMITS.packetBytes} bytes` : "";
        const reason = ending === ENDINGS.tooLarge ? "tooLarge" : "unreadable";
        count(source, {
          refused: [
            {
              path: "",
              reason,
              detail: `the MQTT client ${JSON.stringify(clientId.slice(0, 80))} ${ending.words}${limit}`,
            },
          ],
        });
      },
      onEnded({ words }, introduction) {
        if (mayTell(`${introduction?.address} ${words}`))
          logger.info({ address: introduction?.address, client: introduction?.clientId }, `an MQTT client ${words}`);
      },
    });
  }

  /** Opens and closes doors, as sources have it now. */
  const settle = oneMore(async () => {
    // What changes together is settled together.
    await setImmediate();
    const all = await sources.all();
    const isListening = config.intake.MQTT_PORT !== undefined || all.some(({ door }) => door.type === "mqtt");
    if (isListening) listener ??= openListener();
    await doors.settle(all);
    await listener?.review();
    isSettled = true;
    if (!isListening && listener !== null) {
      const closing = listener;
      listener = null;
      await closing.stop(DRAIN_MS);
    }
    tellSoon();
  });

  let lastTold = "";
  const tell = oneMore(async () => {
    // Many who come together are told once.
    await pause(TOGETHER_MS, stopping.signal);
    if (stopping.signal.aborted) return;
    const reports = [
      ...(listener === null ? [] : [{ sourceId: null, state: listener.state() }]),
      ...[...doors.open()].map(([{ id }, door]) => ({ sourceId: id, state: door.state() })),
    ];
    for (const { state } of reports) {
      const line = `${state.what}${state.trouble === null ? " is open" : `: ${state.trouble}`}`;
      if (!lastTold.includes(line))
        logger[state.trouble === null ? "info" : "warn"]({ fix: state.fix ?? undefined }, line);
    }
    lastTold = reports
      .map(({ state }) => `${state.what}${state.trouble === null ? " is open" : `: ${state.trouble}`}`)
      .join();
    await writeReports(pool, name, reports);
    await writeClients(pool, name, listener?.clients() ?? new Map());
  });
  const onTellError = (error: unknown) => logger.debug({ err: error }, "the state of doors can't be told");
  function tellSoon(): void {
    tell().catch(onTellError);
  }
  const telling = setInterval(tellSoon, TELL_MS);

  const stopWatching = watchAccess(databaseConnection(config), logger, (changed) => {
    own.forget(changed);
    if (changed === "catalog" || changed === "people") return;
    authenticator.forget(changed);
    settle().catch((error: unknown) => logger.warn({ err: error }, "sources can't be asked for"));
  });

  let stopped: Promise<void> | undefined;
  return {
    stop: () =>
      (stopped ??= (async () => {
        stopping.abort();
        stopFollowing();
        clearInterval(telling);
        await stopWatching();
        certificate?.stop();
        await pushed.stop();
        await port?.stop();
        stopProcess();
        await Promise.all([listener?.stop(DRAIN_MS), doors.stop(DRAIN_MS)]);
        await Promise.all([own.stop(), tally.stop(), tracing?.stop()]);
        await engines.close();
      })()),
  };
}
