import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls, rootCertificates } from "node:tls";
import { generate, type IPublishPacket, type Packet, parser as createParser } from "mqtt-packet";
import { createBackoff, pause } from "@/server/async/backoff";
import { withinOr } from "@/server/async/timeout";
import type { EpochMs } from "@/server/domain/terms";
import { createDurableQueue, type Published, weightOf } from "./durable-queue";
import { createPacketWalk, TOO_LARGE, topicTest } from "./protocol";

/** A broker of somebody's, and what is read of it. */
export interface BridgeSettings {
  /** mqtt:// or mqtts:// with host and perhaps port. */
  readonly url: string;
  /** Names the session that the broker keeps: what comes while we are away waits there. */
  readonly clientId: string;
  readonly username: string | null;
  readonly password: string | null;
  /** PEM of a further authority; null for those of the system alone. */
  readonly ca: string | null;
  readonly topics: readonly string[];
  readonly qos: 0 | 1;
}

interface BridgeState {
  readonly isConnected: boolean;
  /** What keeps it from reading, in words; null when nothing does. */
  readonly trouble: string | null;
}

export interface BridgeDeps {
  readonly settings: BridgeSettings;
  /** Resolves once the log holds all of it. Rejects when it can't for now: then all of it comes again. */
  readonly publish: (batch: readonly Published[]) => Promise<void>;
  /** Counts a message that is too large to be taken. */
  readonly onTooLarge: (topic: string, bytes: number) => void;
  readonly onTrouble: (error: unknown) => void;
  readonly onState: () => void;
  readonly now: () => EpochMs;
}

export interface Bridge {
  state(): BridgeState;
  /** Publishes to the broker, at most once; lost when it isn't connected. */
  send(topic: string, payload: Uint8Array): void;
  /** Reads no more, waits for what is on its way to the log, acknowledges it and lets go. */
  stop(withinMs: number): Promise<void>;
}

const KEEP_ALIVE_S = 30;
const CONNECT_MS = 15_000;
/** Bounds of what waits for the log; then the broker isn't read. */
const MOST_HELD = 5000;
const MOST_HELD_BYTES = 16 * 1024 * 1024;
/** A message may be this large; a packet that much would not be kept in memory. */
const MOST_MESSAGE_BYTES = 512 * 1024;
const MOST_PACKET_BYTES = 32 * 1024 * 1024;

/** The refusals of a broker, by MQTT 3.1.1's codes. */
const REFUSALS: Readonly<Record<number, string>> = {
  1: "The broker doesn't speak MQTT 3.1.1.",
  2: "The broker doesn't take this client id.",
  3: "The broker is not available.",
  4: "The broker doesn't know this user and password.",
  5: "The broker doesn't let this user in.",
};

/**
 * Reads topics of a broker for as long as it runs, in a session that the broker keeps: by QoS 1 each message is acknowledged once the log holds
 * it, many at a time. Reconnects by itself.
 */
