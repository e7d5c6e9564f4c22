import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import mqtt from "mqtt";
import pino from "pino";
import { createPool } from "@/server/postgres/connection";
import { makeSource } from "@/server/testing/source-rig";
import { findJaeger, type Jaeger, type JaegerSpan, startJaeger } from "../jaeger";
import { type CollectedSpan, type Collector, findCollector, startCollector } from "../otel-collector";
import { freePort } from "../product";
import { until } from "../waiting";
import { type Checks, createChecks } from "./checks";
import { readOptions } from "./drill";
import { drained } from "./pipeline";
import { openStage, type Stage } from "./stage";

/** The share of requests that is traced where their sender says nothing. */
const SHARE = 0.1;
const REQUESTS = 1000;
const AT_ONCE = 20;
/** Six standard deviations of how many of {@link REQUESTS} are traced. */
const SPREAD = 6 * Math.sqrt(REQUESTS * SHARE * (1 - SHARE));

/** What a message's trace holds, by the process that tells of it. */
const WANTED = {
  "fieldwatch-web": ["POST telemetry", "send iot.telemetry"],
  "fieldwatch-worker": ["process iot.telemetry", "decode", "enrich", "documents", "readings", "committed"],
} as const;
const WANTED_BY_MQTT = {
  "fieldwatch-intake": ["receive mqtt", "send iot.telemetry"],
  "fieldwatch-worker": WANTED["fieldwatch-worker"],
} as const;

/**
 * A POST that is traced, and a message by MQTT 5, become one trace each with all stages in a real OpenTelemetry Collector, over the log of the mode (`--engines kafka`: through Kafka's
 * headers); under load as many are traced as is set, and none whose sender says no; while the collector is away nothing waits, and what is dropped is
 * counted; metrics sent by OTLP tell of every message. Then a real Jaeger takes the collector's place, and shows the same under load. What can't be built is
 * left out, and named; short, Jaeger is one that was built before.
 */
export async function main(argv: string[]): Promise<number> {
  const { mode, short } = readOptions(argv);
  const found = findCollector();
  if ("missing" in found) {
    console.log(`traces: left out, ${found.missing}`);
    return 0;
  }
  const checks = createChecks(`traces on ${mode} engines`);
  const folder = mkdtempSync(path.join(tmpdir(), "fieldwatch-traces-"));
  const [port, mqttPort] = [await freePort(), await freePort()];
  const jaeger = findJaeger(!short);
  const running: Jaeger[] = [];
  let collector: Collector | null = await startCollector(found.program, folder, port);
  let sent = 0;
  const stage = await openStage(mode, "plain", {
    ...{ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_TRACES_SAMPLER_ARG: String(SHARE) },
    // A busy machine must make none of them slow, which are told of whatever is set.
    TRACE_SLOW_MS: "600000",
    ...{ METRICS_NETWORKS: "127.0.0.1/32", MQTT_PORT: String(mqttPort) },
    ...{ OTEL_METRICS_EXPORTER: "otlp", OTEL_METRIC_EXPORT_INTERVAL: "1000" },
  });
  const spans = () => collector!.spans();
  const many = async (traceparent?: () => string) => {
    const began = performance.now();
    const statuses = await load(stage, sent, traceparent);
    sent += REQUESTS;
    await drained(stage.product, sent);
    const refused = statuses.filter((status) => status !== 202 && status !== 200);
    checks.equal("requests refused", refused, []);
    return performance.now() - began;
  };
  try {
    await one(checks, stage, spans);
    sent++;
    await drained(stage.product, sent);

    await oneByMqtt(checks, stage, mqttPort, spans);
    sent++;
    await drained(stage.product, sent);

    const before = roots(spans()).length;
    const withCollector = await many();
    const traced = () => roots(spans()).length - before;
    await settled(traced);
    checks.that(
      `of ${REQUESTS} requests about ${SHARE * 100} % are traced`,
      Math.abs(traced() - REQUESTS * SHARE) <= SPREAD,
      String(traced()),
    );
    const own = new Set(roots(spans()).map(({ traceId }) => traceId));
    const reached = () =>
      new Set(
        spans()
          .filter(({ name, traceId }) => name === "committed" && own.has(traceId))
          .map(({ traceId }) => traceId),
      ).size;
    await until(() => reached() === own.size, { timeoutMs: 30_000, what: "every trace to be whole" }).catch(
      () => undefined,
    );
    checks.equal("traces that reach the worker's commit", reached(), own.size);

    const ids = new Set<string>();
    await many(() => {
      const id = randomBytes(16).toString("hex");
      ids.add(id);
      return `00-${id}-b7ad6b7169203331-00`;
    });
    const unwanted = spans().filter(({ traceId }) => ids.has(traceId)).length;
    checks.equal("spans of those whose sender says no", unwanted, 0);

    const counted = () => collector!.sumOf("fieldwatch-web", "fieldwatch_messages_total");
    await until(() => counted() === sent, { timeoutMs: 30_000, what: "the count of messages" }).catch(() => undefined);
    checks.equal("messages that metrics sent by OTLP tell of", counted(), sent);

    const dropped = await droppedBy(stage);
    await collector.stop();
    collector = null;
    const without = await many(() => `00-${randomBytes(16).toString("hex")}-b7ad6b7169203331-01`);
    checks.that(
      "nothing waits while the collector is away, though all are traced",
      without < 5 * withCollector + 5000,
      `${Math.round(without)} ms, ${Math.round(withCollector)} ms with it`,
    );
    await until(async () => (await droppedBy(stage)) > dropped, {
      ...{ timeoutMs: 60_000, everyMs: 500, what: "spans to be counted as dropped" },
    }).catch(() => undefined);
    const now = await droppedBy(stage);
    checks.that("what is dropped is counted", now > dropped, `${now - dropped} spans`);

    collector = await startCollector(found.program, folder, port);
    await one(checks, stage, spans);
    sent++;
    if ("missing" in jaeger) console.log(`  left out: Jaeger (${jaeger.missing})`);
    else {
      await collector.stop();
      collector = null;
      const started = await startJaeger(jaeger.program, folder, port);
      running.push(started);
      await inJaeger(checks, stage, started, () => many());
    }
  } catch (error) {
    checks.that("it goes through", false, (error as Error).stack ?? String(error));
  } finally {
    await stage.close();
    await collector?.stop();
    for (const one of running) await one.stop();
    rmSync(folder, { recursive: true, force: true });
  }
  const code = checks.finish();
  if (code === 0) stage.remove();
  else console.log(`Kept for a look: ${stage.folder}`);
  return code;
}

