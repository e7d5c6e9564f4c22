import { connect, type Socket } from "node:net";
import { gzipSync } from "node:zlib";
import pino from "pino";
import { afterAll, beforeAll, expect, test } from "vitest";
import { freePort } from "@/e2e/product";
import { loadConfig } from "./config/config";
import { adminHeader } from "./testing/key-header";
import { freshDatabase, type TestDatabase } from "./testing/database";
import { makeTopics } from "./testing/topics";
import { until } from "./testing/until";
import { runWeb } from "./web";

// The pages must be built: `npm test` sees to that.
const logger = pino({ level: "silent" });
const MB = 2 ** 20;
let db: TestDatabase;
let web: Awaited<ReturnType<typeof runWeb>>;
let port: number;
/** Headers of somebody who may do everything, and of somebody else. */
let who: { readonly authorization: string };
let other: { readonly authorization: string };

beforeAll(async () => {
  db = await freshDatabase();
  port = await freePort();
  who = await adminHeader(db.pool);
  other = await adminHeader(db.pool);
  const config = loadConfig({ DATABASE_URL: db.appUrl, PORT: String(port) }, "");
  await makeTopics(config, logger);
  web = await runWeb(config, logger);
});
afterAll(async () => {
  await web?.stop();
  await db?.drop();
});

const url = (path: string) => `http://127.0.0.1:${port}${path}`;
const post = (body: string | Buffer, headers: Record<string, string> = {}) =>
  fetch(url("/api/v1/telemetry"), {
    method: "POST",
    body: body as BodyInit,
    headers: { "content-type": "application/json", ...who, ...headers },
  });
const one = () => JSON.stringify({ device: "press-1", time: Date.now(), readings: { t: 1 } });

/** Somebody else's connection that announces 8 MB, sends some, and then says nothing more. */
function stalled(bytes: number, from: string): Socket {
  const head = `POST /api/v1/telemetry HTTP/1.1\r\nHost: localhost:${port}\r\nContent-Type: application/json\r\nAuthorization: ${other.authorization}\r\n`;
  const socket = connect({ host: "127.0.0.1", port, localAddress: from }, () => {
    socket.write(`${head}Content-Length: 8000000\r\n\r\n`);
    socket.write(Buffer.alloc(bytes, "["));
  });
  return socket.on("error", () => {}).resume();
}

/** Told, not judged: how long answers take is the machine's; `npm run bench -- stalled` judges it on a quiet one. */
function told(what: string, times: readonly number[]): void {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share: number) => Math.round(sorted[Math.floor(share * (sorted.length - 1))]!);
  process.stdout.write(`${what}: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, of ${times.length}\n`);
}

test("two hundred half-sent bodies, of one address or of many, keep nobody else out", async () => {
  await post(one());
  for (const addresses of [1, 100]) {
    const sockets = Array.from({ length: 200 }, (_, i) =>
      stalled(2_000_000 / (1 + (i % 3)), `127.0.1.${1 + (i % addresses)}`),
    );
    await until(() => sockets.filter(({ bytesWritten }) => bytesWritten > 600_000).length === 200, {
      timeoutMs: 30_000,
    });
    const times: number[] = [];
    for (let i = 0; i < 100; i++) {
      const began = performance.now();
      expect((await post(one())).status).toBe(202);
      times.push(performance.now() - began);
    }
    sockets.forEach((socket) => socket.destroy());
    told("answers to others beside half-sent bodies", times);
  }
}, 60_000);

test("a hundred bombs cost no memory to speak of, and keep no page waiting", async () => {
  const body = 8 * MB - 8;
  const packed = [
    gzipSync(Buffer.alloc(body, "[")),
    gzipSync(Buffer.from(`{"a":${"[".repeat(body - 8)}`)),
    gzipSync(Buffer.alloc(body, `[${"[".repeat(30)}"\\",[",`)),
    // Packed so badly that it may become as large as any.
    gzipSync(
      Buffer.concat(Array.from({ length: 400 }, (_, i) => Buffer.alloc(20_000, `${"[".repeat(60)}${i * 7919}`))),
      { level: 1 },
    ),
  ];
  const before = process.memoryUsage().rss;
  let most = 0;
  let done = false;
  const bombs = Promise.all(
    Array.from({ length: 100 }, (_, i) =>
      post(packed[i % packed.length]!, { "content-encoding": "gzip" }).then(({ status }) => status),
    ),
  ).finally(() => (done = true));
  const times: number[] = [];
  while (!done) {
    const began = performance.now();
    expect((await fetch(url("/api/livez"))).status).toBe(200);
    times.push(performance.now() - began);
    most = Math.max(most, process.memoryUsage().rss - before);
  }
  expect((await bombs).filter((status) => ![400, 413, 422, 429].includes(status))).toEqual([]);
  expect(most / MB).toBeLessThan(300);
  told("answers to others beside bombs", times);
}, 60_000);
