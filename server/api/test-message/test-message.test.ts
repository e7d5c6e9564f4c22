import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import pino from "pino";
import { afterAll, beforeAll, expect, test } from "vitest";
import { composeEngines, type Engines, topicSettings } from "@/server/compose";
import { composeApi } from "@/server/compose-web";
import { loadConfig } from "@/server/config/config";
import { setupAnswer } from "@/server/contracts/setup";
import { messageTrace, messageTraces, type MessageTraceView } from "@/server/contracts/test-message";
import { createPipelineState } from "@/server/database/pipeline-state";
import { createPrismaClient, type PrismaClient } from "@/server/database/prisma";
import { openAttempt } from "@/server/observability/setup-attempts.mjs";
import { freshDatabase, type TestDatabase } from "@/server/testing/database";
import { until } from "@/server/testing/until";
import { runWorker } from "@/server/worker";
import type { Api } from "../runtime";

const logger = pino({ level: "silent" });
const folder = mkdtempSync(path.join(tmpdir(), "test-message-"));
let db: TestDatabase;
let engines: Engines;
let prisma: PrismaClient;
let api: Api;
let worker: { stop(): Promise<void> } | undefined;

beforeAll(async () => {
  db = await freshDatabase();
  const config = loadConfig({ DATABASE_URL: db.connectionString, FIELDWATCH_DATA_DIR: folder }, "");
  engines = await composeEngines(config, "test", logger);
  prisma = createPrismaClient(engines.pool);
  await engines.eventLog.ensureTopics(topicSettings(config));
  const pipelineState = createPipelineState({ ...engines, staleSeconds: 60, now: Date.now, onLogError: () => {} });
  const head = {
    status: "pass" as const,
    verdict: "",
    parts: { what: "", since: null, means: "" },
    time: new Date().toISOString(),
    version: "0",
    probes: [],
  };
  const health = { answer: () => ({ ...head, engines: engines.names }) };
  api = composeApi({ config, engines, prisma, pipelineState, health, version: "0", logger });
  worker = await runWorker(config, logger);
});
afterAll(async () => {
  await worker?.stop();
  await prisma?.$disconnect();
  await engines?.close();
  await db?.drop();
  rmSync(folder, { recursive: true });
});

const send = (body: string, type = "application/json") =>
  api.handle(
    "sendTestMessage",
    new Request("http://here/api", { method: "POST", body, headers: { "content-type": type } }),
    {},
  );
const get = (id: string) => api.handle("getTestMessage", new Request("http://here/api"), { id });

test("a test message is followed to its live frame, and its device is one like any other", async () => {
  const answer = await send("{}");
  expect(answer.status).toBe(202);
  const sent = messageTrace.parse(await answer.json());
  let trace: MessageTraceView = sent;
  await until(
    async () => {
      trace = messageTrace.parse(await (await get(sent.id)).json());
      return trace.state === "done";
    },
    { what: "the message to arrive", timeoutMs: 15_000 },
  );
  expect(trace.stations.map(({ state }) => state)).toEqual(Array.from({ length: 8 }, () => "done"));
  expect(trace.totalMs).toBeGreaterThan(0);
  const list = await api.handle("listTestMessages", new Request("http://here/api"), {});
  expect(messageTraces.parse(await list.json()).items.map(({ id }) => id)).toEqual([sent.id]);
  const device = await api.handle("getDevice", new Request("http://here/api"), { id: "fieldwatch-test" });
  expect(await device.json()).toMatchObject({ values: { "test-message": { value: 1 } } });
});

test("what can't be sent is refused in the words of the route", async () => {
  const named = await send(JSON.stringify({ device: "two words" }));
  expect(named.status).toBe(400);
  expect(await named.json()).toMatchObject({ type: "/problems/invalid-parameters", errors: [{ at: "device" }] });
  expect((await send('{"devise":"d"}')).status).toBe(400);
  expect((await send("{}", "text/plain")).status).toBe(415);
  expect((await get("00000000-0000-4000-8000-000000000000")).status).toBe(404);
  expect((await get("not-an-id")).status).toBe(400);
});

test("starts are told, newest first", async () => {
  const attempt = openAttempt(folder);
  attempt.begin("worker");
  attempt.done("worker");
  attempt.ready();
  const answer = await api.handle("listSetup", new Request("http://here/api"), {});
  expect(answer.status).toBe(200);
  expect(setupAnswer.parse(await answer.json())).toMatchObject({
    attempts: [{ outcome: "done", steps: [{ name: "worker", outcome: "done" }] }],
  });
});
