import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import mqtt, { type IClientOptions, type MqttClient } from "mqtt";
import pino from "pino";
import { afterAll, beforeAll, expect, test } from "vitest";
import { freePort } from "@/e2e/product";
import { type Config, loadConfig } from "./config/config";
import { createKeptSecrets } from "./config/kept-secrets";
import { runIntake } from "./intake";
import { readTotals } from "./sources/counts";
import { readDoors } from "./sources/doors/reports";
import { freshDatabase, type TestDatabase } from "./testing/database";
import { startOtlpReceiver } from "./testing/otlp-receiver";
import { makeSource } from "./testing/source-rig";
import { makeTopics } from "./testing/topics";
import { until } from "./testing/until";
import { runWorker } from "./worker";

const logger = pino({ level: "silent" });
let db: TestDatabase;
let port: number;
const dataDir = mkdtempSync(path.join(tmpdir(), "fieldwatch-intake-"));
let config: Config;
let receiver: Awaited<ReturnType<typeof startOtlpReceiver>>;
let intake: Awaited<ReturnType<typeof runIntake>>;

beforeAll(async () => {
  db = await freshDatabase();
  port = await freePort();
  receiver = await startOtlpReceiver();
  config = loadConfig(
    {
      ...{ DATABASE_URL: db.appUrl, FIELDWATCH_DATA_DIR: dataDir, MQTT_PORT: String(port) },
      // However slow the machine, only those are told of whose sender says so.
      ...{ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_TRACES_SAMPLER_ARG: "0", TRACE_SLOW_MS: "600000" },
    },
    "",
  );
  await makeTopics(config, logger);
  intake = await runIntake(config, logger);
});
afterAll(async () => {
  await intake?.stop();
  await receiver?.stop();
  await db?.drop();
  rmSync(dataDir, { recursive: true });
});

async function connect(options: IClientOptions): Promise<MqttClient> {
  const settings = { username: "x", reconnectPeriod: 0, ...options };
  return mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, settings, false);
}
const records = async () =>
  (await db.pool.query<{ n: number }>(`SELECT coalesce(sum(records), 0)::float8 AS n FROM log_batch`)).rows[0]!.n;
const seen = () => readDoors(db.pool);

test("the listener takes messages of a source by its key, and counts them and its clients", async () => {
  await until(async () => (await seen()).reports.some(({ trouble }) => trouble === null));
  const { id, key } = await makeSource(db.pool, "barn", { type: "mqtt", topics: ["barn/#"] });
  const client = await until(() => connect({ password: key }));
  const before = await records();
  await Promise.all(
    Array.from({ length: 100 }, (_, i) =>
      client.publishAsync(`barn/cow-${i % 7}`, `{"at":${Date.now()},"t":${i}}`, { qos: 1 }),
    ),
  );
  expect((await records()) - before).toBe(100);
  await client.publishAsync("shed/1", "{}", { qos: 1 });
  await until(async () => {
    const totals = (await readTotals(db.pool, [id])).get(id)!;
    return totals.received === 101 && totals.accepted === 100 && totals.ignored === 1 && totals.clients === 1;
  });
  // A key that doesn't work any more lets nobody go on.
  await db.pool.query(`UPDATE access_key SET revoked_at = now() WHERE source_id = $1`, [id]);
  await until(() => !client.connected);
  await client.endAsync(true);
});

test("what MQTT 5 says of a trace goes on in it up to the worker's commit; what says nothing is told of nowhere", async () => {
  const worker = await runWorker(config, logger);
  try {
    const { key } = await makeSource(db.pool, "traced", { type: "mqtt", topics: [] });
    const five = await until(() => connect({ password: key, protocolVersion: 5 }));
    const [yes, no] = ["0af7651916cd43dd8448eb211c80319c", "0af7651916cd43dd8448eb211c80319d"];
    const say = (traceparent?: string | string[]) =>
      five.publishAsync("hall/press", `{"at":${Date.now()},"t":1}`, {
        qos: 1,
        properties: traceparent === undefined ? {} : { userProperties: { traceparent } },
      });
    await Promise.all([say(), say(`00-${no}-b7ad6b7169203331-00`), say("nonsense"), say(["a", "b"])]);
    await say(`00-${yes}-b7ad6b7169203331-01`);
    const named = (name: string) => receiver.spans.find((span) => span.traceId === yes && span.name === name);
    await until(() => named("committed"));
    await until(() => named("receive mqtt"));
    expect(named("receive mqtt")).toMatchObject({ service: "fieldwatch-intake", parentSpanId: "b7ad6b7169203331" });
    expect(named("send iot.telemetry")!.parentSpanId).toBe(named("receive mqtt")!.spanId);
    expect(named("process iot.telemetry")).toMatchObject({
      service: "fieldwatch-worker",
      parentSpanId: named("send iot.telemetry")!.spanId,
    });
    expect(receiver.spans.filter(({ traceId }) => traceId !== yes)).toEqual([]);
    await five.endAsync(true);
  } finally {
    await worker.stop();
  }
});

test("keys of other kinds, and of sources that come another way, are told so", async () => {
  const { key } = await makeSource(db.pool, "by-route", { type: "http" });
  await expect(connect({ password: key, protocolVersion: 5 })).rejects.toThrow(/Not authorized/);
  await expect(connect({ password: "fwi_nonsense" })).rejects.toThrow(/Not authorized/);
});

test("a bridge whose password is encrypted with another key says so, and opens once this process has that key", async () => {
  const theirs = mkdtempSync(path.join(tmpdir(), "fieldwatch-theirs-"));
  const sealed = createKeptSecrets(loadConfig({ FIELDWATCH_DATA_DIR: theirs }, "")).seal("secret", "source sealed");
  const nowhere = await freePort();
  const door = { type: "mqtt-bridge", url: `mqtt://127.0.0.1:${nowhere}`, clientId: "fw", ca: null } as const;
  const wanted = { ...door, username: "me", topics: ["#"], qos: 1 } as const;
  const { id } = await makeSource(db.pool, "sealed", wanted, { secret: sealed });
  const troubled = (words: RegExp) =>
    until(async () =>
      (await seen()).reports.find(({ source, trouble }) => source === "sealed" && words.test(trouble ?? "")),
    );
  const report = await troubled(/source sealed is encrypted with the key [0-9a-f]{16}, and .*secrets\.key/);
  expect(report.fix).toContain("SECRETS_KEY_FILE");
  copyFileSync(path.join(theirs, "secrets.key"), path.join(dataDir, "secrets.key"));
  await db.pool.query(`UPDATE source SET title = 'again' WHERE id = $1`, [id]);
  await troubled(/Nothing listens/);
  await db.pool.query(`UPDATE source SET enabled = false WHERE id = $1`, [id]);
  rmSync(theirs, { recursive: true });
});

test("a bridge that can't connect says so on Health, and goes when its source is switched off", async () => {
  const nowhere = await freePort();
  const door = {
    type: "mqtt-bridge",
    url: `mqtt://127.0.0.1:${nowhere}`,
    clientId: "fw",
    username: null,
    ca: null,
  } as const;
  const { id } = await makeSource(db.pool, "far", { ...door, topics: ["#"], qos: 1 });
  const report = await until(async () =>
    (await seen()).reports.find(({ source, trouble }) => source === "far" && /Nothing listens/.test(trouble ?? "")),
  );
  expect(report.what).toBe(`bridge to mqtt://127.0.0.1:${nowhere}`);
  await db.pool.query(`UPDATE source SET enabled = false WHERE id = $1`, [id]);
  await until(async () => !(await seen()).reports.some(({ source }) => source === "far"));
});
