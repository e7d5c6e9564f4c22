import pino from "pino";
import { afterAll, beforeAll, expect, test } from "vitest";
import { freePort } from "@/e2e/product";
import { composeEngines, type Engines } from "./compose";
import { type Config, loadConfig } from "./config/config";
import { TOPICS } from "./domain/terms";
import { openMetricsPort } from "./metrics-port";
import { withinNetworks } from "./observability/metrics/answer";
import { metricsOf, type MetricsRole } from "./observability/metrics/definitions";
import { createMetrics } from "./observability/metrics/metrics";
import { runIntake } from "./intake";
import { freshDatabase, type TestDatabase } from "./testing/database";
import { readSeries, sumOf } from "./testing/scraped";
import { makeTopics } from "./testing/topics";
import { until } from "./testing/until";
import { runWorker } from "./worker";

const logger = pino({ level: "silent" });
let db: TestDatabase;
let config: Config;
let engines: Engines;
let port: number;

beforeAll(async () => {
  db = await freshDatabase();
  port = await freePort();
  config = loadConfig({ DATABASE_URL: db.appUrl, METRICS_PORT: String(port) }, "");
  await makeTopics(config, logger);
  engines = await composeEngines(config, "test", logger);
});
afterAll(async () => {
  await engines?.close();
  await db?.drop();
});

const scrape = async (at = port) => {
  const answer = await fetch(`http://127.0.0.1:${at}/metrics`);
  expect(answer.status).toBe(200);
  return answer.text();
};
const namesIn = (text: string) => [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name!);
const unknownTo = (role: MetricsRole, text: string) => {
  const known = new Set<string>(metricsOf(role).map(([name]) => name));
  return namesIn(text).filter((name) => !known.has(name));
};

const probe = async (name: "livez" | "readyz", at = port) =>
  (await fetch(`http://127.0.0.1:${at}/${name}`).catch(() => null))?.status;

test("a worker tells each message once in its histograms, with what each stage took", async () => {
  const worker = await runWorker(config, logger);
  try {
    const message = (i: number) => ({
      key: `d${i}`,
      value: Buffer.from(
        JSON.stringify({ device: `d${i}`, time: new Date().toISOString(), readings: { temperature: i } }),
      ),
    });
    await engines.eventLog.append(
      TOPICS.telemetry,
      Array.from({ length: 20 }, (_, i) => message(i)),
    );
    await until(async () => sumOf(readSeries(await scrape()), "fieldwatch_ingest_to_commit_seconds_count") === 20);
    expect([await probe("livez"), await probe("readyz")]).toEqual([200, 200]);
    const text = await scrape();
    const series = readSeries(text);
    expect(series.get("fieldwatch_batch_messages_sum")).toBe(20);
    expect(series.get('fieldwatch_ingest_to_commit_seconds_bucket{le="+Inf"}')).toBe(20);
    for (const stage of ["decode", "enrich", "documents", "readings"])
      expect(series.get(`fieldwatch_stage_duration_seconds_count{stage="${stage}"}`)).toBeGreaterThan(0);
    expect(series.get('fieldwatch_stage_duration_seconds_count{stage="wait"}')).toBe(20);
    expect(sumOf(series, "fieldwatch_postgres_pool_connections")).toBeGreaterThan(0);
    expect(series.get("process_resident_memory_bytes")).toBeGreaterThan(10_000_000);
    expect(series.get("nodejs_eventloop_utilization_ratio")).toBeLessThanOrEqual(1);
    expect(unknownTo("worker", text)).toEqual([]);
  } finally {
    await worker.stop();
  }
  await expect(fetch(`http://127.0.0.1:${port}/metrics`)).rejects.toThrow();
});

test("intake serves its own at the next port", async () => {
  const intake = await runIntake(config, logger);
  try {
    await until(async () => (await probe("readyz", port + 1)) === 200, { what: "intake is ready" });
    const text = await scrape(port + 1);
    expect(text).toContain('role="intake"');
    expect(unknownTo("intake", text)).toEqual([]);
  } finally {
    await intake.stop();
  }
});

test("the port answers scrapes alone, and says what is wrong when it is taken", async () => {
  const metrics = createMetrics("worker");
  let isReady = false;
  const open = await openMetricsPort(config, "worker", metrics, logger, () => isReady);
  try {
    expect([await probe("livez"), await probe("readyz")]).toEqual([200, 503]);
    isReady = true;
    expect(await probe("readyz")).toBe(200);
    const answer = async (path: string, method = "GET") =>
      (await fetch(`http://127.0.0.1:${port}${path}`, { method })).status;
    expect(await answer("/")).toBe(404);
    expect(await answer("/api/v1/pipeline")).toBe(404);
    expect(await answer("/metrics", "POST")).toBe(405);
    expect(await answer("/metrics", "HEAD")).toBe(200);
    await expect(openMetricsPort(config, "worker", metrics, logger)).rejects.toThrow(/can't serve its metrics/);
  } finally {
    await open?.stop();
  }
  const without = loadConfig({ DATABASE_URL: db.appUrl }, "");
  expect(await openMetricsPort(without, "worker", metrics, logger)).toBeNull();
});

test("networks are told by address and by block, of both families", () => {
  const isAllowed = withinNetworks(["10.0.0.0/8", "192.168.1.7", "fc00::/7"]);
  const told = ["10.255.0.1", "::ffff:10.1.2.3", "192.168.1.7", "fd00::1"];
  expect(told.filter(isAllowed)).toEqual(told);
  expect(["11.0.0.1", "192.168.1.8", "2001:db8::1", "", "10.0.0", null].filter(isAllowed)).toEqual([]);
});
