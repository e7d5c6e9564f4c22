import pino from "pino";
import { io, type Socket } from "socket.io-client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { freePort } from "@/e2e/product";
import { type Config, loadConfig } from "./config/config";
import type { ClientToServer, Frame, Room, ServerToClient, WatchAnswer } from "./contracts/live";
import { freshDatabase, type TestDatabase } from "./testing/database";
import { keyHeader } from "./testing/key-header";
import { makeTopics } from "./testing/topics";
import { until } from "./testing/until";
import { runWeb } from "./web";
import { runWorker } from "./worker";

// The pages must be built: `npm test` sees to that.
const logger = pino({ level: "silent" });
const A = 1;
const B = 2;
let db: TestDatabase;
let config: Config;
let web: Awaited<ReturnType<typeof runWeb>>;
let worker: { stop(): Promise<void> };
let url: string;
let admin: { readonly authorization: string };

interface Live {
  readonly socket: Socket<ServerToClient, ClientToServer>;
  readonly frames: Frame[];
  watch(room: Room): Promise<WatchAnswer>;
}
const open: Live[] = [];

beforeAll(async () => {
  db = await freshDatabase();
  const loaded = loadConfig({ DATABASE_URL: db.appUrl }, "");
  config = { ...loaded, server: { ...loaded.server, PORT: await freePort() } };
  url = `http://127.0.0.1:${config.server.PORT}`;
  await db.pool.query(`INSERT INTO site (id, name) VALUES (1, 'A'), (2, 'B')`);
  admin = await keyHeader(db.pool, [{ role: "admin", siteId: null }]);
  await makeTopics(config, logger);
  web = await runWeb(config, logger);
  worker = await runWorker(config, logger);
});
afterAll(async () => {
  for (const { socket } of open) socket.close();
  await web?.stop();
  await worker?.stop();
  await db?.drop();
});

/** Sends a message of each device; one without a site belongs to none. */
async function send(...devices: (readonly [device: string, site: string])[]): Promise<void> {
  const messages = devices.map(([device, site]) => ({
    device,
    ...(site && { site }),
    readings: { temperature: Math.random() },
  }));
  const body = JSON.stringify(messages.map((message) => ({ ...message, time: new Date().toISOString() })));
  const headers = { ...admin, "content-type": "application/json" };
  expect((await fetch(`${url}/api/v1/telemetry`, { method: "POST", body, headers })).status).toBe(202);
}

async function connect(who: { readonly authorization: string }): Promise<Live> {
  const options = { transports: ["websocket"], extraHeaders: { origin: url, ...who }, reconnection: false };
  const socket: Live["socket"] = io(url, { ...options, forceNew: true });
  const frames: Frame[] = [];
  socket.on("frame", (frame) => frames.push(frame));
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("connect_error", reject);
  });
  const live: Live = {
    socket,
    frames,
    watch: (room) => new Promise((resolve) => socket.emit("watch", room, resolve)),
  };
  open.push(live);
  return live;
}

/** Every device that frames told of, by room. */
function heard({ frames }: Live, room: Room): string[] {
  const devices = frames.flatMap((frame) =>
    frame.room === room && frame.data.kind === "devices" ? frame.data.devices.map(({ id }) => id) : [],
  );
  return [...new Set(devices)].sort();
}

