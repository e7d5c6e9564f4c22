import pino from "pino";
import { afterAll, beforeAll, expect, test } from "vitest";
import { freePort } from "@/e2e/product";
import { type Config, loadConfig } from "./config/config";
import { pipelineAnswer } from "./contracts/pipeline";
import { TOPICS } from "./domain/terms";
import { metricsOf } from "./observability/metrics/definitions";
import { freshDatabase, type TestDatabase } from "./testing/database";
import { keyHeader } from "./testing/key-header";
import { startOtlpReceiver } from "./testing/otlp-receiver";
import { readSeries, sumOf } from "./testing/scraped";
import { makeTopics } from "./testing/topics";
import { until } from "./testing/until";
import { runWeb } from "./web";
import { runWorker } from "./worker";

// The pages must be built: `npm test` sees to that.
const logger = pino({ level: "silent" });
const TEXT = { accept: "text/plain;version=0.0.4" };
const OPEN_METRICS = { accept: "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5" };
const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
let db: TestDatabase;
let config: Config;
let web: Awaited<ReturnType<typeof runWeb>>;
let worker: { stop(): Promise<void> };
let url: string;
let receiver: Awaited<ReturnType<typeof startOtlpReceiver>>;
let admin: { readonly authorization: string };

async function runAt(networks: string): Promise<{ readonly at: string; readonly stop: () => Promise<void> }> {
  const loaded = loadConfig({ DATABASE_URL: db.appUrl, METRICS_NETWORKS: networks }, "");
  const running = await runWeb({ ...loaded, server: { ...loaded.server, PORT: await freePort() } }, logger);
  return { at: `http://127.0.0.1:${running.port}/metrics`, stop: running.stop };
}

beforeAll(async () => {
  db = await freshDatabase();
  receiver = await startOtlpReceiver();
  // Of those whose senders say nothing, none: only what a test sends with a trace.
  const traces = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_TRACES_SAMPLER: "parentbased_always_off" };
  const loaded = loadConfig({ DATABASE_URL: db.appUrl, TRACE_SLOW_MS: "600000", ...traces }, "");
  config = { ...loaded, server: { ...loaded.server, PORT: await freePort() } };
  url = `http://127.0.0.1:${config.server.PORT}`;
  await db.pool.query(`INSERT INTO site (id, name) VALUES (1, 'A')`);
  admin = await keyHeader(db.pool, [{ role: "admin", siteId: null }]);
  await makeTopics(config, logger);
  web = await runWeb(config, logger);
  worker = await runWorker(config, logger);
});
afterAll(async () => {
  await web?.stop();
  await worker?.stop();
  await db?.drop();
  await receiver?.stop();
});

const scrape = async (headers: Record<string, string> = {}) => {
  const answer = await fetch(`${url}/metrics`, { headers: { ...TEXT, ...admin, ...headers } });
  expect(answer.status).toBe(200);
  return { type: answer.headers.get("content-type"), text: await answer.text() };
};

async function send(messages: readonly object[], headers: Record<string, string> = {}): Promise<void> {
  await fetch(`${url}/api/v1/telemetry`, {
    method: "POST",
    body: JSON.stringify(messages),
    headers: { ...admin, "content-type": "application/json", ...headers },
  });
}

const pipeline = async () =>
  pipelineAnswer.parse(await (await fetch(`${url}/api/v1/pipeline`, { headers: admin })).json());

