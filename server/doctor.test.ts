import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import pino from "pino";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { ProbeResult } from "./contracts/health";
import { composeEngines, topicSettings } from "./compose";
import { loadConfig } from "./config/config";
import { runDoctor } from "./doctor";
import { freshDatabase, type TestDatabase } from "./testing/database";

const logger = pino({ level: "silent" });
let db: TestDatabase;
let dataDir: string;
let servers: Server[] = [];
beforeAll(async () => {
  db = await freshDatabase();
  dataDir = mkdtempSync(path.join(tmpdir(), "fieldwatch-doctor-"));
  const config = loadConfig({ DATABASE_URL: db.appUrl, FIELDWATCH_DATA_DIR: dataDir }, "");
  const engines = await composeEngines(config, "test", logger);
  await engines.eventLog.ensureTopics(topicSettings(config));
  await engines.close();
});
afterEach(async () => {
  for (const server of servers) await new Promise((resolve) => server.close(resolve));
  servers = [];
});
afterAll(async () => {
  await db.drop();
  rmSync(dataDir, { recursive: true });
});

async function serve(answer: RequestListener): Promise<number> {
  const server = createServer({ keepAlive: false }, answer);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

/** A port on which nothing listens any more. */
async function freePort(): Promise<number> {
  const port = await serve(() => {});
  await new Promise((resolve) => servers.pop()!.close(resolve));
  return port;
}

async function ask(env: Record<string, string>, ...argv: string[]): Promise<{ said: string; code: number }> {
  const usual = { DATABASE_URL: db.appUrl, FIELDWATCH_DATA_DIR: dataDir, PORT: String(await freePort()) };
  let said = "";
  const code = await runDoctor(loadConfig({ ...usual, ...env }, ""), logger, argv, (text) => (said += text));
  return { said, code };
}

const probesOf = (json: string) => (JSON.parse(json) as { probes: ProbeResult[] }).probes;

test("each check is told once, what isn't right with its cause and fix, and programs read the same", async () => {
  const { said, code } = await ask({});
  const probes = probesOf((await ask({}, "--json")).said);
  expect(code).toBe(1);
  expect(said).toContain("\nPostgreSQL\n  ok    ");
  const workers = probes.find(({ name }) => name === "pipeline.workers")!;
  expect(workers.status).toBe("fail");
  expect(said).toContain(
    `  FAIL  ${workers.title}: ${workers.summary}\n        why  ${workers.cause}\n        fix  ${workers.fix}`,
  );
  for (const { title } of probes) expect(said).toContain(`  ${title}: `);
  expect(said).toMatch(new RegExp(`\\n\\n${probes.length} checks: \\d+ fail`));
  // Nobody can tell from outside whether browsers are reached.
  expect(probes.filter(({ name }) => name.startsWith("live."))).toEqual([]);
});

test("an engine that is away is told as Health tells it", async () => {
  const port = await freePort();
  const { said, code } = await ask({ DATABASE_URL: `postgresql://someone@127.0.0.1:${port}/fieldwatch` });
  expect(code).toBe(1);
  expect(said).toContain("PostgreSQL does not answer.\n");
  expect(said).toContain(`why  Nothing listens on 127.0.0.1:${port} (ECONNREFUSED).`);
  expect(said).toContain("First mend PostgreSQL: see its failing probes.");
});

test("where the embedded engine doesn't run, that is told beside what can be asked", async () => {
  const empty = mkdtempSync(path.join(tmpdir(), "fieldwatch-doctor-"));
  let said = "";
  const config = loadConfig({ FIELDWATCH_DATA_DIR: empty, PORT: String(await freePort()) }, "");
  expect(await runDoctor(config, logger, [], (text) => (said += text))).toBe(1);
  rmSync(empty, { recursive: true });
  expect(said).toContain("FAIL  Something to ask: There is no PostgreSQL to work with.");
  expect(said).toContain("Start everything with npm start");
  expect(said).toContain("ok    Room on the disk: ");
});

test("a data folder that is a file is told with how to name another, whatever PostgreSQL is used", async () => {
  const file = path.join(dataDir, "a-file");
  writeFileSync(file, "");
  const why = `why  ${file} is a file; Fieldwatch keeps its data in a folder.`;
  const beside = await ask({ FIELDWATCH_DATA_DIR: file });
  expect(beside.code).toBe(1);
  expect(beside.said).toContain(`FAIL  The data folder: The data folder can't be made.\n        ${why}`);
  expect(beside.said).toContain("FIELDWATCH_DATA_DIR=/path/to/folder npm start");
  const embedded = loadConfig({ FIELDWATCH_DATA_DIR: path.join(file, "below"), PORT: String(await freePort()) }, "");
  let said = "";
  expect(await runDoctor(embedded, logger, [], (text) => (said += text))).toBe(1);
  expect(said).toContain("FAIL  Something to ask: The data folder can't be made.");
  expect(said).toContain(`would be below ${file}, which is a file`);
  expect((await ask({})).said).toContain(`ok    The data folder: ${dataDir} can be written to.`);
});

test("the port is free, Fieldwatch's or another program's", async () => {
  const portOf = async (port: number) => {
    const { said } = await ask({ PORT: String(port) }, "--json");
    return probesOf(said).find(({ name }) => name === "doctor.port");
  };
  expect(await portOf(await freePort())).toMatchObject({ status: "pass", summary: expect.stringContaining("is free") });
  const own = await serve((_, answer) => answer.setHeader("content-type", "application/json").end('{"status":"live"}'));
  expect(await portOf(own)).toMatchObject({
    status: "pass",
    summary: `Fieldwatch answers at http://localhost:${own}.`,
  });
  const other = await serve((_, answer) => answer.end("hello"));
  expect(await portOf(other)).toMatchObject({
    status: "fail",
    summary: `Port ${other} is taken.`,
    cause: expect.stringContaining("Another program listens"),
    fix: expect.stringContaining("PORT="),
  });
});

test("what takes traces and metrics is asked, where they are sent: it takes them, wants a header, or isn't there", async () => {
  const asked: string[] = [];
  const receiver = await serve((request, answer) => {
    asked.push(`${request.method} ${request.url} ${request.headers.authorization}`);
    answer.writeHead(request.url === "/v1/traces" ? 200 : 401).end("{}");
  });
  const otlp = async (env: Record<string, string>) =>
    probesOf((await ask(env, "--json")).said).filter(({ name }) => name.startsWith("otlp."));
  expect(await otlp({})).toEqual([]);
  const at = {
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${receiver}/`,
    ...{ OTEL_EXPORTER_OTLP_HEADERS: "authorization=Bearer%20abc", OTEL_METRICS_EXPORTER: "otlp" },
  };
  expect(await otlp(at)).toMatchObject([
    { name: "otlp.traces", status: "pass" },
    {
      ...{ name: "otlp.metrics", status: "warn", cause: `http://127.0.0.1:${receiver}/v1/metrics answers 401.` },
      fix: expect.stringContaining("OTEL_EXPORTER_OTLP_HEADERS"),
    },
  ]);
  expect(asked.toSorted()).toEqual(["POST /v1/metrics Bearer abc", "POST /v1/traces Bearer abc"]);
  const port = await freePort();
  expect(await otlp({ OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` })).toMatchObject([
    { name: "otlp.traces", status: "warn", cause: `http://127.0.0.1:${port}: ECONNREFUSED.` },
  ]);
  const [away] = await otlp({ ...at, OTEL_TRACES_SAMPLER: "always_off" });
  expect(away!.name).toBe("otlp.metrics");
});

test("an option that isn't there is refused with one that is", async () => {
  await expect(ask({}, "--yaml")).rejects.toMatchObject({ what: "Nothing was checked" });
});