test("a browser hears of the devices at its sites, and of no others", async () => {
  const [all, a, b] = await Promise.all([
    connect(admin),
    connect(await keyHeader(db.pool, [{ role: "viewer", siteId: A }])),
    connect(await keyHeader(db.pool, [{ role: "viewer", siteId: B }])),
  ]);
  await send(["a-1", "A"], ["b-1", "B"], ["none-1", ""]);
  await until(async () => (await db.pool.query(`SELECT FROM device`)).rowCount === 3, { what: "devices" });
  for (const live of [all, a, b]) expect(await live.watch("devices")).toMatchObject({ ok: true });
  expect(await a.watch("device:a-1")).toMatchObject({ ok: true });
  for (const room of ["device:b-1", "device:none-1", "device:unknown", "overview", "health"] as const)
    expect([room, await a.watch(room)]).toEqual([room, { ok: false, error: "There is no such room." }]);
  expect(await all.watch("device:b-1")).toMatchObject({ ok: true });

  for (let i = 0; i < 3; i++) {
    const before = [all, a, b].map(({ frames }) => frames.length);
    await send(["a-1", "A"], ["b-1", "B"], ["none-1", ""]);
    await until(() => [all, a, b].every(({ frames }, j) => frames.length > before[j]!), { what: "frames" });
  }
  expect(heard(all, "devices")).toEqual(["a-1", "b-1", "none-1"]);
  expect(heard(a, "devices")).toEqual(["a-1"]);
  expect(heard(a, "device:a-1")).toEqual(["a-1"]);
  expect(heard(b, "devices")).toEqual(["b-1"]);
  expect(JSON.stringify(a.frames)).not.toMatch(/"(device:)?b-1"/);
  // Numbers of a room have no gaps, or they would count what is hidden.
  for (const live of [all, a, b]) {
    const seqs = live.frames.flatMap(({ room, seq }) => (room === "devices" ? [seq] : []));
    expect(seqs).toEqual(seqs.map((_, i) => seqs[0]! + i));
  }
});

test("a browser hears at once that an alert changed at one of its sites, and nothing of others", async () => {
  const [all, a, b] = await Promise.all([
    connect(admin),
    connect(await keyHeader(db.pool, [{ role: "viewer", siteId: A }])),
    connect(await keyHeader(db.pool, [{ role: "viewer", siteId: B }])),
  ]);
  for (const live of [all, a, b]) expect(await live.watch("alerts")).toMatchObject({ ok: true });
  const heardOf = ({ frames }: Live) => frames.filter(({ room }) => room === "alerts").length;
  await db.pool.query(
    `INSERT INTO alert (rule_id, rule_version, site_id, severity, state, started_at, fired_at) VALUES (1, 1, ${A}, 'warning', 'firing', now(), now())`,
  );
  await db.pool.query(
    `INSERT INTO alert_event (alert_id, kind, severity, at) SELECT max(id), 'fired', 'warning', now() FROM alert`,
  );
  await until(() => heardOf(all) > 0 && heardOf(a) > 0, { what: "frames" });
  expect(all.frames.find(({ room }) => room === "alerts")!.data).toEqual({ kind: "alerts" });
  // Of no site at all: who sees all sites hears of it.
  const before = heardOf(all);
  await db.pool.query(`UPDATE alert SET site_id = NULL`);
  await db.pool.query(
    `INSERT INTO alert_event (alert_id, kind, severity, at) SELECT max(id), 'resolved', 'warning', now() FROM alert`,
  );
  await until(() => heardOf(all) > before, { what: "another frame" });
  expect(heardOf(a)).toBe(1);
  expect(heardOf(b)).toBe(0);
  await db.pool.query(`DELETE FROM alert`);
});

test("who watches health is told its details as an administrator alone, live too", async () => {
  const viewer = await connect(await keyHeader(db.pool, [{ role: "viewer", siteId: null }]));
  const watchers = [await connect(admin), viewer];
  for (const live of watchers)
    for (const room of ["health", "overview"] as const) expect(await live.watch(room)).toMatchObject({ ok: true });
  const healthOf = ({ frames }: Live) =>
    frames.flatMap(({ data }) => (data.kind === "health" ? [data.health] : [])).at(-1);
  const answers = (health: ReturnType<typeof healthOf>) =>
    health?.probes.find(({ name }) => name === "postgres.reachable")!.summary;
  // Of an answer that took long no version is told.
  const isTold = (live: Live) =>
    /^PostgreSQL [\d…]/.test(answers(healthOf(live)) ?? "") && live.frames.some(({ data }) => data.kind === "overview");
  await until(() => watchers.every(isTold), { what: "frames" });
  const [full, summary] = watchers.map((live) => healthOf(live)!);
  expect(full).toMatchObject({ leftOut: null, version: expect.any(String) });
  expect(summary).toMatchObject({ leftOut: { permission: "administer" }, version: null });
  const { port } = new URL(db.appUrl);
  expect(answers(full)).toMatch(/PostgreSQL \d/);
  expect(answers(summary)).toMatch(/PostgreSQL …/);
  expect(JSON.stringify(viewer.frames)).not.toMatch(new RegExp(`:${port}\\b`));
});

