import { gzipSync } from "node:zlib";
import pino from "pino";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { z } from "zod";
import { composeEngines, type Engines, topicSettings } from "@/server/compose";
import { composeApi } from "@/server/compose-web";
import { type Config, loadConfig } from "@/server/config/config";
import { problem } from "@/server/contracts/common";
import { deviceDetail, devicesAnswer, messagesAnswer, metricsAnswer, readingsAnswer } from "@/server/contracts/devices";
import { healthAnswer } from "@/server/contracts/health";
import { deadLettersAnswer } from "@/server/contracts/dead-letters";
import { pipelineAnswer } from "@/server/contracts/pipeline";
import { telemetryAnswer } from "@/server/contracts/telemetry";
import { createPipelineState } from "@/server/database/pipeline-state";
import { createPrismaClient, type PrismaClient } from "@/server/database/prisma";
import { LogUnavailableError } from "@/server/ports/event-log";
import { freshDatabase, type TestDatabase } from "@/server/testing/database";
import { until } from "@/server/testing/until";
import { runWorker } from "@/server/worker";
import type { Api } from "./runtime";
import type { VerbName } from "./verbs";

const logger = pino({ level: "silent" });
const NDJSON = { "content-type": "application/x-ndjson" };
const JSON_TYPE = { "content-type": "application/json" };
const now = Date.now();
const message = (name: string, i: number, readings: object = { temperature: i, door: i % 2 === 0 }) => ({
  device: name,
  time: new Date(now - 600_000 + i * 1000).toISOString(),
  site: name < "m" ? "north" : "south",
  type: "press",
  readings,
});

let db: TestDatabase;
let config: Config;
let engines: Engines;
let prisma: PrismaClient;
let api: Api;
let worker: { stop(): Promise<void> };

function composed(overrides: Partial<Config["ingest"]> = {}, eventLog = engines.eventLog): Api {
  const pipelineState = createPipelineState({ ...engines, staleSeconds: 60, now: Date.now, onLogError: () => {} });
  const answer = () => ({
    status: "pass" as const,
    verdict: "",
    time: new Date().toISOString(),
    version: "0",
    engines: engines.names,
    probes: [],
  });
  return composeApi({
    config: { ...config, ingest: { ...config.ingest, ...overrides } },
    engines: { ...engines, eventLog },
    prisma,
    pipelineState,
    health: { answer },
    version: "0",
    logger,
  });
}

beforeAll(async () => {
  db = await freshDatabase();
  config = loadConfig({ DATABASE_URL: db.connectionString }, "");
  engines = await composeEngines(config, "test", logger);
  prisma = createPrismaClient(engines.pool);
  await engines.eventLog.ensureTopics(topicSettings(config));
  api = composed();
  worker = await runWorker(config, logger);
});
afterAll(async () => {
  await worker?.stop();
  await prisma?.$disconnect();
  await engines?.close();
  await db?.drop();
});

function get(verb: VerbName, params: Record<string, string> = {}, query = ""): Promise<Response> {
  return api.handle(verb, new Request(`http://here/api?${query}`), params);
}

async function read<T extends z.ZodType>(schema: T, answer: Promise<Response>): Promise<z.output<T>> {
  const response = await answer;
  expect(response.headers.get("cache-control")).toBe("no-store");
  const json: unknown = await response.json();
  expect(response.status, JSON.stringify(json)).toBeLessThan(300);
  return schema.parse(json);
}

async function refused(answer: Promise<Response>) {
  const response = await answer;
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  const body = problem.parse(await response.json());
  expect(body.status).toBe(response.status);
  return {
    ...body,
    rejected: body.rejected,
    current: body.current,
    kind: body.type.replace("/problems/", ""),
    headers: response.headers,
  };
}

function post(body: BodyInit, headers: Record<string, string> = JSON_TYPE, query = "", to = api): Promise<Response> {
  return to.handle("ingestTelemetry", new Request(`http://here/api?${query}`, { method: "POST", body, headers }), {});
}

