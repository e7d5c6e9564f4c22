import { readFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { makeCertificate } from "@/server/testing/certificate";
import { collect, mqttRig, signedIn } from "@/server/testing/mqtt-rig";
import { until } from "@/server/testing/until";

test.each([3, 4, 5] as const)(
  "version %i: what is published is taken, in order, with topic and flags",
  async (version) => {
    const { connect, taken, listener } = await mqttRig();
    const client = await connect(
      version === 3 ? { protocolVersion: 3, protocolId: "MQIsdp" } : { protocolVersion: version },
    );
    await client.publishAsync("a/b", "0", { qos: 0 });
    await client.publishAsync("a/b", "1", { qos: 1, retain: true });
    await client.publishAsync("ä/b", "2", { qos: 2 });
    expect(taken.map(({ topic, payload, retained }) => [topic, Buffer.from(payload).toString(), retained])).toEqual([
      ["a/b", "0", false],
      ["a/b", "1", false],
      ["ä/b", "2", false],
    ]);
    expect(listener.clients().get("plant")?.count).toBe(1);
  },
);

test("while the log is away messages are held: nobody is refused, nothing is acknowledged, and all come in order", async () => {
  const { connect, taken, setAway, ended, refusals } = await mqttRig({ inFlight: 20 });
  setAway(true);
  const client = await connect({ protocolVersion: 5 });
  let acknowledged = 0;
  const all = Array.from({ length: 200 }, (_, i) =>
    client.publishAsync("t", String(i), { qos: 1 }).then(() => (acknowledged += 1)),
  );
  await until(() => refusals() >= 3);
  expect(acknowledged).toBe(0);
  setAway(false);
  await Promise.all(all);
  expect(taken.map(({ payload }) => Number(Buffer.from(payload).toString()))).toEqual(all.map((_, i) => i));
  expect(ended).toEqual([]);
});

test("a client of 3.1.1 that sends without limit isn't read for as long as the log is away", async () => {
  const { listener, taken, setAway } = await mqttRig({ inFlight: 50 });
  const socket = await signedIn(listener.port);
  setAway(true);
  const body = Buffer.alloc(1000, 65);
  const one = (id: number) => Buffer.concat([Buffer.from([0x32, 0xed, 7, 0, 1, 116, id >> 8, id & 255]), body]);
  for (let id = 1; id <= 5000; id++) socket.write(one(id));
  await until(() => socket.writableLength > 0);
  setAway(false);
  await until(() => taken.length === 5000);
  expect(taken.length).toBe(5000);
});

test("a client whose messages are large isn't read past its bytes: what others send doesn't wait behind more of it", async () => {
  const { listener, taken, batches, setAway } = await mqttRig({ inFlightBytes: 20_000 });
  const socket = await signedIn(listener.port);
  setAway(true);
  const body = Buffer.alloc(1000, 65);
  const one = (id: number) => Buffer.concat([Buffer.from([0x32, 0xed, 7, 0, 1, 116, id >> 8, id & 255]), body]);
  for (let id = 1; id <= 5000; id++) socket.write(one(id));
  await until(() => socket.writableLength > 0);
  setAway(false);
  await until(() => taken.length === 5000);
  // What is on its way, and one read of the socket.
  expect(Math.max(...batches)).toBeLessThan((20_000 + 65_536) / 1000);
});

test("subscriptions are refused, with a code for each", async () => {
  const { connect } = await mqttRig();
  const old = await connect({ protocolVersion: 4 });
  await expect(old.subscribeAsync(["a", "b/#"])).rejects.toThrow();
  const five = await connect({ protocolVersion: 5 });
  await expect(five.subscribeAsync("a")).rejects.toThrow(/Not authorized/);
});

test("a wrong key is refused in the words of each version", async () => {
  const { connect, ended } = await mqttRig();
  await expect(connect({ password: "no" })).rejects.toThrow(/Not authorized/);
  await expect(connect({ password: "no", protocolVersion: 5 })).rejects.toThrow(/Bad User Name or Password/);
  expect(ended).toEqual(Array(2).fill("has no key of a source as its password"));
});

test("topics outside the source's filters are told to version 5, and counted", async () => {
  const { connect, taken, notTaken } = await mqttRig({}, { topics: ["plant/+/up", "all/#"] });
  const five = await connect({ protocolVersion: 5 });
  await five.publishAsync("plant/7/up", "1", { qos: 1 });
  await five.publishAsync("all", "1", { qos: 1 });
  await expect(five.publishAsync("plant/7/down", "1", { qos: 1 })).rejects.toThrow(/Not authorized/);
  const four = await connect();
  await four.publishAsync("plant/7/8/up", "1", { qos: 1 });
  expect(taken.map(({ topic }) => topic)).toEqual(["plant/7/up", "all"]);
  expect(notTaken).toEqual(["plant/7/down", "plant/7/8/up"]);
});

test("a will is published when its client goes without a word, or is replaced; not when it takes its leave or the listener stops", async () => {
  const { connect, taken, listener } = await mqttRig();
  const will = (payload: string) => ({ topic: "w", payload: Buffer.from(payload), qos: 1 as const, retain: true });
  const broken = await connect({ will: will("broken") });
  broken.stream.destroy();
  await until(() => taken.length === 1);
  await connect({ clientId: "one", will: will("replaced"), protocolVersion: 5 });
  await connect({ clientId: "one", will: will("stopped") });
  await until(() => taken.length === 2);
  const polite = await connect({ will: will("polite") });
  await polite.endAsync();
  await listener.stop(1000);
  expect(taken.map(({ payload, retained }) => [Buffer.from(payload).toString(), retained])).toEqual([
    ["broken", false],
    ["replaced", false],
  ]);
});

test("QoS 2: the same id sent again is taken once", async () => {
  const { listener, taken } = await mqttRig();
  const socket = await signedIn(listener.port);
  const publish = Buffer.from([0x34, 6, 0, 1, 116, 0, 9, 55]);
  const again = Buffer.from([0x3c, 6, 0, 1, 116, 0, 9, 55]);
  const heard = collect(socket);
  socket.write(Buffer.concat([publish, again]));
  await until(() => heard().length >= 4);
  socket.write(Buffer.concat([again, Buffer.from([0x62, 2, 0, 9])]));
  await until(() => heard().toString("hex").endsWith("70020009"));
  expect(heard().toString("hex")).toMatch(/^50020009(50020009)*70020009$/);
  expect(taken.length).toBe(1);
});

test("topic aliases of version 5", async () => {
  const { connect, taken } = await mqttRig();
  const client = await connect({ protocolVersion: 5 });
  await client.publishAsync("long/topic", "1", { qos: 1, properties: { topicAlias: 3 } });
  await client.publishAsync("", "2", { qos: 1, properties: { topicAlias: 3 } });
  expect(taken.map(({ topic }) => topic)).toEqual(["long/topic", "long/topic"]);
});

test.each([
  ["wildcards", "a/+/b"],
  ["bad UTF-8", Buffer.from([97, 0xff, 98])],
  ["101 levels", "a/".repeat(100) + "a"],
  ["nothing", ""],
])("a topic of %s ends the connection", async (_, topic) => {
  const { listener, taken, ended } = await mqttRig();
  const socket = await signedIn(listener.port);
  const name = Buffer.from(topic as string);
  const body = Buffer.concat([Buffer.from([name.length >> 8, name.length & 255]), name, Buffer.from("x")]);
  const length = body.length < 128 ? [body.length] : [(body.length & 127) | 128, body.length >> 7];
  socket.write(Buffer.concat([Buffer.from([0x30, ...length]), body]));
  await new Promise((resolve) => socket.once("close", resolve));
  expect(ended).toEqual(["published to a topic that can't be one"]);
  expect(taken).toEqual([]);
});

test("a client that is silent for longer than its keep-alive is let go", async () => {
  const { listener, ended } = await mqttRig();
  const socket = await signedIn(listener.port, 1);
  await new Promise((resolve) => socket.once("close", resolve));
  expect(ended).toEqual(["was silent for longer than its keep-alive allows"]);
});

test("a source has no more clients than it may", async () => {
  const { connect } = await mqttRig({}, { maxClients: 1 });
  await connect();
  await expect(connect({ protocolVersion: 5 })).rejects.toThrow(/Quota exceeded/);
});

test("stopping acknowledges what it took before it lets go", async () => {
  const { connect, taken, setAway, listener, refusals } = await mqttRig();
  setAway(true);
  const client = await connect();
  const published = client.publishAsync("t", "1", { qos: 1 });
  await until(() => refusals() > 0);
  const stopped = listener.stop(5000);
  setAway(false);
  await published;
  await stopped;
  expect(taken.length).toBe(1);
});

test("speaks TLS with the certificate it is given, and with the next for those who come later", async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "fieldwatch-mqtt-"));
  const pair = (name: string) => {
    const { cert, key } = makeCertificate(folder, name);
    return { cert: readFileSync(cert), key: readFileSync(key) };
  };
  const [first, second] = [pair("localhost"), pair("other.example")];
  const { listener, connect, taken } = await mqttRig({}, {}, first);
  const client = await connect({
    protocol: "mqtts",
    ca: first.cert,
    rejectUnauthorized: true,
    servername: "localhost",
  });
  listener.setSecureContext(second);
  await expect(connect({ protocol: "mqtts", ca: first.cert, servername: "localhost" })).rejects.toThrow();
  const other = await connect({ protocol: "mqtts", ca: second.cert, servername: "other.example" });
  await client.publishAsync("t", "1", { qos: 1 });
  await other.publishAsync("t", "2", { qos: 1 });
  await expect(connect()).rejects.toThrow();
  expect(taken.length).toBe(2);
});

test("many publishes of one turn go to the log together", async () => {
  const { connect, batches } = await mqttRig();
  const client = await connect();
  await Promise.all(Array.from({ length: 500 }, () => client.publishAsync("t", "1", { qos: 1 })));
  expect(batches.length).toBeLessThan(50);
});