test("the first HTML of a page is of the sites of whoever asks for it, whoever asked before", async () => {
  await send(["a-html", "A"], ["b-html", "B"]);
  await until(async () => (await db.pool.query(`SELECT FROM device WHERE name LIKE '%-html'`)).rowCount === 2);
  const ofA = await keyHeader(db.pool, [{ role: "viewer", siteId: A }]);
  const ofB = await keyHeader(db.pool, [{ role: "viewer", siteId: B }]);
  for (const [who, sees, not] of [
    [admin, ["a-html", "b-html"], []],
    [ofA, ["a-html"], ["b-html"]],
    [ofB, ["b-html"], ["a-html"]],
    [ofA, ["a-html"], ["b-html"]],
  ] as const) {
    // A page that would have to wait for its data comes without it.
    await until(async () => {
      const html = await (await fetch(`${url}/devices`, { headers: who })).text();
      for (const device of not) expect.soft(html).not.toContain(device);
      return sees.every((device) => html.includes(device));
    });
  }
});

test("the overview's first HTML has its figures for who sees all sites; who doesn't is neither shown nor refused them", async () => {
  const denied = async () => (await db.pool.query(`SELECT FROM audit_row WHERE outcome = 'denied'`)).rowCount;
  const html = async (who: Record<string, string>) => (await fetch(`${url}/`, { headers: who })).text();
  const before = await denied();
  await until(async () => /<section[^>]*aria-label="Messages"/.test(await html(admin)), { what: "the figures" });
  const ofA = await keyHeader(db.pool, [{ role: "viewer", siteId: A }]);
  // A page that would have to wait for who asks comes without it, and is nobody's.
  await until(async () => /"everywhere":\[\]/.test((await html(ofA)).replaceAll("\\", "")), { what: "who asks" });
  for (const who of [ofA, {}]) expect(await html(who)).not.toMatch(/aria-label="Messages"|messagesPerSecond|"probes/);
  expect(await denied()).toBe(before);
});

test("a device that moves to another site is heard there, and no more where it was", async () => {
  const [all, a, b] = await Promise.all([
    connect(admin),
    connect(await keyHeader(db.pool, [{ role: "viewer", siteId: A }])),
    connect(await keyHeader(db.pool, [{ role: "viewer", siteId: B }])),
  ]);
  await send(["mover", "A"], ["a-2", "A"]);
  await until(async () => (await db.pool.query(`SELECT FROM device WHERE name = 'mover'`)).rowCount === 1);
  for (const live of [all, a, b]) await live.watch("devices");
  await a.watch("device:mover");
  await send(["mover", "A"]);
  await until(() => heard(a, "device:mover").length > 0, { what: "its frames" });
  expect(heard(b, "devices")).not.toContain("mover");

  const moved = await fetch(`${url}/api/v1/devices/mover`, {
    method: "PATCH",
    body: JSON.stringify({ site: "B" }),
    headers: { ...admin, "content-type": "application/json" },
  });
  expect(moved.status).toBe(200);
  a.frames.length = 0;
  await send(["mover", "A"], ["a-2", "A"]);
  await until(() => heard(b, "devices").includes("mover") && heard(a, "devices").includes("a-2"), { what: "frames" });
  expect(JSON.stringify(a.frames)).not.toContain("mover");
  expect(await a.watch("device:mover")).toMatchObject({ ok: false });
});

test("another grant ends the connection within two seconds, and the next one hears by it", async () => {
  const who = await keyHeader(db.pool, [{ role: "viewer", siteId: A }]);
  const live = await connect(who);
  await live.watch("devices");
  const ended = new Promise<number>((resolve) => live.socket.once("disconnect", () => resolve(performance.now())));
  const began = performance.now();
  const [, id] = /_([0-9a-z]{12})_/.exec(who.authorization)!;
  await db.pool.query(`UPDATE role_grant SET site_id = $2 WHERE key_id = $1`, [id, B]);
  expect((await ended) - began).toBeLessThan(2000);
  const again = await connect(who);
  expect(await again.watch("devices")).toMatchObject({ ok: true });
  await send(["a-3", "A"], ["b-3", "B"]);
  await until(() => heard(again, "devices").includes("b-3"), { what: "frames" });
  expect(JSON.stringify(again.frames)).not.toContain("a-3");
});