describe("from a message to every answer", () => {
  beforeAll(async () => {
    const lines = Array.from({ length: 600 }, (_, i) => JSON.stringify(message("press-07", i))).join("\n");
    expect(await read(telemetryAnswer, post(lines, NDJSON))).toEqual({ accepted: 600, rejected: [] });
    const rest = [
      message("zeta", 1),
      message("alpha_1", 2),
      message("alphaX1", 3, { temperature: 1, note: "hi" }),
      message("zeta", 5, { temperature: "x", door: 1 }),
    ];
    expect((await read(telemetryAnswer, post(JSON.stringify(rest)))).accepted).toBe(4);
    await until(async () => (await read(pipelineAnswer, get("getPipeline"))).totals.messages === 604, {
      timeoutMs: 20_000,
    });
  });

  test("pipeline", async () => {
    const answer = await read(pipelineAnswer, get("getPipeline"));
    expect(answer.totals).toMatchObject({ messages: 604, duplicates: 0, devices: 4 });
    expect(answer).toMatchObject({
      lag: 0,
      lagSeconds: 0,
      workers: 1,
      devices: { live: 4, stale: 0, silent: 0, new: 0 },
    });
    expect(answer.partitions.reduce((sum, { end }) => sum + end, 0)).toBe(604);
    expect(answer.history.reduce((sum, { messages }) => sum + messages, 0)).toBe(604);
    expect(answer.history[0]!.latencyP50Ms).toBeGreaterThan(0);
  });

  test("devices: search takes wildcards literally, filters, counts", async () => {
    const names = async (query: string) =>
      (await read(devicesAnswer, get("listDevices", {}, query))).items.map(({ id }) => id);
    expect(await names("")).toEqual(["alphaX1", "alpha_1", "press-07", "zeta"].sort());
    expect(await names("search=LPHA_")).toEqual(["alpha_1"]);
    expect(await names("search=sout")).toEqual(["press-07", "zeta"]);
    expect(await names("site=north&state=live")).toHaveLength(2);
    expect(await names("state=silent")).toEqual([]);
    const all = await read(devicesAnswer, get("listDevices", {}, "limit=1"));
    expect(all).toMatchObject({ total: 4, sites: ["north", "south"] });
  });

  test.each(["id", "-id", "lastSeen", "-lastSeen", "messages", "-messages"])(
    "devices sorted by %s: pages meet without gap or repeat",
    async (sort) => {
      const whole = (await read(devicesAnswer, get("listDevices", {}, `sort=${sort}`))).items.map(({ id }) => id);
      const paged: string[] = [];
      let cursor = "";
      do {
        const page = await read(
          devicesAnswer,
          get("listDevices", {}, `sort=${sort}&limit=1${cursor && `&cursor=${cursor}`}`),
        );
        paged.push(...page.items.map(({ id }) => id));
        cursor = page.next ?? "";
      } while (cursor !== "");
      expect(paged).toEqual(whole);
      expect(paged).toHaveLength(4);
    },
  );

  test("a device with its values", async () => {
    const found = await read(deviceDetail, get("getDevice", { id: "press-07" }));
    expect(found).toMatchObject({ site: "south", type: "press", state: "live", messages: 600 });
    expect(found.values.temperature).toEqual({ value: 599, time: new Date(now - 1000).toISOString() });
    expect(found.values.door?.value).toBe(false);
    expect(found).toMatchObject({ notes: null, setByPerson: [] });
  });

  test("readings, raw and from rollups", async () => {
    const raw = await read(
      readingsAnswer,
      get("listReadings", { id: "press-07" }, "metric=temperature&maxPoints=1000"),
    );
    expect(raw).toMatchObject({ resolution: "raw", bucketMs: 0, kind: "number" });
    expect(raw.points.map(({ last }) => last)).toEqual(Array.from({ length: 600 }, (_, i) => i));
    expect(raw).toMatchObject({ latest: now - 1000 });
    const found = await read(deviceDetail, get("getDevice", { id: "press-07" }));
    expect(raw.lastSeen).toBe(found.lastSeen);
    const few = await read(readingsAnswer, get("listReadings", { id: "press-07" }, "metric=door&maxPoints=20"));
    expect(few).toMatchObject({ kind: "boolean", latest: now - 1000 });
    expect(few.points.length).toBeLessThanOrEqual(20);
    expect(few.points.reduce((sum, { count }) => sum + count, 0)).toBe(600);
    expect(few.points.every(({ min, max }) => min === 0 && max === 1)).toBe(true);
  });

  test("downloads: every reading, or what a chart shows, as CSV and JSON", async () => {
    const download = async (verb: "downloadCsv" | "downloadJson", query: string) => {
      const answer = await get(verb, { id: "press-07" }, query);
      expect(answer.status).toBe(200);
      expect(answer.headers.get("content-disposition")).toContain('filename="press-07.');
      return answer.text();
    };
    const lines = (await download("downloadCsv", "metric=temperature,door")).trimEnd().split("\r\n");
    expect(lines[0]).toBe("time,temperature (°C),door");
    expect(lines).toHaveLength(601);
    expect(lines[600]).toBe(`${new Date(now - 1000).toISOString()},599,false`);

    const json = JSON.parse(await download("downloadJson", "metric=temperature&resolution=auto&maxPoints=20"));
    expect(json.metrics).toMatchObject([{ name: "temperature", unit: "°C", kind: "number" }]);
    const shown = await read(
      readingsAnswer,
      get("listReadings", { id: "press-07" }, `metric=temperature&maxPoints=20&from=${json.from}&to=${json.to}`),
    );
    expect(json.rows.map((row: { temperature: unknown }) => row.temperature)).toEqual(
      shown.points.map(({ time: _, ...figures }) => figures),
    );
    const minutes = JSON.parse(await download("downloadJson", "metric=door&resolution=minute"));
    expect(minutes.rows.reduce((sum: number, { door }: { door: { count: number } }) => sum + door.count, 0)).toBe(600);
    expect((await refused(get("downloadCsv", { id: "nobody" }, "metric=temperature"))).status).toBe(404);
    expect((await refused(get("downloadCsv", { id: "zeta" }, "metric=temperature,nothing"))).status).toBe(404);
    expect((await refused(get("downloadCsv", { id: "zeta" }, "metric=,"))).status).toBe(400);
  });

  describe("properties", () => {
    const patch = (body: unknown, headers: Record<string, string> = {}, id = "alpha_1") =>
      api.handle(
        "updateDevice",
        new Request("http://here/api", {
          method: "PATCH",
          body: typeof body === "string" ? body : JSON.stringify(body),
          headers: { ...JSON_TYPE, ...headers },
        }),
        { id },
      );
    const detail = () => read(deviceDetail, get("getDevice", { id: "alpha_1" }));

    test("a person's words are kept; a new site is added; what is left out stays", async () => {
      const before = await detail();
      const after = await read(deviceDetail, patch({ site: "yard", notes: "  behind the gate\n" }));
      expect(after).toMatchObject({ site: "yard", type: "press", notes: "behind the gate", setByPerson: ["site"] });
      expect(Date.parse(after.updatedAt)).toBeGreaterThan(Date.parse(before.updatedAt));
      expect(after.messages).toBe(before.messages);
      expect((await read(devicesAnswer, get("listDevices", {}, "site=yard"))).items.map(({ id }) => id)).toEqual([
        "alpha_1",
      ]);
    });

    test("what a person set, be it to nothing, is not filled in by messages", async () => {
      await read(deviceDetail, patch({ site: null, type: null }));
      const { messages } = await detail();
      await read(telemetryAnswer, post(JSON.stringify([message("alpha_1", 50)])));
      await until(async () => (await detail()).messages === messages + 1, { timeoutMs: 20_000 });
      expect(await detail()).toMatchObject({ site: null, type: null, setByPerson: ["site", "type"] });
    });

    test("a change of what isn't there any more is refused and writes nothing", async () => {
      const { updatedAt } = await detail();
      await read(deviceDetail, patch({ type: "lathe" }, { "if-match": `"${updatedAt}"` }));
      const late = await refused(patch({ type: "mill", site: "nowhere" }, { "if-match": `"${updatedAt}"` }));
      expect(late).toMatchObject({ status: 412, kind: "changed-meanwhile", current: { type: "lathe", site: null } });
      expect(await detail()).toMatchObject({ type: "lathe", site: null });
      expect((await read(devicesAnswer, get("listDevices"))).sites).not.toContain("nowhere");
    });

    test.each([
      [{ site: "Hall 3" }, "site"],
      [{ type: "" }, "type"],
      [{ notes: "x".repeat(4001) }, "notes"],
      [{ name: "other" }, "name"],
      [[], "body"],
    ])("%j is refused and named", async (body, at) => {
      const answer = await refused(patch(body));
      expect([answer.status, answer.errors?.[0]?.at]).toEqual([400, at]);
    });

    test("what can't be read, or isn't there", async () => {
      expect((await refused(patch("{"))).kind).toBe("unreadable-body");
      expect((await refused(patch({}, { "content-type": "text/plain" }))).status).toBe(415);
      expect((await refused(patch({ notes: "x".repeat(70_000) }))).status).toBe(413);
      expect((await refused(patch({}, { "if-match": "yesterday" }))).status).toBe(400);
      expect((await refused(patch({ notes: "a" }, {}, "nobody"))).status).toBe(404);
    });
  });

  test("messages exactly as received, page by page", async () => {
    const first = await read(messagesAnswer, get("listMessages", { id: "press-07" }, "limit=400"));
    const second = await read(
      messagesAnswer,
      get("listMessages", { id: "press-07" }, `limit=400&cursor=${first.next}`),
    );
    expect([first.items.length, second.items.length, second.next]).toEqual([400, 200, null]);
    expect(JSON.parse(first.items[0]!.body)).toEqual(message("press-07", 599));
  });

  test("metrics and dead letters", async () => {
    expect((await read(metricsAnswer, get("listMetrics"))).items.map(({ name, kind }) => [name, kind])).toEqual([
      ["door", "boolean"],
      ["temperature", "number"],
    ]);
    const letters = await read(deadLettersAnswer, get("listDeadLetters", {}, "reason=typeDrift&device=zeta"));
    expect(letters.items.map(({ field, encoding }) => [field, encoding])).toContainEqual(["door", "utf-8"]);
    expect((await read(healthAnswer, get("getHealth"))).status).toBe("pass");
    expect((await get("getLive")).status).toBe(200);
    expect((await get("getReady")).status).toBe(200);
  });
});

