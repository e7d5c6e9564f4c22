import { request } from "node:http";
import { connect } from "node:net";
import pino from "pino";
import { io } from "socket.io-client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { freePort } from "@/e2e/product";
import { loadConfig } from "./config/config";
import { adminHeader } from "./testing/key-header";
import { freshDatabase, type TestDatabase } from "./testing/database";
import { makeTopics } from "./testing/topics";
import { until } from "./testing/until";
import { runWeb } from "./web";

// The pages must be built: `npm test` sees to that.
const lines: string[] = [];
const logger = pino({ level: "warn" }, { write: (line: string) => void lines.push(line) });
let db: TestDatabase;
let web: Awaited<ReturnType<typeof runWeb>>;
let port: number;
/** Headers of somebody who may do everything. */
let who: { readonly authorization: string };

beforeAll(async () => {
  db = await freshDatabase();
  port = await freePort();
  who = await adminHeader(db.pool);
  const env = {
    DATABASE_URL: db.appUrl,
    PORT: String(port),
    PUBLIC_URL: "https://iot.example",
    TRUSTED_PROXIES: "127.0.0.2",
    MAX_CONNECTIONS_PER_ADDRESS: "50",
    STOP_DELAY_SECONDS: "2",
  };
  const config = loadConfig(env, "");
  await makeTopics(config, logger);
  web = await runWeb(config, logger);
});
afterAll(async () => {
  await web?.stop();
  await db?.drop();
});

interface Answer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly text: string;
}

function ask(path: string, options: { method?: string; headers?: Record<string, string>; from?: string } = {}) {
  const { method = "GET", headers = {}, from = "127.0.0.1" } = options;
  return new Promise<Answer>((resolve, reject) => {
    const call = request(
      { host: "127.0.0.1", port, path, method, headers: { ...who, ...headers }, localAddress: from },
      (answer) => {
        let text = "";
        answer.setEncoding("utf8").on("data", (part: string) => (text += part));
        answer.on("end", () =>
          resolve({ status: answer.statusCode!, headers: answer.headers as Record<string, string>, text }),
        );
      },
    );
    call.on("error", reject);
    call.end();
  });
}

/** Returns what comes back for these bytes until the server hangs up. */
function say(bytes: string, from = "127.0.0.1"): Promise<string> {
  return new Promise((resolve) => {
    let heard = "";
    const socket = connect({ host: "127.0.0.1", port, localAddress: from }, () => socket.write(bytes));
    socket.on("data", (part) => (heard += part.toString()));
    socket.on("error", () => {});
    socket.on("close", () => resolve(heard));
  });
}

test("a foreign host gets nothing: a page that says what to set, a problem, no socket", async () => {
  const headers = { host: "evil.example:3400" };
  const page = await ask("/devices", { headers });
  expect([page.status, page.headers["content-type"]]).toEqual([421, "text/html; charset=utf-8"]);
  expect(page.text).toMatch(/evil\.example:3400.*ALLOWED_HOSTS/s);
  const problem = await ask("/api/v1/setup", { headers });
  expect([problem.status, problem.headers["content-type"]]).toEqual([421, "application/problem+json"]);
  expect(JSON.parse(problem.text)).toMatchObject({ type: "/problems/foreign-host", status: 421 });
  expect((await ask("/socket.io/?EIO=4&transport=polling", { headers })).status).toBe(421);
  const upgrade =
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n";
  const socket = await say(
    `GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: evil.example\r\n${upgrade}\r\n`,
  );
  expect(socket).toMatch(/^HTTP\/1\.1 421 [\s\S]*x-content-type-options: nosniff/);
  expect(await say(`GET /anything HTTP/1.1\r\nHost: localhost:${port}\r\n${upgrade}\r\n`)).toMatch(/^HTTP\/1\.1 400 /);
  expect(await say("GET / HTTP/1.0\r\n\r\n")).toMatch(/^HTTP\/1\.1 421 /);
  expect(lines.filter((line) => line.includes("evil.example:3400"))).toHaveLength(1);
});

test("no method makes it fail", async () => {
  expect((await ask("/api/v1/devices", { method: "TRACE" })).status).toBe(405);
  expect((await ask("/", { method: "PROPFIND" })).status).toBe(405);
  expect(await say(`CONNECT evil.example:80 HTTP/1.1\r\nHost: localhost:${port}\r\n\r\n`)).toMatch(/^HTTP\/1\.1 405 /);
  expect(await say(`BREW / HTTP/1.1\r\nHost: localhost:${port}\r\n\r\n`)).toMatch(/^HTTP\/1\.1 400 /);
});

