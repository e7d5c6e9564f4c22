import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import pino from "pino";
import { Server } from "socket.io";
import { io as connect, type Socket } from "socket.io-client";
import { afterEach, expect, test } from "vitest";
import type {
  ClientToServer,
  Frame,
  LiveDevice,
  LiveRecord,
  ServerToClient,
  WatchAnswer,
} from "@/server/contracts/live";
import type { Subscription } from "@/server/ports/event-log";
import { until } from "@/server/testing/until";
import { startLiveChannel, type LiveServer } from "./live-channel";

const ended: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const end of ended.splice(0).reverse()) await end();
});

/** A channel on a port of its own, a browser that watches the list of devices, and a way to give it what a worker committed. */
async function open(underWay: Promise<void> = Promise.resolve()) {
  const http = createServer();
  const io: LiveServer = new Server(http);
  io.use((socket, next) => {
    socket.data = { sites: "all", details: false };
    next();
  });
  await new Promise<void>((listening) => http.listen(0, "127.0.0.1", listening));
  let live: Subscription | undefined;
  const channel = startLiveChannel({
    io,
    eventLog: {
      async consume(subscription) {
        live = subscription;
        await underWay;
        return { assigned: () => [0], stop: async () => undefined };
      },
    },
    seenAt: async (_sites, devices) => new Set(devices),
    noteWatched: async () => undefined,
    onFrame: () => undefined,
    pipeline: async () => () => {
      throw new Error("nobody watches it");
    },
    health: () => {
      throw new Error("nobody watches it");
    },
    onHealthChange: () => () => undefined,
    logger: pino({ level: "silent" }),
    now: () => performance.now(),
  });
  ended.push(() => io.close().then(() => undefined));
  ended.push(() => channel.stop());
  const socket: Socket<ServerToClient, ClientToServer> = connect(
    `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    { transports: ["websocket"] },
  );
  ended.push(() => void socket.disconnect());
  const frames: Frame[] = [];
  socket.on("frame", (frame) => frames.push(frame));
  const watched = await new Promise<WatchAnswer>((answer) => socket.emit("watch", "devices", answer));
  let seq = 0;
  async function give(...devices: LiveDevice[]): Promise<number> {
    const record: LiveRecord = { worker: "w", seq: ++seq, at: 0, devices };
    const given = performance.now();
    const stored = { offset: seq, key: null, value: Buffer.from(JSON.stringify(record)), headers: {}, ingestTime: 0 };
    const of = { cluster: "c", topic: "iot.live", partition: 0, from: seq, to: seq + 1, term: null, end: seq + 1 };
    await live!.onBatch({ ...of, records: [stored] }, new AbortController().signal);
    return given;
  }
  return { watched, frames, give };
}

test("who joined before the channel heard anything loads again once it does", async () => {
  let begin = () => {};
  const { watched, frames } = await open(new Promise((resolve) => (begin = resolve)));
  begin();
  await until(() => frames.length > 0);
  expect(watched).toMatchObject({ ok: true, seq: 0 });
  expect(frames.map(({ seq }) => seq)).toEqual([2]);
});

const deviceOf = (id: string, value: number): LiveDevice => ({
  ...{ id, lastSeen: value, messages: 1, points: { t: [[value, value]] }, texts: {}, more: false },
});

test("the first frame after a rest doesn't wait for a beat; what comes right after goes together in the next", async () => {
  const { watched, frames, give } = await open();
  expect(watched).toMatchObject({ ok: true, seq: 0 });
  const given = await give(deviceOf("a", 1));
  await until(() => frames.length === 1, { timeoutMs: 10_000 });
  const [first] = frames;
  expect(first).toMatchObject({ room: "devices", seq: 1, data: { devices: [{ id: "a", messages: 1 }] } });
  expect(first!.at - given).toBeLessThan(200);

  await give(deviceOf("a", 2), deviceOf("b", 3));
  await give(deviceOf("a", 4));
  await until(() => frames.length === 2, { timeoutMs: 10_000 });
  expect(frames[1]!.seq).toBe(2);
  expect(frames[1]!.data).toMatchObject({
    devices: [
      {
        ...{ id: "a", messages: 2 },
        points: { t: [[4, 4]] },
      },
      { id: "b", messages: 1 },
    ],
  });
  // Both are timed by the one clock, so that a slow machine makes it later, never earlier.
  expect(frames[1]!.at - first!.at).toBeGreaterThan(150);
});