test("counters equal what the pipeline's page tells, to the last message", async () => {
  const begun = Date.now() - 60_000;
  const time = (i: number) => new Date(begun + i).toISOString();
  const good = Array.from({ length: 40 }, (_, i) => ({
    device: `d${i % 7}`,
    time: time(i),
    readings: { temperature: i, humidity: i },
  }));
  await send(good);
  await until(async () => (await pipeline()).totals.messages === good.length);
  // Repeats, conflicts, late ones, refused fields, and what the route rejects.
  await send([
    good[3]!,
    { ...good[4]!, readings: { temperature: -1 } },
    { ...good[5]!, time: time(-5000) },
    { device: "d1", time: time(50), readings: { temperature: { nested: true }, humidity: 1 } },
    { device: "d2", time: time(51), readings: { temperature: "warm", humidity: 2 } },
    { device: "", time: time(52), readings: { temperature: 1 } },
  ]);
  await until(async () => {
    const { lag, totals } = await pipeline();
    return lag === 0 && totals.messages === 45 && totals.rejected > 0;
  });
  const { totals, partitions, devices } = await pipeline();
  const series = readSeries((await scrape()).text);
  expect(totals).toMatchObject({ readings: expect.toSatisfy((n: number) => n >= 80), conflicts: 1, duplicates: 2 });
  expect(totals.late).toBeGreaterThan(0);
  expect(totals.deadLetters).toBeGreaterThan(0);
  expect({
    messages: sumOf(series, "fieldwatch_messages_total"),
    readings: series.get('fieldwatch_readings_total{outcome="stored"}'),
    duplicates: series.get('fieldwatch_readings_total{outcome="duplicate"}'),
    conflicts: series.get('fieldwatch_readings_total{outcome="conflict"}'),
    deadLetters: sumOf(series, "fieldwatch_dead_letters_total"),
    late: series.get("fieldwatch_late_readings_total"),
    skipped: series.get("fieldwatch_skipped_messages_total"),
    rejected: sumOf(series, "fieldwatch_ingest_rejected_messages_total"),
    devices: sumOf(series, "fieldwatch_devices"),
  }).toEqual(totals);
  expect(series.get("fieldwatch_ingest_accepted_messages_total")).toBe(totals.messages);
  for (const { topic, partition } of partitions) {
    const labels = `{topic="${topic}",partition="${partition}"}`;
    expect(series.get(`fieldwatch_consumer_lag_messages${labels}`)).toBe(0);
    expect(series.get(`fieldwatch_consumer_lag_seconds${labels}`)).toBe(0);
  }
  expect(series.get('fieldwatch_devices{state="live"}')).toBe(devices.live);
});

test("counters of another web process are the same, and a restart sets none back", async () => {
  const kept = (text: string) =>
    [...readSeries(text)].filter(([key]) => /^fieldwatch_(messages|readings|late|dead|skipped|ingest)/.test(key));
  const before = kept((await scrape()).text);
  expect(before.length).toBeGreaterThan(8);
  const other = await runAt("127.0.0.1");
  try {
    expect(kept(await (await fetch(other.at, { headers: TEXT })).text())).toEqual(before);
  } finally {
    await other.stop();
  }
});

test("every metric of web that can be there is served, and no other", async () => {
  const known = new Set<string>(metricsOf("web").map(([name]) => name));
  const served = (text: string) => new Set([...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name!));
  // There is a series only where there was something to count.
  const isRare = (name: string) =>
    /live_frames|notifications|refused_requests|gc_duration|job_last_end|trace_spans/.test(name);
  // The worker says soon after its start which jobs there are.
  const { text } = await until(async () => {
    const scraped = await scrape();
    const there = served(scraped.text);
    return [...known].every((name) => there.has(name) || isRare(name)) ? scraped : null;
  });
  expect([...served(text)].filter((name) => !known.has(name))).toEqual([]);
  expect(readSeries(text).size).toBeLessThan(1000);
  expect(text).not.toMatch(/="d[0-6]"/);
});

test("OpenMetrics has the trace of who sent as exemplar, and the other format doesn't", async () => {
  await send([{ device: "d1", time: new Date().toISOString(), readings: { temperature: 1 } }], {
    traceparent: `00-${TRACE}-00f067aa0ba902b7-01`,
  });
  const { type, text } = await scrape(OPEN_METRICS);
  expect(type).toContain("application/openmetrics-text");
  expect(text.endsWith("# EOF\n")).toBe(true);
  const [exemplar] = text.split("\n").filter((line) => line.includes(TRACE));
  expect(exemplar).toMatch(
    /^http_server_request_duration_seconds_bucket\{http_request_method="POST",http_response_status_code="202",http_route="telemetry",le="[\d.]+"\} \d+ # \{trace_id="[\da-f]{32}"\} [\d.e-]+ \d+(\.\d+)?$/,
  );
  expect((await scrape()).text).not.toContain(TRACE);
});