describe("what is refused, and how", () => {
  test("parameters: everything wrong at once", async () => {
    const answer = await refused(get("listDevices", {}, "limit=0&state=odd&lmit=3&sort=id&sort=id"));
    expect(answer).toMatchObject({ status: 400, kind: "invalid-parameters" });
    expect(answer.errors?.map(({ at }) => at).sort()).toEqual(["limit", "lmit", "sort", "state"]);
  });

  test.each([
    "nonsense",
    Buffer.from('["devices/-id",{"at":"a","key":1}]').toString("base64url"),
    Buffer.from('["devices/id",{"at":1,"key":1}]').toString("base64url"),
  ])("a cursor that is broken or of another order: %s", async (cursor) =>
    expect((await refused(get("listDevices", {}, `cursor=${cursor}`))).errors?.[0]?.at).toBe("cursor"),
  );

  test("devices and metrics that aren't there", async () => {
    for (const verb of ["getDevice", "listMessages"] as const)
      expect((await refused(get(verb, { id: "nobody" }))).kind).toBe("not-found");
    expect((await refused(get("listReadings", { id: "nobody" }, "metric=temperature"))).status).toBe(404);
    expect((await refused(get("listReadings", { id: "zeta" }, "metric=nothing"))).status).toBe(404);
    expect(
      (
        await refused(
          get("listReadings", { id: "zeta" }, "metric=door&from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z"),
        )
      ).status,
    ).toBe(400);
  });

  test.each([
    ["text/plain", {}, "{}", "unsupported-media-type"],
    ["application/json", { "content-encoding": "br" }, "{}", "unsupported-encoding"],
    ["application/json", { "content-encoding": "gzip" }, "{}", "unreadable-body"],
    ["application/json", {}, "{", "unreadable-body"],
    ["application/json", {}, "[]", "empty-request"],
    ["application/x-ndjson", {}, "\n \n", "empty-request"],
    ["application/json", {}, "5", "nothing-accepted"],
  ])("%s %o %s: %s", async (type, headers, body, kind) => {
    expect((await refused(post(body, { "content-type": type, ...headers }))).kind).toBe(kind);
  });

  test("rejected items are named; the others are taken", async () => {
    const body = `${JSON.stringify(message("q", 1))}\n\nnot json\n{"device":"q","time":"soon","readings":{"a":1}}\n`;
    const { accepted, rejected } = await read(telemetryAnswer, post(body, NDJSON));
    expect([accepted, rejected.map(({ index, reason }) => [index, reason])]).toEqual([
      1,
      [
        [1, "notJson"],
        [2, "badTime"],
      ],
    ]);
    expect((await refused(post("[1,2]"))).rejected).toHaveLength(2);
  });

  test("too large, packed or not, and too many", async () => {
    const small = composed({ INGEST_MAX_BODY_BYTES: 2000, INGEST_MAX_MESSAGES: 3 });
    const large = JSON.stringify(message("q", 1, { text: "x".repeat(5000) }));
    const gzip = { ...JSON_TYPE, "content-encoding": "gzip" };
    expect((await refused(post(large, JSON_TYPE, "", small))).kind).toBe("body-too-large");
    expect((await refused(post(gzipSync(large), gzip, "", small))).kind).toBe("body-too-large");
    expect((await refused(post("[1,2,3,4]", JSON_TYPE, "", small))).kind).toBe("too-many-messages");
  });

  test("a foreign message is mapped, a packed one unpacked", async () => {
    const line = JSON.stringify({ ts: now / 1000, who: { id: "q" }, data: { temperature: 5 } });
    const gzip = { ...NDJSON, "content-encoding": "gzip" };
    expect(
      (await read(telemetryAnswer, post(gzipSync(line), gzip, "device=who.id&time=ts&readings=data"))).accepted,
    ).toBe(1);
  });

  test("a log that is away is 503, one that is slow 429; both say when to try again", async () => {
    const body = JSON.stringify(message("q", 9));
    const append = () => Promise.reject(new LogUnavailableError("away"));
    const away = await refused(post(body, JSON_TYPE, "", composed({}, { ...engines.eventLog, append })));
    expect([away.kind, away.headers.get("retry-after")]).toEqual(["log-unavailable", "2"]);

    let arrive = () => {};
    const slow = composed(
      { INGEST_MAX_WAITING_BYTES: body.length + 10 },
      { ...engines.eventLog, append: () => new Promise((resolve) => (arrive = resolve)) },
    );
    const first = post(body, JSON_TYPE, "", slow);
    const second = await until(() => refused(post(body, JSON_TYPE, "", slow)));
    expect([second.kind, second.headers.get("retry-after")]).toEqual(["too-busy", "1"]);
    arrive();
    expect((await first).status).toBe(202);
    let answered = false;
    const third = post(body, JSON_TYPE, "", slow).finally(() => (answered = true));
    await until(() => (arrive(), answered));
    expect((await third).status).toBe(202);
  });

  test("addresses and methods that aren't there", async () => {
    expect((await refused(api.notFound(new Request("http://here/api/x")))).status).toBe(404);
    const answer = await refused(api.notAllowed(new Request("http://here/api/x", { method: "PUT" }), ["GET", "HEAD"]));
    expect([answer.status, answer.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
  });
});
