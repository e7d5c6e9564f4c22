import { signatureOf, SYSTEM } from "@/server/domain/access";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { request } from "node:http";
import pino from "pino";
import { io, type Socket } from "socket.io-client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { cleanEnv, freePort } from "@/e2e/product";
import { makeKey } from "./access/keys";
import { makeLink } from "./access/links";
import { loadConfig } from "./config/config";
import { prismaIn } from "./postgres/prisma";
import { withTransaction } from "./postgres/transaction";
import { freshDatabase, type TestDatabase } from "./testing/database";
import { makeTopics } from "./testing/topics";
import { until } from "./testing/until";
import { runWeb } from "./web";

// The pages and the program must be built: `npm test` sees to that.
const logger = pino({ level: "silent" });
let db: TestDatabase;
let web: Awaited<ReturnType<typeof runWeb>>;
let other: ChildProcess;
/** The web process of this test, and another on the same database. */
let urls: readonly [string, string];

beforeAll(async () => {
  db = await freshDatabase();
  const loaded = loadConfig({ DATABASE_URL: db.appUrl }, "");
  const [port, otherPort] = [await freePort(), await freePort()];
  await makeTopics(loaded, logger);
  other = spawn(process.execPath, ["dist/main.mjs", "web"], {
    env: { ...cleanEnv(), DATABASE_URL: db.appUrl, PORT: String(otherPort) },
    stdio: "ignore",
  });
  web = await runWeb({ ...loaded, server: { ...loaded.server, PORT: port } }, logger);
  urls = [`http://127.0.0.1:${port}`, `http://127.0.0.1:${otherPort}`];
  await until(async () => (await fetch(`${urls[1]}/api/livez`)).ok, { timeoutMs: 40_000 });
});
afterAll(async () => {
  if (other?.exitCode === null) {
    const exited = once(other, "exit");
    other.kill();
    await exited;
  }
  await web?.stop();
  await db?.drop();
});

const query = async <T extends object>(sql: string, values: unknown[] = []) =>
  (await db.pool.query<T>(sql, values)).rows;
const get = (path: string, headers: Record<string, string> = {}, at = urls[0]) =>
  fetch(at + path, { headers: { referer: `${at}/`, ...headers }, redirect: "manual" });

/** Signs in on both, as each has a cookie of its own name. @returns the cookies of both in one header. */
async function signIn(): Promise<{ cookie: string; accountId: number }> {
  const cookies: string[] = [];
  for (const url of urls) {
    const [account] = await query<{ id: number }>("SELECT min(id) AS id FROM account HAVING count(*) > 0");
    const secret = await withTransaction(db.pool, (tx) => makeLink(tx, account?.id ?? null));
    const answer = await fetch(`${url}/api/v1/sign-in/link`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ secret }),
    });
    expect(answer.status).toBe(200);
    cookies.push(answer.headers.get("set-cookie")!.split(";")[0]!);
  }
  const [account] = await query<{ id: number }>("SELECT min(id) AS id FROM account");
  return { cookie: cookies.join("; "), accountId: account!.id };
}

async function connected(url: string, headers: Record<string, string>): Promise<Socket | null> {
  const socket = io(url, {
    transports: ["websocket"],
    reconnection: false,
    forceNew: true,
    extraHeaders: { origin: url, ...headers },
  });
  const isIn = await new Promise((resolve) => {
    socket.once("connect", () => resolve(true));
    socket.once("connect_error", () => resolve(false));
  });
  if (isIn) return socket;
  socket.close();
  return null;
}

/** The addresses of all pages, as the folders of app/ name them. */
function pages(folder = "app", at = ""): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.name === "page.tsx") return [at || "/"];
    if (!entry.isDirectory() || (at === "" && entry.name === "api")) return [];
    const step = /^\(.*\)$/.test(entry.name) ? "" : `/${entry.name.replace(/^\[.*\]$/, "press-1")}`;
    return pages(`${folder}/${entry.name}`, at + step);
  });
}

test("as nobody every page leads to the sign-in page, and back to where it was", async () => {
  const found = pages().filter((page) => page !== "/sign-in");
  expect(found.length).toBeGreaterThan(6);
  for (const page of [...found, "/nothing/here", "/_next/image?url=/x", "/_next/data/x/devices.json"]) {
    for (const headers of [{}, { cookie: "fieldwatch-3000=x; __Host-fieldwatch=y" }, { rsc: "1" }]) {
      const answer = await get(page, headers as Record<string, string>);
      const to = page === "/" ? "" : `?to=${encodeURIComponent(page)}`;
      expect([page, answer.status, answer.headers.get("location")]).toEqual([page, 303, `/sign-in${to}`]);
      expect(answer.headers.get("cache-control")).toBe("no-store");
      expect(await answer.text()).toBe("");
    }
  }
  expect((await get("/devices?state=silent&_rsc=1abc")).headers.get("location")).toBe(
    `/sign-in?to=${encodeURIComponent("/devices?state=silent")}`,
  );
});

