import { connect, type Socket } from "node:net";
import { generate } from "mqtt-packet";

export interface MqttLoad {
  /** Begins to count anew. */
  forget(): void;
  figures(): { readonly acknowledged: number; readonly p50: number; readonly p99: number; readonly ended: number };
  stop(): Promise<void>;
}

/** Clients that each keep so many messages of QoS 1 in flight. Written on bytes, so that it takes little of what is measured. */
export async function startMqttLoad(options: {
  port: number;
  key: string;
  clients: number;
  inFlight: number;
}): Promise<MqttLoad> {
  const { port, key, clients, inFlight } = options;
  let latencies: number[] = [];
  let ended = 0;
  let isOver = false;
  const began = Date.now();

  async function open(n: number): Promise<Socket> {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    const sent = new Map<number, number>();
    let id = 0;
    let count = 0;
    socket.on("error", () => socket.destroy());
    socket.on("close", () => (ended += isOver ? 0 : 1));
    const publish = () => {
      id = (id % 65_000) + 1;
      count += 1;
      sent.set(id, performance.now());
      const body = `{"at":${began + count},"temperature":${20 + (count % 100) / 10},"humidity":${40 + (count % 50)},"on":true}`;
      const topic = `bench/device-${n}/up`;
      const length = 2 + topic.length + 2 + body.length;
      const head = length < 128 ? [length] : [(length & 127) | 128, length >> 7];
      const packet = Buffer.allocUnsafe(1 + head.length + length);
      packet.set([0x32, ...head, 0, topic.length]);
      packet.write(topic, 3 + head.length, "latin1");
      packet.writeUInt16BE(id, 3 + head.length + topic.length);
      packet.write(body, 5 + head.length + topic.length, "latin1");
      socket.write(packet);
    };
    let rest: Buffer = Buffer.alloc(0);
    await new Promise<void>((resolve, reject) => {
      socket.once("close", () => reject(new Error("the listener let go of a client of the bench")));
      socket.write(
        generate({
          cmd: "connect",
          protocolId: "MQTT",
          protocolVersion: 4,
          clean: true,
          keepalive: 60,
          clientId: `bench-${n}`,
          username: "bench",
          password: Buffer.from(key),
        }),
      );
      socket.once("data", () => resolve());
    });
    socket.on("data", (chunk) => {
      const all = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      const whole = all.length - (all.length % 4);
      const at = performance.now();
      socket.cork();
      for (let i = 0; i < whole; i += 4) {
        const acknowledged = all.readUInt16BE(i + 2);
        latencies.push(at - sent.get(acknowledged)!);
        sent.delete(acknowledged);
        if (!isOver) publish();
      }
      socket.uncork();
      rest = all.subarray(whole);
    });
    for (let i = 0; i < inFlight; i++) publish();
    return socket;
  }

  const sockets = await Promise.all(Array.from({ length: clients }, (_, n) => open(n)));
  return {
    forget: () => (latencies = []),
    figures() {
      const sorted = Float64Array.from(latencies).sort();
      const at = (share: number) => sorted[Math.floor(sorted.length * share)] ?? NaN;
      return { acknowledged: sorted.length, p50: at(0.5), p99: at(0.99), ended };
    },
    async stop() {
      isOver = true;
      await Promise.all(
        sockets.map((socket) => new Promise<void>((resolve) => socket.once("close", resolve).destroy())),
      );
    },
  };
}