test("metrics are for keys that may see all sites, and for networks that were named", async () => {
  const status = async (headers: Record<string, string>, at = `${url}/metrics`) =>
    (await fetch(at, { headers: { ...TEXT, ...headers }, redirect: "manual" })).status;
  expect(await status({})).toBe(401);
  expect(await status({ authorization: "Bearer fw_wrong" })).toBe(401);
  expect(await status({ "x-forwarded-for": "10.0.0.1" })).toBe(401);
  expect(await status(await keyHeader(db.pool, [{ role: "admin", siteId: 1 }]))).toBe(403);
  expect(await status(await keyHeader(db.pool, [{ role: "viewer", siteId: null }]))).toBe(200);
  const refused = await fetch(`${url}/metrics`, { headers: TEXT });
  expect(refused.headers.get("www-authenticate")).toBe("Bearer");
  expect(await refused.text()).toContain("METRICS_NETWORKS");
  const named = await runAt("10.0.0.0/8,127.0.0.0/8");
  const others = await runAt("10.0.0.0/8");
  try {
    expect(await status({}, named.at)).toBe(200);
    expect(await status({}, others.at)).toBe(401);
    // Whoever isn't a trusted proxy can't say that it is from there.
    expect(await status({ "x-forwarded-for": "10.0.0.1" }, others.at)).toBe(401);
  } finally {
    await Promise.all([named.stop(), others.stop()]);
  }
});

test("the page Metrics stays where it is for browsers", async () => {
  for (const accept of ["text/html,application/xhtml+xml,*/*;q=0.8", "*/*"]) {
    const page = await fetch(`${url}/metrics`, { headers: { accept, ...admin } });
    expect(page.headers.get("content-type")).toContain("text/html");
    expect((await fetch(`${url}/metrics`, { headers: { accept }, redirect: "manual" })).status).toBe(303);
  }
});

test("one POST with traceparent is one trace: request, log, batch with its stages, commit; a POST without one is none", async () => {
  const [trace, sender] = ["0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"];
  const one = { device: "traced-1", time: new Date().toISOString(), readings: { t: 1 } };
  await send([{ ...one, device: "untraced-1" }]);
  await send([one, { ...one, device: "traced-2" }], { traceparent: `00-${trace}-${sender}-01` });
  const spans = () => receiver.spans.filter(({ traceId }) => traceId === trace);
  await until(() => spans().some(({ name }) => name === "committed") && spans().length >= 8, { timeoutMs: 30_000 });
  const named = (name: string) => spans().find((span) => span.name === name)!;
  const topic = TOPICS.telemetry;
  const [request, append, batch] = [named("POST telemetry"), named(`send ${topic}`), named(`process ${topic}`)];
  expect(request.parentSpanId).toBe(sender);
  expect(append.parentSpanId).toBe(request.spanId);
  expect(batch.parentSpanId).toBe(append.spanId);
  for (const stage of ["decode", "enrich", "documents", "readings", "committed"])
    expect([stage, named(stage).parentSpanId]).toEqual([stage, batch.spanId]);
  expect(new Set(spans().map(({ service }) => service))).toEqual(new Set(["fieldwatch-web", "fieldwatch-worker"]));
  for (const { startTimeUnixNano: from, endTimeUnixNano: to } of spans()) expect(BigInt(to) >= BigInt(from)).toBe(true);
  // Nothing begins a trace of its own here.
  expect(receiver.spans.filter(({ parentSpanId }) => parentSpanId === undefined)).toEqual([]);
});
