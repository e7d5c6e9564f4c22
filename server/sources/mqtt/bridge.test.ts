import { mkdtempSync, readFileSync } from "node:fs";
import { type AddressInfo, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { createServer as createTlsServer } from "node:tls";
import { Aedes } from "aedes";
import mqtt from "mqtt";
import { afterEach, expect, test } from "vitest";
import { makeCertificate } from "@/server/testing/certificate";
import { until } from "@/server/testing/until";
import { type Bridge, type BridgeSettings, startBridge } from "./bridge";
import type { Published } from "./durable-queue";

const undo: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (let step = undo.pop(); step; step = undo.pop()) await step();
});

/** A broker that keeps sessions, for as long as the test runs. */
async function broker(options: { refuse?: boolean; tls?: { cert: Buffer; key: Buffer } } = {}) {
  const aedes = await Aedes.createBroker({
    authenticate: (_client, username, _password, done) => done(null, options.refuse !== true || username === "me"),
  });
  const server: Server =
    options.tls === undefined ? createServer(aedes.handle) : createTlsServer(options.tls, aedes.handle);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  undo.push(async () => {
    await new Promise<void>((resolve) => aedes.close(() => resolve()));
    await new Promise((resolve) => server.close(resolve));
  });
  const sender = async () => {
    const client = await mqtt.connectAsync({
      ...{ host: "127.0.0.1", port, username: "me" },
      ...(options.tls && { protocol: "mqtts" as const, rejectUnauthorized: false }),
    });
    undo.push(() => client.endAsync(true));
    return client;
  };
  return { aedes, port, sender };
}

function bridgeTo(port: number, settings: Partial<BridgeSettings> = {}) {
  const taken: Published[] = [];
  const log = { isAway: false };
  const bridge: Bridge = startBridge({
    settings: {
      ...{ url: `mqtt://127.0.0.1:${port}`, clientId: "fieldwatch", username: null, password: null, ca: null },
      ...{ topics: ["plant/#"], qos: 1, ...settings },
    },
    async publish(batch) {
      if (log.isAway) throw new Error("the log is away");
      taken.push(...batch);
    },
    ...{ onTooLarge: () => {}, onTrouble: () => {}, onState: () => {}, now: Date.now },
  });
  const stop = () => bridge.stop(1000);
  undo.push(stop);
  return { bridge, taken, log, stop, texts: () => taken.map(({ payload }) => Buffer.from(payload).toString()) };
}

const connected = ({ bridge }: { bridge: Bridge }) => until(() => bridge.state().isConnected);

test("takes what is published to its topics, with the retained flag of what was there before", async () => {
  const { port, sender } = await broker();
  const client = await sender();
  await client.publishAsync("plant/1", "kept", { qos: 1, retain: true });
  const one = bridgeTo(port);
  await connected(one);
  await client.publishAsync("plant/2", "new", { qos: 1 });
  await client.publishAsync("other", "not ours", { qos: 1 });
  await until(() => one.taken.length === 2);
  expect(one.taken.map(({ topic, retained }) => [topic, retained])).toEqual([
    ["plant/1", true],
    ["plant/2", false],
  ]);
});

test("what comes while it is away, or while the log is, waits at the broker and is taken by the next", async () => {
  const { port, sender } = await broker();
  const first = bridgeTo(port);
  await connected(first);
  await first.stop();
  const client = await sender();
  for (let i = 0; i < 50; i++) await client.publishAsync("plant/1", String(i), { qos: 1 });
  const second = bridgeTo(port);
  second.log.isAway = true;
  await connected(second);
  await second.stop();
  expect(second.taken).toEqual([]);
  const third = bridgeTo(port);
  await until(() => new Set(third.texts()).size === 50);
  expect([...new Set(third.texts())].map(Number).sort((a, b) => a - b)).toEqual(
    Array.from({ length: 50 }, (_, i) => i),
  );
});

test("reconnects by itself, and says meanwhile what is wrong", async () => {
  const { aedes, port, sender } = await broker();
  const one = bridgeTo(port);
  await connected(one);
  for (const client of Object.values(
    (aedes as unknown as { clients: Record<string, { conn: { destroy(): void } }> }).clients,
  ))
    client.conn.destroy();
  await until(() => !one.bridge.state().isConnected);
  expect(one.bridge.state().trouble).toBe("The broker closed the connection.");
  await connected(one);
  await (await sender()).publishAsync("plant/1", "again", { qos: 1 });
  await until(() => one.texts().includes("again"));
});

test.each([
  ["a wrong user", async () => (await broker({ refuse: true })).port, /^The broker doesn't (know this|let this)/],
  ["no broker", async () => 1, /^Nothing listens/],
])("%s is told in words", async (_, place, words) => {
  const { bridge } = bridgeTo(await place());
  await until(() => words.test(bridge.state().trouble ?? ""));
});

test("over TLS it trusts the authority it is given, and no other", async () => {
  const folder = mkdtempSync(path.join(tmpdir(), "fieldwatch-bridge-"));
  const { cert, key } = makeCertificate(folder, "localhost");
  const tls = { cert: readFileSync(cert), key: readFileSync(key) };
  const { port, sender } = await broker({ tls });
  const url = `mqtts://localhost:${port}`;
  const one = bridgeTo(port, { url, ca: tls.cert.toString() });
  await connected(one);
  await (await sender()).publishAsync("plant/1", "1", { qos: 1 });
  await until(() => one.taken.length === 1);
  const other = bridgeTo(port, { url, clientId: "other" });
  await until(() => /self-signed certificate/.test(other.bridge.state().trouble ?? ""));
});

test("publishes to the broker", async () => {
  const { port, sender } = await broker();
  const client = await sender();
  const heard: string[] = [];
  client.on("message", (topic) => heard.push(topic));
  await client.subscribeAsync("cmd/#");
  const one = bridgeTo(port);
  await connected(one);
  one.bridge.send("cmd/1", Buffer.from("x"));
  await until(() => heard.length === 1);
});