test("a page of another origin changes nothing, and is told what to set if it is ours behind a proxy", async () => {
  const from = (origin: string) =>
    ask("/api/v1/telemetry", { method: "POST", headers: { origin, "content-type": "application/json" } });
  const foreign = await from("https://elsewhere.example");
  expect(foreign.status).toBe(403);
  expect((JSON.parse(foreign.text) as { detail: string }).detail).toContain("PUBLIC_URL=https://elsewhere.example");
  expect((await from("https://iot.example")).status).toBe(400);
  expect(lines.filter((line) => line.includes("elsewhere.example"))).toHaveLength(1);
});

test("sockets of the public address work behind a proxy that names another host", async () => {
  const socket = io(`http://127.0.0.1:${port}`, {
    transports: ["websocket"],
    extraHeaders: { origin: "https://iot.example", ...who },
  });
  await until(() => socket.connected);
  socket.close();
  expect((await ask("/socket.io/?EIO=4&transport=polling")).status).toBe(400);
});

test("every page has a policy of its own, whose nonce is on its scripts", async () => {
  const nonces = new Set<string>();
  for (const path of ["/", "/devices", "/devices/x", "/pipeline", "/dead-letters", "/jobs", "/health", "/nowhere"]) {
    const { headers, text } = await ask(path);
    const nonce = /script-src 'self' 'nonce-([^']+)'/.exec(headers["content-security-policy"]!)?.[1] ?? "none";
    nonces.add(nonce);
    const scripts = [...text.matchAll(/<script\b[^>]*>/g)].map(([tag]) => tag);
    expect(scripts.length, path).toBeGreaterThan(3);
    expect(
      scripts.filter((tag) => !tag.includes(`nonce="${nonce}"`)),
      path,
    ).toEqual([]);
    expect(headers["cross-origin-opener-policy"]).toBe("same-origin");
    expect(headers["permissions-policy"]).toContain("camera=()");
    // Ours is the public address, which is https.
    expect(headers["strict-transport-security"]).toMatch(/^max-age=/);
  }
  expect(nonces.size).toBe(8);
});

test("one address has so many connections, trusted proxies as many as they need", async () => {
  const held = Array.from({ length: 60 }, () => connect({ host: "127.0.0.1", port, localAddress: "127.0.0.3" }));
  held.forEach((socket) => socket.on("error", () => {}));
  await until(() => held.filter(({ destroyed }) => destroyed).length === 10);
  expect((await ask("/api/livez")).status).toBe(200);
  const proxied = Array.from({ length: 60 }, () => connect({ host: "127.0.0.1", port, localAddress: "127.0.0.2" }));
  proxied.forEach((socket) => socket.on("error", () => {}));
  expect((await ask("/api/livez", { from: "127.0.0.2" })).status).toBe(200);
  for (const socket of [...held, ...proxied]) socket.destroy();
});

test("a head that doesn't end is not waited for", async () => {
  expect(await say("GET / HTTP/1.1\r\nHost: localh")).toMatch(/^HTTP\/1\.1 408 [\s\S]*content-security-policy/);
}, 20_000);

test("a body that stands still is not waited for", async () => {
  const head = `POST /api/v1/telemetry HTTP/1.1\r\nHost: localhost:${port}\r\nContent-Type: application/json\r\nAuthorization: ${who.authorization}\r\n`;
  const heard = await say(`${head}Content-Length: 8000000\r\n\r\n[`);
  expect(heard).toMatch(/^HTTP\/1\.1 408 [\s\S]*content-security-policy[\s\S]*too-slow/);
}, 20_000);

test("told to stop, it is not ready at once, goes on answering on connections that end, sends browsers away, and ends", async () => {
  const browser = io(`http://127.0.0.1:${port}`, { transports: ["websocket"], extraHeaders: who, forceNew: true });
  try {
    await new Promise<void>((resolve) => void browser.once("connect", resolve));
    const told = new Promise<number>((resolve) => void browser.once("leaving", resolve));
    const stopped = web.stop();
    const ready = await ask("/api/readyz");
    expect(ready).toMatchObject({ status: 503, headers: { connection: "close" } });
    expect(JSON.parse(ready.text)).toMatchObject({ type: "/problems/starting-or-stopping" });
    expect((await ask("/api/livez")).status).toBe(200);
    expect(await told).toBeLessThanOrEqual(600);
    expect(browser.connected).toBe(true);
    await stopped;
    await expect(ask("/api/livez")).rejects.toThrow();
  } finally {
    browser.close();
  }
});
