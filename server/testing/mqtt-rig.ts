import { connect as connectTcp, type Socket } from "node:net";
import type { SecureContextOptions } from "node:tls";
import mqtt, { type IClientOptions, type MqttClient } from "mqtt";
import { afterEach } from "vitest";
import type { Published } from "@/server/sources/mqtt/durable-queue";
import {
  MQTT_LIMITS,
  type MqttLimits,
  type MqttListener,
  startMqttListener,
  type Subject,
} from "@/server/sources/mqtt/listener";
import { ENDINGS } from "@/server/sources/mqtt/protocol";

/** Undone after each test. */
const undo: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (let step = undo.pop(); step; step = undo.pop()) await step();
});

interface MqttRig {
  readonly listener: MqttListener;
  readonly taken: Published[];
  /** The number of messages of each batch. */
  readonly batches: number[];
  readonly ended: string[];
  readonly notTaken: string[];
  /** Why messages that can't be taken ended their connections. */
  readonly refused: string[];
  /** The number of batches that the log refused. */
  refusals(): number;
  /** Makes the log refuse, or take again. */
  setAway(isAway: boolean): void;
  connect(options?: IClientOptions): Promise<MqttClient>;
}

/** A listener with one source, `plant`, whose key is `key`, and a log that keeps what it takes. */
export async function mqttRig(
  limits: Partial<MqttLimits> = {},
  subject: Partial<Subject> = {},
  tls: SecureContextOptions | null = null,
): Promise<MqttRig> {
  const taken: Published[] = [];
  const batches: number[] = [];
  const ended: string[] = [];
  const notTaken: string[] = [];
  const refused: string[] = [];
  let isAway = false;
  let refusals = 0;
  const listener = await startMqttListener({
    ...{ host: "127.0.0.1", port: 0, tls, now: Date.now },
    limits: { ...MQTT_LIMITS, maxConnections: 20_000, maxPerAddress: 20_000, ...limits },
    signIn: async ({ password }) =>
      password === "key" ? { name: "plant", topics: [], maxClients: 100, ...subject } : ENDINGS.badCredentials,
    async publish(_, batch) {
      if (isAway) throw new Error("the log is away");
      taken.push(...batch);
      batches.push(batch.length);
    },
    onNotTaken: (_, topic) => notTaken.push(topic),
    onRefused: (_, { words }, clientId) => refused.push(`${clientId} ${words}`),
    onEnded: ({ words }) => ended.push(words),
    onClients: () => {},
    onTrouble: () => (refusals += 1),
  });
  undo.push(() => listener.stop(1000));
  return {
    ...{ listener, taken, batches, ended, notTaken, refused },
    refusals: () => refusals,
    setAway: (away) => (isAway = away),
    async connect(options = {}) {
      const client = mqtt.connect({
        ...{ host: "127.0.0.1", port: listener.port, username: "plant", password: "key", reconnectPeriod: 0 },
        ...options,
      });
      undo.push(() => client.endAsync(true).catch(() => {}));
      await new Promise<void>((resolve, reject) => {
        client.once("connect", () => resolve());
        client.once("error", reject);
        client.once("close", () => reject(new Error("closed")));
      });
      return client;
    },
  };
}

/** Connects with bytes of one's own; what comes is thrown away. */
export async function rawSocket(port: number): Promise<Socket> {
  const socket = connectTcp(port, "127.0.0.1");
  undo.push(() => socket.destroy());
  socket.on("error", () => {}).resume();
  await new Promise<void>((resolve) => socket.once("connect", () => resolve()));
  return socket;
}

/** Signs in by bytes of one's own. */
export async function signedIn(port: number, keepAlive = 0): Promise<Socket> {
  const socket = await rawSocket(port);
  const connect = Buffer.concat([
    Buffer.from([0x10, 24, 0, 4, ...Buffer.from("MQTT"), 4, 0xc2, 0, keepAlive]),
    Buffer.from([0, 1, 99, 0, 2, 117, 49, 0, 3, ...Buffer.from("key")]),
  ]);
  socket.write(Buffer.concat([Buffer.from([0x10, connect.length - 2]), connect.subarray(2)]));
  await new Promise<void>((resolve) => socket.once("data", () => resolve()));
  return socket;
}

/** Keeps what comes from now on. */
export function collect(socket: Socket): () => Buffer {
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  return () => Buffer.concat(chunks);
}
