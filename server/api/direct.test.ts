import { Agent, createServer, request as send, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { until } from "@/server/testing/until";
import { answerDirectly } from "./direct";
import type { Api } from "./runtime";

let server: Server | undefined;
afterEach(() => server?.close());

async function listen(handle: Api["handle"]): Promise<string> {
  const opened = createServer((request, response) => {
    response.setHeader("x-before", "1");
    const api = {
      handle,
      receive: async () => new Response("received"),
      notAllowed: async (_: Request, allowed: readonly string[]) => new Response(allowed.join(), { status: 405 }),
      notFound: async () => new Response(null, { status: 404 }),
    };
    void answerDirectly(api, request, response).then((done) => {
      if (!done) response.writeHead(404).end("not mine");
    });
  });
  server = opened;
  await new Promise<void>((resolve) => opened.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(opened.address() as AddressInfo).port}`;
}

test("gives the verb all that was sent, and its answer back", async () => {
  const asked: unknown[] = [];
  const url = await listen(async (verb, request, params) => {
    const { searchParams } = new URL(request.url);
    const [type, from, how] = ["content-type", "x-forwarded-for", "x-forwarded-proto"].map((name) =>
      request.headers.get(name),
    );
    asked.push({ verb, params, method: request.method, run: searchParams.get("run"), type, from, how });
    return new Response(`got ${(await request.text()).length}`, { status: 202, headers: { "x-after": "2" } });
  });
  const body = "m".repeat(300_000);
  const answer = await fetch(`${url}/api/v1/telemetry?run=r1`, {
    method: "POST",
    body,
    headers: { "content-type": "application/x-ndjson" },
  });
  expect([answer.status, await answer.text()]).toEqual([202, "got 300000"]);
  expect(["x-before", "x-after", "content-length"].map((name) => answer.headers.get(name))).toEqual(["1", "2", "10"]);
  const common = { verb: "ingestTelemetry", params: {}, method: "POST" };
  expect(asked).toEqual([{ ...common, run: "r1", type: "application/x-ndjson", from: "127.0.0.1", how: "http" }]);

  const forwarded = { "x-forwarded-for": "10.0.0.7", "x-forwarded-proto": "https" };
  await fetch(`${url}/api/v1/telemetry`, { method: "POST", headers: forwarded });
  expect(asked[1]).toEqual({ ...common, run: null, type: null, from: "10.0.0.7", how: "https" });
});

test("leaves other requests alone", async () => {
  const url = await listen(async () => new Response("verb"));
  const others: [string, string][] = [
    ["GET", "/api/v1/telemetry"],
    ["PUT", "/api/v1/telemetry"],
    ["POST", "/api/v1/telemetry/"],
    ["POST", "/api/v1/telemetry2"],
    ["POST", "/api/v1/devices?/api/v1/telemetry"],
  ];
  for (const [method, path] of others) expect((await fetch(url + path, { method })).status).toBe(404);
});

test("tells the verb that its sender is gone", async () => {
  let signal: AbortSignal | undefined;
  const url = await listen(async (_, request) => {
    signal = request.signal;
    await request.text().catch(() => undefined);
    return new Response("late");
  });
  const request = send(`${url}/api/v1/telemetry`, { method: "POST", headers: { "content-length": 100 } });
  request.on("error", () => undefined);
  request.write("half");
  await until(() => signal !== undefined);
  expect(signal!.aborted).toBe(false);
  request.destroy();
  await until(() => signal!.aborted);
});

test("leaves a connection whose body wasn't wanted free for the next request", async () => {
  const url = await listen(async (_, request) => {
    // Refused at the first look, or in the middle.
    if (request.headers.get("x-look") !== null) await request.body!.getReader().read();
    return new Response(null, { status: 413 });
  });
  server!.on("request", (request, response) => response.once("finish", () => request.resume()));
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const post = (path: string, headers: Record<string, string>, body: Buffer) =>
    new Promise<number | undefined>((resolve, reject) => {
      const request = send(url + path, { method: "POST", agent, headers }, (answer) => {
        answer.resume().once("end", () => resolve(answer.statusCode));
      });
      request.once("error", reject).end(body);
    });
  const large = Buffer.alloc(5_000_000, "m");
  expect(await post("/api/v1/telemetry", {}, large)).toBe(413);
  expect(await post("/api/v1/telemetry", { "x-look": "1" }, large)).toBe(413);
  expect(await post("/elsewhere", {}, Buffer.alloc(0))).toBe(404);
  agent.destroy();
});

test("gives what speaks a protocol of others to those who answer it", async () => {
  const url = await listen(async () => new Response("verb"));
  const theirs: [string, string][] = [
    ["POST", "/write?db=a"],
    ["POST", "/api/v2/write?bucket=a"],
    ["GET", "/ping"],
    ["POST", "/v1/metrics"],
    ["POST", "/api/v1/prom/write"],
  ];
  for (const [method, path] of theirs) expect(await (await fetch(url + path, { method })).text()).toBe("received");
  expect((await fetch(`${url}/write`)).status).toBe(405);
});

test("says at doors of sources which methods there are, and lets nobody's origin send without a key", async () => {
  const asked: string[] = [];
  const url = await listen(async (verb, { method }) => {
    asked.push(`${method} ${verb}`);
    return new Response(null, { status: 401 });
  });
  const answers: [string, string, number, string][] = [
    ["DELETE", "/ingest/barn", 405, "POST,PUT,PATCH,GET"],
    ["GET", "/write", 405, "POST"],
    ["GET", "/v1/metrics", 405, "POST"],
    ["POST", "/v1/traces", 404, ""],
  ];
  for (const [method, path, status, text] of answers) {
    const answer = await fetch(url + path, { method });
    expect([answer.status, await answer.text()]).toEqual([status, text]);
  }
  const plain = await fetch(`${url}/ingest/barn`, { method: "OPTIONS" });
  expect([plain.status, plain.headers.get("allow")]).toEqual([204, "POST, PUT, PATCH, GET"]);
  expect(asked).toEqual([]);
  const headers = { "webhook-request-origin": "eventemitter.example.com" };
  const webhook = await fetch(`${url}/ingest/barn`, { method: "OPTIONS", headers });
  expect([webhook.status, webhook.headers.get("webhook-allowed-origin"), asked]).toEqual([
    ...[401, null, ["OPTIONS deliver"]],
  ]);
});