/** Sends a message of a trace, and looks at what became of it. */
async function one(checks: Checks, stage: Stage, spans: () => readonly CollectedSpan[]): Promise<void> {
  const traceId = randomBytes(16).toString("hex");
  const sender = randomBytes(8).toString("hex");
  const { status } = await post(stage, "traced", `00-${traceId}-${sender}-01`);
  checks.that("a traced message is taken", status === 200 || status === 202, String(status));
  await whole(checks, "its trace", WANTED, () => spans().filter((span) => span.traceId === traceId), sender);
}

/** Publishes a message of a trace by MQTT 5, and looks at what became of it. */
async function oneByMqtt(
  checks: Checks,
  stage: Stage,
  port: number,
  spans: () => readonly CollectedSpan[],
): Promise<void> {
  const pool = createPool(stage.connectionString(), { role: "drill", logger: pino({ level: "silent" }), size: 2 });
  const { key } = await makeSource(pool, "drill", { type: "mqtt", topics: [] });
  await pool.end();
  const client = mqtt.connect({
    ...{ host: "127.0.0.1", port, username: "x", password: key },
    ...{ protocolVersion: 5, reconnectPeriod: 500 },
  });
  // It comes again until the listener is there.
  client.on("error", () => {});
  await until(() => client.connected, { timeoutMs: 60_000, what: "the listener of MQTT" });
  const [traceId, sender] = [randomBytes(16).toString("hex"), randomBytes(8).toString("hex")];
  const properties = { userProperties: { traceparent: `00-${traceId}-${sender}-01` } };
  await client.publishAsync("drill/by-mqtt", JSON.stringify({ at: Date.now(), temperature: 21 }), {
    qos: 1,
    properties,
  });
  await client.endAsync();
  await whole(
    checks,
    "the trace by MQTT",
    WANTED_BY_MQTT,
    () => spans().filter((span) => span.traceId === traceId),
    sender,
  );
}

