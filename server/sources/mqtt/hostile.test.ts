import { expect, test } from "vitest";
import { mqttRig, rawSocket } from "@/server/testing/mqtt-rig";
import { until } from "@/server/testing/until";

test("a CONNECT of 200 MB is refused at its head", async () => {
  const { listener, ended } = await mqttRig();
  const socket = await rawSocket(listener.port);
  socket.write(Buffer.from([0x10, 0x80, 0x84, 0xaf, 0x5f]));
  await new Promise((resolve) => socket.once("close", resolve));
  expect(ended).toEqual(["sent a packet larger than is taken"]);
});

test("of connections that don't sign in, there are only so many, and not for long; others get in", async () => {
  const { listener, connect } = await mqttRig({ maxUnknown: 50, signInMs: 1500 });
  let open = 0;
  for (let i = 0; i < 200; i++) {
    const socket = await rawSocket(listener.port);
    open += 1;
    socket.once("close", () => (open -= 1));
  }
  await until(() => open === 50);
  await connect();
  await until(() => open === 0);
  expect(listener.clients().get("plant")?.count).toBe(1);
});

test("what is kept of connections that don't sign in is bounded in all", async () => {
  const { listener, connect } = await mqttRig({ unknownBytes: 100_000 });
  let closed = 0;
  for (let i = 0; i < 4; i++) {
    const socket = await rawSocket(listener.port);
    socket.once("close", () => (closed += 1));
    socket.write(Buffer.concat([Buffer.from([0x10, 0xff, 0xff, 0x03]), Buffer.alloc(40_000)]));
  }
  await until(() => closed === 2);
  await connect();
});

test("a message that is too large ends its connection, and is counted at its source, by the client's name", async () => {
  const { connect, refused, taken } = await mqttRig({ packetBytes: 1000 });
  const client = await connect({ protocolVersion: 4, clientId: "pump-7" });
  client.on("error", () => {});
  client.publish("a/b", Buffer.alloc(5000), { qos: 1 });
  await until(() => refused.length > 0);
  expect([refused, taken]).toEqual([["pump-7 sent a packet larger than is taken"], []]);
});
