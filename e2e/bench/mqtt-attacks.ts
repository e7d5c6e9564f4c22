import { connect, type Socket } from "node:net";
import { generate } from "mqtt-packet";
import { pause } from "../waiting";

/** Ways to be a burden to the listener. */
export const ATTACKS = ["huge CONNECT", "half-open", "retained flood"] as const;
export type Attack = (typeof ATTACKS)[number];

/** Attacks the listener for about eight seconds. @returns how many messages the listener read of it. */
export async function attack(name: Attack, { port, key }: { port: number; key: string }): Promise<number> {
  const sockets: Socket[] = [];
  let sent = 0;
  const open = () => {
    const socket = connect({ port, host: "127.0.0.1" });
    socket.on("error", () => socket.destroy()).resume();
    sockets.push(socket);
    return socket;
  };
  if (name === "huge CONNECT") await hugeConnects(open);
  else if (name === "half-open") {
    // As many as a burst allows, until 10,000 have been opened.
    for (let i = 0; i < 100; i++) {
      for (let j = 0; j < 100; j++) open();
      await pause(60);
    }
    await pause(1000);
  } else {
    const socket = open();
    socket.write(
      generate({
        cmd: "connect",
        protocolId: "MQTT",
        protocolVersion: 4,
        clean: true,
        keepalive: 0,
        clientId: "flood",
        username: "x",
        password: Buffer.from(key),
      }),
    );
    const until = performance.now() + 8000;
    for (; performance.now() < until; sent++) {
      const topic = `flood/device-${sent % 50}/kept-${sent}`;
      const packet = generate({
        cmd: "publish",
        topic,
        payload: `{"at":${Date.now()},"x":"${"y".repeat(2000)}"}`,
        qos: 0,
        retain: true,
        dup: false,
      });
      if (!socket.write(packet))
        await Promise.race([new Promise((resolve) => socket.once("drain", resolve)), pause(100)]);
    }
  }
  for (const socket of sockets) socket.destroy();
  return sent;
}

/** 200 MB in one CONNECT, many times. */
async function hugeConnects(open: () => Socket): Promise<void> {
  const until = performance.now() + 8000;
  while (performance.now() < until) {
    const socket = open();
    socket.write(Buffer.from([0x10, 0x80, 0x84, 0xaf, 0x5f]));
    for (let i = 0; i < 200 && !socket.destroyed; i++) {
      socket.write(Buffer.alloc(1024 * 1024));
      await pause(1);
    }
    socket.destroy();
  }
}
