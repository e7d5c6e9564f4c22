import { connect, createServer, type Server, type Socket } from "node:net";
import pino from "pino";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Config, loadConfig } from "./config/config";
import { freshDatabase, type TestDatabase } from "./testing/database";
import { freePort } from "@/e2e/product";
import { adminHeader } from "./testing/key-header";
import { makeTopics } from "./testing/topics";
import { until } from "./testing/until";
import { runWeb } from "./web";

// The pages must be built: `npm test` sees to that.
const logger = pino({ level: "silent" });
let db: TestDatabase;
let config: Config;
let way: { port: number; open(): Promise<void>; close(): Promise<void> };
let web: Awaited<ReturnType<typeof runWeb>>;
let url: string;
/** Headers of somebody who may do everything. */
let who: { readonly authorization: string };

/** A way to PostgreSQL that can be cut. */
async function createWay(to: URL): Promise<typeof way> {
  let server: Server | undefined;
  let port = 0;
  const sockets = new Set<Socket>();
  const link = (near: Socket) => {
    const far = connect(Number(to.port), to.hostname);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.on("error", () => {});
      one.on("close", () => (sockets.delete(one), other.destroy()));
      one.pipe(other);
    }
  };
  const open = async () => {
    server = createServer(link);
    await new Promise<void>((resolve) => server!.listen(port, "127.0.0.1", resolve));
    port = (server.address() as { port: number }).port;
  };
  const close = async () => {
    const closed = new Promise((resolve) => server!.close(resolve));
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  await open();
  return { port, open, close };
}

beforeAll(async () => {
  db = await freshDatabase();
  const address = new URL(db.appUrl);
  way = await createWay(new URL(address));
  const { port } = way;
  address.host = `127.0.0.1:${port}`;
  const loaded = loadConfig({ DATABASE_URL: address.href }, "");
  config = { ...loaded, server: { ...loaded.server, PORT: await freePort() } };
  who = await adminHeader(db.pool);
  await makeTopics(config, logger);
  await way.close();
  web = await runWeb(config, logger);
  url = `http://127.0.0.1:${web.port}`;
});
afterAll(async () => {
  await web?.stop();
  await way?.close();
  await db?.drop();
});

const get = (path: string, headers: Record<string, string> = who) => fetch(url + path, { headers, redirect: "manual" });
const post = () => {
  const body = JSON.stringify({ device: "a", time: new Date().toISOString(), readings: { t: 1 } });
  return fetch(`${url}/api/v1/telemetry`, {
    method: "POST",
    body,
    headers: { "content-type": "application/json", ...who },
  });
};
const probe = async (name: string) =>
  (
    (await (await get("/api/v1/health")).json()) as {
      probes: { name: string; status: string; cause: string; fix: string }[];
    }
  ).probes.find((each) => each.name === name);

async function expectDown() {
  expect((await get("/")).status).toBe(200);
  expect((await get("/api/livez")).status).toBe(200);
  const health = await (await get("/api/v1/health")).json();
  expect(health.status).toBe("fail");
  expect(health.verdict).toMatch(/^PostgreSQL is down since \d\d:\d\d UTC: readings can't be taken/);
  expect(await probe("postgres.reachable")).toMatchObject({
    status: "fail",
    cause: expect.stringContaining("ECONNREFUSED"),
    fix: expect.stringContaining("DATABASE_URL"),
  });
  for (const path of ["/api/readyz", "/api/v1/devices", "/api/v1/pipeline", "/api/v1/dead-letters"]) {
    const answer = await get(path);
    expect([path, answer.status, answer.headers.get("content-type")]).toEqual([path, 503, "application/problem+json"]);
  }
  const refused = await post();
  expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "2"]);
}

async function expectUp() {
  await until(async () => (await probe("postgres.reachable"))?.status === "pass", { timeoutMs: 15_000 });
  expect((await get("/api/readyz")).status).toBe(200);
  expect((await get("/api/v1/devices")).status).toBe(200);
  expect((await post()).status).toBe(202);
}

test("started without PostgreSQL, nobody is let in, and what answers says why", async () => {
  expect((await get("/api/livez", {})).status).toBe(200);
  expect((await get("/sign-in", {})).status).toBe(200);
  expect((await get("/", {})).headers.get("location")).toBe("/sign-in");
  expect(await (await get("/")).text()).toMatch(/^PostgreSQL cannot be reached, so nobody can be signed in/);
  for (const path of ["/api/readyz", "/api/v1/health", "/api/v1/devices"]) {
    const answer = await get(path);
    expect([path, answer.status, answer.headers.get("content-type")]).toEqual([path, 503, "application/problem+json"]);
  }
  const refused = await post();
  expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "2"]);
});

test("when PostgreSQL comes, everything works without a restart", async () => {
  await way.open();
  await expectUp();
  expect(await probe("pipeline.workers")).toMatchObject({ status: "fail", fix: "npm run worker" });
  expect((await (await get("/api/v1/health")).json()).verdict).toMatch(/^No worker is alive since/);
});

test("when PostgreSQL goes away, who was known before sees pages and health, which say so; when it comes back, all works", async () => {
  await way.close();
  await until(async () => (await probe("postgres.reachable"))?.status === "fail", { timeoutMs: 15_000 });
  await expectDown();
  await way.open();
  await expectUp();
});