/** Tells whether a trace comes to hold all that is wanted, and each span hangs on another of it or on its sender's. */
async function whole(
  checks: Checks,
  what: string,
  wanted: Readonly<Record<string, readonly string[]>>,
  of: () => readonly CollectedSpan[],
  sender: string,
): Promise<void> {
  const missing = () =>
    Object.entries(wanted).flatMap(([service, names]) =>
      names.filter((name) => !of().some((span) => span.service === service && span.name === name)),
    );
  await until(() => missing().length === 0, { timeoutMs: 60_000, what }).catch(() => undefined);
  checks.equal(`missing in ${what}`, missing(), []);
  const own = new Set(of().map(({ spanId }) => spanId));
  const loose = of().filter(({ parentSpanId = "" }) => parentSpanId !== sender && !own.has(parentSpanId));
  checks.equal(
    `spans of ${what} that hang on nothing`,
    loose.map(({ name }) => name),
    [],
  );
}

/** Sends a message of a trace in the middle of others of which a share is traced, and looks at what Jaeger shows of it, and how many of the others. */
async function inJaeger(checks: Checks, stage: Stage, jaeger: Jaeger, many: () => Promise<unknown>): Promise<void> {
  const traceId = randomBytes(16).toString("hex");
  const underLoad = many();
  const { status } = await post(stage, "shown", `00-${traceId}-${randomBytes(8).toString("hex")}-01`);
  checks.that("Jaeger: a traced message is taken under load", status === 200 || status === 202, String(status));
  await underLoad;
  let shown: readonly JaegerSpan[] = [];
  const missing = () =>
    Object.entries(WANTED).flatMap(([service, names]) =>
      names.filter((name) => !shown.some((span) => span.service === service && span.name === name)),
    );
  const look = async () => {
    const own = await jaeger.trace(traceId);
    // A batch with messages of several traces has one of its own, to which `committed` leads.
    const batches = new Set(own.filter(({ name }) => name === "committed").flatMap(({ links }) => links));
    shown = [...own, ...(await Promise.all([...batches].map((id) => jaeger.trace(id)))).flat()];
    return missing().length === 0;
  };
  await until(look, { timeoutMs: 60_000, everyMs: 500, what: "its trace" }).catch(() => undefined);
  checks.equal("Jaeger: missing in its trace, with the batch it leads to", missing(), []);
  const count = async () => (await jaeger.traces("fieldwatch-web", "POST telemetry", 2 * REQUESTS)).length - 1;
  await settled(count);
  const others = await count();
  checks.that(
    `Jaeger: of ${REQUESTS} other requests about ${SHARE * 100} % are there`,
    Math.abs(others - REQUESTS * SHARE) <= SPREAD,
    String(others),
  );
}

const roots = (spans: readonly CollectedSpan[]) =>
  spans.filter(({ name, parentSpanId = "" }) => name === "POST telemetry" && parentSpanId === "");

/** Waits until a number is the same twice, two seconds apart: spans are sent once a second. */
async function settled(count: () => number | Promise<number>): Promise<void> {
  let last = -1;
  await until(
    async () => {
      const now = await count();
      const isSame = now === last && now > 0;
      last = now;
      return isSame;
    },
    { timeoutMs: 60_000, everyMs: 2000, what: "all spans to be there" },
  ).catch(() => undefined);
}

function post(stage: Stage, device: string, traceparent?: string): Promise<Response> {
  const body = JSON.stringify({ device, time: new Date().toISOString(), readings: { temperature: 21 } });
  return stage.product.fetch("/api/v1/telemetry", {
    ...{ method: "POST", body },
    headers: { "content-type": "application/json", ...(traceparent !== undefined && { traceparent }) },
  });
}

async function load(stage: Stage, from: number, traceparent?: () => string): Promise<number[]> {
  const statuses: number[] = [];
  let next = 0;
  const sender = async () => {
    while (next < REQUESTS) {
      const answer = await post(stage, `load-${(from + next++) % 50}`, traceparent?.());
      await answer.arrayBuffer();
      statuses.push(answer.status);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, sender));
  return statuses;
}

/** Spans that web has dropped, by its own count. */
async function droppedBy(stage: Stage): Promise<number> {
  const answer = await fetch(`${stage.product.url}/metrics`, { headers: { accept: "text/plain" } });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`/metrics: ${answer.status} ${text.slice(0, 300)}`);
  const found = /^fieldwatch_trace_spans_total\{[^}]*outcome="dropped"[^}]*\} (\S+)/m.exec(text);
  return Number(found?.[1] ?? 0);
}
