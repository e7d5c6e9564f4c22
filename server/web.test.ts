import { request } from "node:http";
import { gzipSync } from "node:zlib";
import pino from "pino";
import { io, type Socket } from "socket.io-client";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { freePort } from "@/e2e/product";
import { composeEngines } from "./compose";
import { type Config, loadConfig } from "./config/config";
import type { ClientToServer, Frame, LiveDevice, Room, ServerToClient, WatchAnswer } from "./contracts/live";
import { TOPICS } from "./domain/terms";
import { freshDatabase, type TestDatabase } from "./testing/database";
import { adminHeader } from "./testing/key-header";
import { makeTopics } from "./testing/topics";
import { until } from "./testing/until";
import { runWeb } from "./web";
import { runWorker } from "./worker";

// The pages must be built: `npm test` sees to that.
const logger = pino({ level: "silent" });
let db: TestDatabase;
let config: Config;
let web: Awaited<ReturnType<typeof runWeb>>;
let worker: { stop(): Promise<void> };
let url: string;
/** Headers of somebody who may do everything. */
let who: { readonly authorization: string };

type Live = Socket<ServerToClient, ClientToServer>;

/** A browser that was there before the server: it tries again and again, as all do while one is restarted. */
let early: Live;
const earlyAnswers: WatchAnswer[] = [];

beforeAll(async () => {
  db = await freshDatabase();
  const loaded = loadConfig({ DATABASE_URL: db.appUrl, INGEST_MAX_BODY_BYTES: "100000" }, "");
  config = { ...loaded, server: { ...loaded.server, PORT: await freePort() } };
  url = `http://127.0.0.1:${config.server.PORT}`;
  who = await adminHeader(db.pool);
  await makeTopics(config, logger);
  const often = { reconnectionDelay: 10, reconnectionDelayMax: 10 };
  early = io(url, { transports: ["websocket"], extraHeaders: { origin: url, ...who }, ...often });
  early.once("connect", () => early.emit("watch", "health", (answer) => earlyAnswers.push(answer)));
  web = await runWeb(config, logger);
  worker = await runWorker(config, logger);
});
afterAll(async () => {
  early?.close();
  await web?.stop();
  await worker?.stop();
  await db?.drop();
});

const get = (path: string) => fetch(url + path, { headers: who });
const post = (body: string | Uint8Array, headers: Record<string, string> = {}) =>
  fetch(`${url}/api/v1/telemetry`, {
    method: "POST",
    body: body as BodyInit,
    headers: { "content-type": "application/json", ...who, ...headers },
  });
const message = (device: string, value: number) =>
  JSON.stringify({ device, time: new Date().toISOString(), readings: { temperature: value, mode: "auto" } });

test("large answers are compressed, streamed ones too, short ones are not", async () => {
  const encoding = async (path: string) => {
    const answer = await fetch(url + path, { headers: { "accept-encoding": "gzip", ...who } });
    expect((await answer.text()).length).toBeGreaterThan(10);
    return answer.headers.get("content-encoding");
  };
  expect(await encoding("/")).toBe("gzip");
  expect(await encoding("/api/openapi.json")).toBe("gzip");
  expect(await encoding("/api/v1/devices.csv")).toBe("gzip");
  expect(await encoding("/api/livez")).toBeNull();
  expect(await encoding("/api/v1/nothing")).toBeNull();
  const plain = await fetch(`${url}/api/openapi.json`, { headers: { "accept-encoding": "identity" } });
  expect(plain.headers.get("content-encoding")).toBeNull();
});