export function startBridge(deps: BridgeDeps): Bridge {
  const { settings, publish, onTooLarge, onTrouble, onState, now } = deps;
  const isWanted = topicTest(settings.topics);
  const stopping = new AbortController();
  const ending = new AbortController();
  let state: BridgeState = { isConnected: false, trouble: "It is connecting for the first time." };
  let link: Link | null = null;
  let held = 0;
  let heldBytes = 0;
  let hasSubscribed = false;
  const queue = createDurableQueue({ publish, settled: () => link?.flush(), onTrouble, signal: ending.signal });

  function become(isConnected: boolean, trouble: string | null): void {
    if (state.isConnected === isConnected && state.trouble === trouble) return;
    state = { isConnected, trouble };
    onState();
  }

  const running = (async () => {
    const backoff = createBackoff({ firstMs: 500, maxMs: 30_000 });
    while (!stopping.signal.aborted) {
      const why = await once(() => backoff.reset());
      if (stopping.signal.aborted) break;
      become(false, why);
      await pause(backoff.next(), stopping.signal);
    }
  })();

  /** Is connected until something ends it. @returns why it ended. */
  function once(onReady: () => void): Promise<string> {
    return new Promise((resolve) => {
      const socket = open(settings);
      const late = setTimeout(() => end("The broker doesn't answer."), CONNECT_MS);
      const stop = () => (link === null ? end("") : link.hush());
      stopping.signal.addEventListener("abort", stop, { once: true });
      const current = speak(socket, {
        ready() {
          clearTimeout(late);
          onReady();
          become(true, null);
        },
        end,
      });
      function end(why: string): void {
        clearTimeout(late);
        stopping.signal.removeEventListener("abort", stop);
        if (link === current) link = null;
        current.close();
        resolve(why);
      }
    });
  }

  function speak(socket: Socket, { ready, end }: { ready: () => void; end: (why: string) => void }): Link {
    const parser = createParser();
    const walk = createPacketWalk();
    let acknowledged: Buffer[] = [];
    let pings = 0;
    let isHushed = false;
    const send = (packet: Packet) => void (socket.writable && socket.write(generate(packet)));
    const self: Link = {
      send,
      hush() {
        isHushed = true;
        flow();
      },
      flush() {
        if (acknowledged.length > 0 && socket.writable) socket.write(Buffer.concat(acknowledged));
        acknowledged = [];
        flow();
      },
      close() {
        clearInterval(pinging);
        socket.setTimeout(3000, () => socket.destroy());
        socket.end();
        socket.destroySoon();
      },
    };
    const pinging = setInterval(() => {
      if (link !== self || socket.isPaused()) return void send({ cmd: "pingreq" });
      pings += 1;
      if (pings > 2) return end("The broker fell silent.");
      send({ cmd: "pingreq" });
    }, KEEP_ALIVE_S * 500);
    pinging.unref();
    const { clientId, username, password } = settings;
    // Over TLS that is written once the broker has shown its certificate.
    socket.once("connect", () =>
      send({
        ...{ cmd: "connect", protocolId: "MQTT", protocolVersion: 4, clean: false, keepalive: KEEP_ALIVE_S, clientId },
        ...(username !== null && { username }),
        ...(username !== null && password !== null && { password: Buffer.from(password) }),
      }),
    );
    socket.on("error", (error) => end(wordsOf(error)));
    socket.on("close", () => end("The broker closed the connection."));
    parser.on("error", () => end("The broker sent what is no packet of MQTT."));
    parser.on("packet", (packet: Packet) => {
      pings = 0;
      if (packet.cmd === "connack") {
        const { returnCode = 0, sessionPresent } = packet;
        if (returnCode !== 0) return end(REFUSALS[returnCode] ?? `The broker refuses with code ${returnCode}.`);
        link = self;
        // Retained messages come with each subscription: where the broker has kept ours, they needn't come again.
        if (sessionPresent && hasSubscribed) return ready();
        const subscriptions = settings.topics.map((topic) => ({ topic, qos: settings.qos }));
        return send({ cmd: "subscribe", messageId: 1, subscriptions });
      }
      if (packet.cmd === "suback") {
        const refused = settings.topics.filter((_, i) => Number(packet.granted[i]) >= 0x80);
        if (refused.length > 0) return end(`The broker doesn't let this user read ${refused.join(", ")}.`);
        hasSubscribed = true;
        return ready();
      }
      if (packet.cmd === "publish") take(packet);
    });
    socket.on("data", (chunk: Buffer) => {
      if (walk(chunk, MOST_PACKET_BYTES) === TOO_LARGE) return end("The broker sent a packet larger than is taken.");
      parser.parse(chunk);
      flow();
    });
    return self;

    function take({ topic, payload, retain, qos, messageId }: IPublishPacket): void {
      const acknowledge = () => {
        if (qos > 0 && link === self) acknowledged.push(Buffer.from([0x40, 2, messageId! >> 8, messageId! & 0xff]));
      };
      // A session may still have subscriptions of earlier settings.
      if (!isWanted(topic) || payload.length > MOST_MESSAGE_BYTES) {
        if (isWanted(topic)) onTooLarge(topic, payload.length);
        acknowledge();
        return self.flush();
      }
      const published = { topic, payload: payload as Buffer, retained: retain, contentType: null, arrived: now() };
      const weight = weightOf(published);
      held += 1;
      heldBytes += weight;
      queue.push({
        published,
        settle() {
          held -= 1;
          heldBytes -= weight;
          acknowledge();
        },
      });
    }

    function flow(): void {
      const isFull = isHushed || held >= MOST_HELD || heldBytes >= MOST_HELD_BYTES;
      if (isFull === socket.isPaused()) return;
      if (isFull) socket.pause();
      else socket.resume();
    }
  }

  return {
    state: () => state,
    send(topic, payload) {
      const packet = { topic, payload: Buffer.from(payload), qos: 0 as const, dup: false, retain: false };
      link?.send({ cmd: "publish", ...packet });
    },
    async stop(withinMs) {
      stopping.abort();
      await withinOr(withinMs, queue.idle(), null);
      ending.abort();
      // A kept session: the broker goes on keeping what comes.
      link?.send({ cmd: "disconnect" });
      link?.close();
      await running;
    },
  };
}

/** One connection to the broker. */
interface Link {
  send(packet: Packet): void;
  flush(): void;
  hush(): void;
  close(): void;
}

function open({ url, ca }: BridgeSettings): Socket {
  const { protocol, hostname, port } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, "");
  const isSecure = protocol === "mqtts:";
  const place = { host, port: Number(port) || (isSecure ? 8883 : 1883) };
  if (!isSecure) return connectTcp({ ...place, noDelay: true, keepAlive: true });
  return connectTls({
    ...place,
    servername: host,
    minVersion: "TLSv1.2",
    ...(ca !== null && { ca: [...rootCertificates, ca] }),
  });
}

function wordsOf(error: Error & { code?: string }): string {
  if (error.code === "ECONNREFUSED") return "Nothing listens at the broker's address.";
  if (error.code === "ENOTFOUND") return "The broker's host isn't known.";
  return `The connection failed: ${error.message || error.code || error.name}.`;
}