test("what is open is the sign-in page, files of the build, and the verbs that are", async () => {
  const page = await get("/sign-in");
  expect(page.status).toBe(200);
  const file = /\/_next\/static\/[^"]+\.js/.exec(await page.text())![0];
  expect((await get(file)).status).toBe(200);
  for (const path of [
    "/favicon.svg",
    "/manifest.webmanifest",
    "/sw.js",
    "/offline.html",
    "/api/livez",
    "/api/openapi.json",
  ])
    expect([path, (await get(path)).status]).toEqual([path, 200]);
  const refused = await get("/api/v1/devices");
  expect([refused.status, refused.headers.get("www-authenticate")]).toEqual([401, "Bearer"]);
});

/** The answer to a path exactly as written, which fetch would tidy. */
function raw(path: string): Promise<{ status: number; location: string | undefined; body: string }> {
  return new Promise((resolve, reject) => {
    const call = request({ host: "127.0.0.1", port: web.port, path }, (answer) => {
      let body = "";
      answer.setEncoding("utf8").on("data", (part: string) => (body += part));
      answer.on("end", () => resolve({ status: answer.statusCode!, location: answer.headers.location, body }));
    });
    call.on("error", reject).end();
  });
}

test("no spelling of an address gets past the sign-in page, or leads to another host", async () => {
  const twisted = [
    ...[
      "/api/../devices",
      "/api/%2e%2e/devices",
      "/_next/static/../../devices",
      "/sign-in/../devices",
      "/api/..%2fdevices",
    ],
    ...[
      "//evil.example/api/",
      "//evil.example/sign-in",
      "/\\evil.example/devices",
      "/api\\..\\devices",
      "//api/devices",
    ],
    ...["/%5cevil.example", "/.//evil.example/", "/api/./../devices", "/sign-in%2f..%2fdevices", "/%2fevil.example"],
  ];
  for (const path of twisted) {
    const { status, location = "", body } = await raw(path);
    expect([path, status === 200, body.includes("Devices")]).toEqual([path, false, false]);
    if (location !== "") expect([path, new URL(location, urls[0]).origin]).toEqual([path, urls[0]]);
    expect([path, location.includes("evil")]).toEqual([path, false]);
  }
  // The location is written anew: nothing of the request ends its line.
  expect((await raw("/devices?x=%0d%0aset-cookie:a=b")).location).toBe(
    `/sign-in?to=${encodeURIComponent("/devices?x=%0d%0aset-cookie:a=b")}`,
  );
});

test("signed in, pages answer and are kept by nobody else; a key that only sends sees none", async () => {
  const { cookie } = await signIn();
  for (const page of ["/", "/devices", "/health"]) {
    const answer = await get(page, { cookie });
    expect([page, answer.status]).toEqual([page, 200]);
    expect(answer.headers.get("cache-control")).toMatch(/no-store/);
  }
  const { text } = await withTransaction(db.pool, (tx) =>
    makeKey(
      prismaIn(tx),
      { kind: "site", name: "line 7", device: null, networks: [], expiresAt: null, grants: [] },
      signatureOf(SYSTEM),
    ),
  );
  const headers = { authorization: `Bearer ${text}` };
  expect((await get("/devices", headers)).headers.get("location")).toBe("/sign-in");
  expect((await get("/api/v1/metrics", headers)).status).toBe(200);
  expect((await get("/api/v1/devices", headers)).status).toBe(403);
  expect(await connected(urls[0], headers)).toBeNull();
});

test("sockets of nobody are refused", async () => {
  for (const url of urls) {
    expect(await connected(url, {})).toBeNull();
    expect(await connected(url, { cookie: `fieldwatch-${new URL(url).port}=${"x".repeat(43)}` })).toBeNull();
  }
});

test.each([
  ["a session is ended", (id: number) => query("DELETE FROM session WHERE account_id = $1", [id])],
  ["the account is disabled", (id: number) => query("UPDATE account SET disabled_at = now() WHERE id = $1", [id])],
  ["its role is taken away", (id: number) => query("DELETE FROM role_grant WHERE account_id = $1", [id])],
])("within 2 s after %s both processes refuse it and have closed its sockets", async (_, end) => {
  const { cookie, accountId } = await signIn();
  await query("UPDATE account SET name = 'Owner'");
  const sockets = await Promise.all(urls.map((url) => connected(url, { cookie })));
  for (const socket of sockets) expect(socket?.connected).toBe(true);
  for (const url of urls) expect((await get("/api/v1/devices", { cookie }, url)).status).toBe(200);
  await end(accountId);
  const since = performance.now();
  await until(() => sockets.every((socket) => !socket!.connected), { timeoutMs: 2000 });
  for (const url of urls)
    await until(async () => [401, 403].includes((await get("/api/v1/devices", { cookie }, url)).status), {
      timeoutMs: 2000,
    });
  expect(performance.now() - since).toBeLessThan(2000);
  for (const socket of sockets) socket!.close();
  for (const url of urls) expect(await connected(url, { cookie })).toBeNull();
  // For the next one.
  await query("UPDATE account SET disabled_at = NULL");
  await query("INSERT INTO role_grant (account_id, role) VALUES ($1, 'admin') ON CONFLICT DO NOTHING", [accountId]);
});