test("pages and routes answer on one port, with security headers and without CORS", async () => {
  const page = await get("/");
  expect([page.status, page.headers.get("content-type")]).toEqual([200, "text/html; charset=utf-8"]);
  expect(page.headers.get("x-content-type-options")).toBe("nosniff");
  expect(page.headers.get("access-control-allow-origin")).toBeNull();
  expect((await get("/api/livez")).status).toBe(200);
  expect((await get("/api/readyz")).status).toBe(200);
  expect((await (await get("/api/openapi.json")).json()).openapi).toBe("3.1.0");
  const missing = await get("/api/v1/nothing");
  expect([missing.status, missing.headers.get("content-type")]).toEqual([404, "application/problem+json"]);
  const wrong = await fetch(`${url}/api/v1/devices`, { method: "DELETE", headers: who });
  expect([wrong.status, wrong.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
});

test("what Next would fail at is refused, and nothing is written of it", async () => {
  const written: string[] = [];
  const spies = [process.stdout, process.stderr].map((stream) =>
    vi.spyOn(stream, "write").mockImplementation((text) => written.push(String(text)) > 0),
  );
  const status = (path: string, method = "GET", headers: Record<string, string> = {}) =>
    new Promise<number | undefined>((resolve, reject) => {
      const call = request(url, { path, method, headers: { ...who, ...headers } }, (answer) => {
        answer.resume();
        answer.once("end", () => resolve(answer.statusCode));
      });
      call.on("error", reject);
      call.end();
    });
  const read = { rsc: "1", "next-router-state-tree": encodeURIComponent(JSON.stringify(["", {}])) };
  expect(await status("/devices", "GET", read)).toBeLessThan(400);
  const [bad, api] = ["/api/v1/devices", "/api/v1/nothing"];
  for (const path of ["%", "%ff", "%00", "%c3%28", "%E0%A4%A"])
    for (const [before, after, expected] of [
      ["/", "", 404],
      ["/devices/", "", 404],
      ["/jobs/", "", 404],
      [`${bad}/`, "", 400],
      [`${bad}/`, "/readings", 400],
      [`${api}/`, "", 400],
      ["/ingest/", "", 400],
      ["/ingest/barn/", "/telemetry", 400],
    ])
      expect(await status(`${before}${path}${after}`), path).toBe(expected);
  expect(await status("*", "OPTIONS")).toBe(400);
  expect(await status(`${bad}?search=%00&cursor=%ff`)).toBe(400);
  for (const tree of ["%ff", "x", "[]", "%5B%22%22%5D", "[{},{}]", "%22" + "x".repeat(3000)])
    expect(await status("/devices", "GET", { rsc: "1", "next-router-state-tree": tree }), tree).toBe(400);
  for (const method of ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
    for (const path of ["/", "/devices/x", "/health", "/_next/static/x"])
      expect(await status(path, method, { "next-action": "00", "content-type": "text/plain" }), path).toBe(405);
  const answer = await get(`${bad}/%ff`);
  expect([answer.headers.get("content-type"), (await answer.json()).type]).toEqual([
    ...["application/problem+json", "/problems/invalid-parameters"],
  ]);
  expect(await (await get("/devices/%ff")).text()).toContain("There is no such page");
  for (const spy of spies) spy.mockRestore();
  expect(written).toEqual([]);
});

test("a body that is too large is answered 413, told or not, and the connection stays usable", async () => {
  expect((await post("x".repeat(200_000))).status).toBe(413);
  expect((await post(gzipSync("x".repeat(200_000)), { "content-encoding": "gzip" })).status).toBe(413);
  const status = await new Promise((resolve, reject) => {
    const call = request(
      `${url}/api/v1/telemetry`,
      { method: "POST", headers: { "content-type": "application/json", ...who } },
      (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      },
    );
    call.on("error", reject);
    // Chunked: nobody says how long it is before it is too long.
    for (let i = 0; i < 30; i++) call.write("x".repeat(10_000));
    call.end();
  });
  expect(status).toBe(413);
  expect((await post(message("after", 1))).status).toBe(202);
});

test("a second server on the port is told that it is taken", async () => {
  const taken = { ...config, server: { ...config.server, PORT: web.port } };
  await expect(runWeb(taken, logger)).rejects.toMatchObject({ code: "EADDRINUSE" });
  expect((await get("/api/livez")).status).toBe(200);
});

test("sockets of pages from elsewhere are refused", async () => {
  const socket = io(url, {
    transports: ["websocket"],
    reconnection: false,
    extraHeaders: { origin: "http://elsewhere.example", ...who },
  });
  const refused = await new Promise((resolve) => {
    socket.on("connect_error", () => resolve(true));
    socket.on("connect", () => resolve(false));
  });
  socket.close();
  expect(refused).toBe(true);
});

test("a browser that comes while the server starts is answered", async () => {
  expect(await until(() => earlyAnswers[0], { timeoutMs: 20_000 })).toMatchObject({ ok: true });
});

async function watching(rooms: Room[]): Promise<{ socket: Live; frames: Frame[]; answers: WatchAnswer[] }> {
  const socket: Live = io(url, { transports: ["websocket"], extraHeaders: { origin: url, ...who } });
  const frames: Frame[] = [];
  socket.on("frame", (frame) => frames.push(frame));
  const answers: WatchAnswer[] = [];
  for (const room of rooms) answers.push(await socket.emitWithAck("watch", room));
  return { socket, frames, answers };
}

test("a committed message reaches who watches, numbered without gaps", async () => {
  const { socket, frames, answers } = await watching(["overview", "health", "devices", "device:press-1"]);
  expect(answers.every(({ ok }) => ok)).toBe(true);
  expect(await socket.emitWithAck("watch", "device:../x" as Room)).toMatchObject({ ok: false });
  expect((await post(message("press-1", 5))).status).toBe(202);
  const devicesOf = (room: Room) =>
    frames
      .flatMap(({ room: found, data }) => (found === room && data.kind === "devices" ? data.devices : []))
      .filter(({ id }) => id === "press-1");
  const device = await until(() => devicesOf("device:press-1")[0]);
  expect(device).toMatchObject({ messages: 1, more: false } satisfies Partial<LiveDevice>);
  expect(device.points.temperature?.[0]?.[1]).toBe(5);
  expect(device.texts.mode?.[1]).toBe("auto");
  expect(devicesOf("devices")).toHaveLength(1);

  await until(
    () =>
      new Set(frames.map(({ room }) => room)).size === 4 &&
      frames.filter(({ room }) => room === "overview").length >= 3,
  );
  for (const room of ["overview", "health", "devices", "device:press-1"] as const) {
    const numbers = frames.filter((frame) => frame.room === room).map(({ seq }) => seq);
    expect(numbers).toEqual(numbers.map((_, i) => numbers[0]! + i));
  }
  socket.close();
});

test("a record that never came shows as a missing number, so that browsers load again", async () => {
  const { socket, frames, answers } = await watching(["devices"]);
  const joined = answers[0]!;
  const engines = await composeEngines(config, "test", logger);
  const record = { worker: "elsewhere", seq: 2, at: Date.now(), devices: [] };
  await engines.eventLog.append(TOPICS.live, [{ key: null, value: Buffer.from(JSON.stringify(record)) }]);
  await engines.close();
  const frame = await until(() => frames[0]);
  expect(joined.ok && frame.life === joined.life && frame.seq).toBe((joined.ok ? joined.seq : 0) + 2);
  socket.close();
});

test("a room lives while anyone watches it, and its next life has a name of its own", async () => {
  const lives = async (socket: Live) => {
    const answer = await socket.emitWithAck("watch", "device:press-2");
    return answer.ok ? answer.life : null;
  };
  const { socket: one } = await watching([]);
  const { socket: other } = await watching([]);
  const first = await lives(one);
  expect(await lives(other)).toBe(first);
  one.emit("unwatch", "device:press-2");
  expect(await lives(one)).toBe(first);
  one.emit("unwatch", "device:press-2");
  other.close();
  // The server notices by itself that the last browser has gone.
  const next = await until(async () => {
    const life = await lives(one);
    if (life !== first) return life;
    one.emit("unwatch", "device:press-2");
    return null;
  });
  expect(next).toEqual(expect.any(String));
  one.close();
});

test("lets go of browsers and kept-alive connections when it stops", async () => {
  const { socket } = await watching(["overview"]);
  await get("/");
  await web.stop();
  await until(() => !socket.connected);
  socket.close();
  await expect(get("/")).rejects.toThrow();
});
