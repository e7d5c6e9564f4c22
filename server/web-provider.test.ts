import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import pino from "pino";
import { io, type Socket } from "socket.io-client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { cleanEnv, freePort } from "@/e2e/product";
import { loadConfig } from "./config/config";
import { freshDatabase, type TestDatabase } from "./testing/database";
import { createWanderer, type OidcPeer, startOidcPeer } from "./testing/oidc-peer";
import { makeTopics } from "./testing/topics";
import { until } from "./testing/until";
import { runWeb } from "./web";

// The pages and the program must be built: `npm test` sees to that.
const logger = pino({ level: "silent" });
let db: TestDatabase;
let peer: OidcPeer;
let web: Awaited<ReturnType<typeof runWeb>>;
let other: ChildProcess;
/** The web process of this test, and another on the same database, both known to the provider. */
let urls: readonly [string, string];

beforeAll(async () => {
  db = await freshDatabase();
  const [port, otherPort] = [await freePort(), await freePort()];
  urls = [`http://127.0.0.1:${port}`, `http://127.0.0.1:${otherPort}`];
  peer = await startOidcPeer({
    redirect_uris: urls.map((url) => `${url}/api/v1/sign-in/oidc/callback`),
    post_logout_redirect_uris: urls.map((url) => `${url}/sign-in`),
    backchannel_logout_uri: `${urls[0]}/api/v1/sign-in/oidc/logout`,
    backchannel_logout_session_required: true,
  });
  const env = {
    ...{ DATABASE_URL: db.appUrl, OIDC_ISSUER: peer.issuer, OIDC_CLIENT_ID: peer.clientId },
    ...{ OIDC_CLIENT_SECRET: peer.clientSecret, OIDC_ROLES: "watchers=viewer" },
  };
  const loaded = loadConfig({ ...env, PORT: String(port) }, "");
  await makeTopics(loaded, logger);
  other = spawn(process.execPath, ["dist/main.mjs", "web"], {
    env: { ...cleanEnv(), ...env, PORT: String(otherPort) },
    stdio: "ignore",
  });
  web = await runWeb(loaded, logger);
  await until(async () => (await fetch(`${urls[1]}/api/livez`).catch(() => null))?.ok === true, { timeoutMs: 40_000 });
});
afterAll(async () => {
  if (other?.exitCode === null) {
    const exited = once(other, "exit");
    other.kill();
    await exited;
  }
  await web?.stop();
  await peer?.stop();
  await db?.drop();
});

const signIn = (browser: ReturnType<typeof createWanderer>, url: string) =>
  browser.follow(`${url}/api/v1/sign-in/oidc?to=/devices`, `${url}/devices`);

async function watching(url: string, cookie: string): Promise<Socket> {
  const socket = io(url, {
    ...{ transports: ["websocket"], reconnection: false, forceNew: true },
    extraHeaders: { origin: url, cookie },
  });
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("connect_error", reject);
  });
  return socket;
}

test("signing out at the provider ends the sessions here, and closes the sockets of both web processes within 2 s", async () => {
  peer.people.set("s-1", { name: "Vera", groups: ["watchers"] });
  peer.whoSignsIn = "s-1";
  const browser = createWanderer();
  for (const url of urls) await signIn(browser, url);
  const { host } = new URL(urls[0]);
  // Cookies of one host know no ports: both sites' are shown to both.
  const cookie = urls.map((url) => browser.cookie(new URL(url).host)).join("; ");
  expect(cookie).toContain(`fieldwatch-${host.split(":")[1]}=`);
  const sockets = await Promise.all(urls.map((url) => watching(url, cookie)));
  for (const url of urls)
    expect((await fetch(`${url}/api/v1/devices`, { headers: { cookie, referer: `${url}/` } })).status).toBe(200);

  // The browser's own way out there: a form that says yes.
  const { origin } = new URL(peer.issuer);
  const headers = { cookie: browser.cookie(new URL(origin).host) };
  const asked = await fetch(`${origin}/session/end?client_id=${peer.clientId}`, { headers, redirect: "manual" });
  const [, xsrf] = /name="xsrf" value="([^"]+)"/.exec(await asked.text()) ?? [];
  const since = performance.now();
  const ended = await fetch(`${origin}/session/end/confirm`, {
    method: "POST",
    redirect: "manual",
    headers: {
      "content-type": "application/x-www-form-urlencoded",
      cookie: [headers.cookie, ...asked.headers.getSetCookie().map((each) => each.split(";")[0])].join("; "),
    },
    body: new URLSearchParams({ xsrf: xsrf!, logout: "yes" }),
  });
  expect(ended.status).toBeLessThan(400);
  await until(() => sockets.every((socket) => !socket.connected), { timeoutMs: 2000 });
  for (const url of urls)
    await until(
      async () => (await fetch(`${url}/api/v1/devices`, { headers: { cookie, referer: `${url}/` } })).status === 401,
      {
        timeoutMs: 2000,
      },
    );
  expect(performance.now() - since).toBeLessThan(2000);
  for (const socket of sockets) socket.close();
  const { rows } = await db.pool.query(`SELECT outcome, detail FROM audit_row WHERE verb = 'backChannelLogout'`);
  expect(rows.map(({ outcome }) => outcome as string)).toContain("done");
});

test("a forged notice of logout ends nothing, nor does one that comes again", async () => {
  const count = async () => (await db.pool.query("SELECT 1 FROM session")).rowCount;
  await signIn(createWanderer(), urls[0]);
  const before = await count();
  expect(before).toBeGreaterThan(0);
  const again = peer.notices.at(-1)!;
  expect(again).toMatch(/^logout_token=\w+/);
  for (const body of ["logout_token=a.b.c", again]) {
    const answer = await fetch(`${urls[1]}/api/v1/sign-in/oidc/logout`, {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body,
    });
    const { type, detail } = (await answer.json()) as { type: string; detail: string };
    expect([answer.status, type]).toEqual([400, "/problems/not-believed"]);
    if (body === again) expect(detail).toContain("came before");
  }
  expect(await count()).toBe(before);
});

test("a page that only listens counts as use: its session doesn't end under it for want of any", async () => {
  const browser = createWanderer();
  await signIn(browser, urls[0]);
  await db.pool.query("UPDATE session SET last_used_at = now() - interval '11 hours 59 minutes'");
  const cookie = browser.cookie(new URL(urls[0]).host);
  const socket = await watching(urls[0], cookie);
  await db.pool.query("UPDATE session SET last_used_at = now() - interval '11 hours 59 minutes'");
  // What is heard every minute, without waiting for it.
  await db.pool.query("SELECT pg_notify('fieldwatch_access', 'anything')");
  const idle = async () =>
    (
      await db.pool.query<{ old: boolean }>(
        "SELECT bool_and(last_used_at < now() - interval '1 hour') AS old FROM session WHERE issuer IS NOT NULL",
      )
    ).rows[0]!.old;
  await until(async () => !(await idle()), { timeoutMs: 5000 });
  expect(socket.connected).toBe(true);
  socket.close();
});
