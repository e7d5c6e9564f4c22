import { type AddressInfo, createServer, type Socket } from "node:net";
import { createSecureContext, type SecureContext, type SecureContextOptions, TLSSocket } from "node:tls";
import { createBackoff, pause } from "@/server/async/backoff";
import { withinOr } from "@/server/async/timeout";
import { type Connection, createConnection, type Introduction } from "./connection";
import { createDurableQueue, type DurableQueue, type Published } from "./durable-queue";
import type { InboxLimits, Place } from "./inbox";
import { ENDINGS, type Ending, topicTest } from "./protocol";

/** Who a client sends for. */
export interface Subject {
  /** The source's name. */
  readonly name: string;
  /** Filters of the topics that are taken; all when there are none. */
  readonly topics: readonly string[];
  /** The most clients it may have at once. */
  readonly maxClients: number;
}

export interface MqttLimits extends InboxLimits {
  readonly maxConnections: number;
  readonly maxPerAddress: number;
  /** The most connections that aren't signed in; one more, and the one that has been waiting longest goes. */
  readonly maxUnknown: number;
  /** The time a client may take to get signed in, TLS included, in milliseconds. */
  readonly signInMs: number;
  readonly signInBytes: number;
  /** The most bytes kept of all that aren't signed in. */
  readonly unknownBytes: number;
  readonly packetBytes: number;
  /** The most bytes of messages that wait for the log, of all clients. */
  readonly heldBytes: number;
}

export const MQTT_LIMITS: Omit<MqttLimits, "maxConnections" | "maxPerAddress"> = {
  maxUnknown: 500,
  signInMs: 10_000,
  signInBytes: 64 * 1024,
  unknownBytes: 4 * 1024 * 1024,
  packetBytes: 256 * 1024,
  inFlight: 1000,
  inFlightBytes: 128 * 1024,
  heldBytes: 16 * 1024 * 1024,
};

export interface MqttListenerDeps<S extends Subject> {
  readonly host: string;
  readonly port: number;
  /** The certificate of TLS; null speaks in the clear. */
  readonly tls: SecureContextOptions | null;
  readonly limits: MqttLimits;
  /** Who signs in, or why nobody does. Rejects when that can't be known for now: it is asked again. */
  readonly signIn: (introduction: Introduction) => Promise<S | Ending>;
  /** Takes messages of one source into the log. Rejects when it can't for now: then all of them come again. */
  readonly publish: (subject: S, batch: readonly Published[]) => Promise<void>;
  /** Counts a message to a topic that isn't one of the source's. */
  readonly onNotTaken: (subject: S, topic: string) => void;
  /** Counts a message that can't be taken, by which its client is let go of. */
  readonly onRefused: (subject: S, ending: Ending, clientId: string) => void;
  /** Called with why a connection was ended from this side; `subject` is the source's name, if it had come so far. */
  readonly onEnded: (ending: Ending, introduction: Introduction | null) => void;
  readonly onTrouble: (subject: S, error: unknown) => void;
  /** Called when a client has come or gone. */
  readonly onClients: () => void;
  readonly now: () => number;
}

export interface MqttListener<S extends Subject = Subject> {
  readonly port: number;
  /** Connected clients, by source. */
  clients(): ReadonlyMap<string, { readonly subject: S; readonly count: number }>;
  /** Uses another certificate from now on. */
  setSecureContext(tls: SecureContextOptions): void;
  /** Lets go of the clients of sources that `keep` doesn't want any more. */
  review(keep: (subject: S, introduction: Introduction) => Promise<boolean>): Promise<void>;
  /** Takes nothing more, waits for what is on its way to the log, acknowledges it and lets go of everybody. */
  stop(withinMs: number): Promise<void>;
}

/** Interval of looking for clients that are silent or don't sign in, in milliseconds. */
const LOOK_MS = 1000;

/** Opens a port that takes what is published by MQTT, and nothing else. @throws Error with a code when the port can't be had. */
export async function startMqttListener<S extends Subject>(deps: MqttListenerDeps<S>): Promise<MqttListener<S>> {
  const { limits, now } = deps;
  const stopping = new AbortController();
  const server = createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 });
  /** Connections that aren't signed in, the oldest first, and when each came. */
  const unknown = new Map<Socket, { readonly since: number; readonly connection: Connection }>();
  const sources = new Map<string, { readonly subject: S; readonly queue: DurableQueue; readonly clients: Clients }>();
  const perAddress = new Map<string, number>();
  let secure: SecureContext | null = deps.tls && createSecureContext({ ...deps.tls, minVersion: "TLSv1.2" });
  let unknownBytes = 0;
  let heldBytes = 0;
  let isFull = false;

  server.maxConnections = limits.maxConnections;
  server.on("connection", welcome);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(deps.port, deps.host, resolve);
  });
  const looking = setInterval(look, LOOK_MS);
  looking.unref();

  function welcome(raw: Socket): void {
    const address = raw.remoteAddress ?? "";
    const before = perAddress.get(address) ?? 0;
    if (before >= limits.maxPerAddress) return void raw.destroy();
    perAddress.set(address, before + 1);
    raw.once("close", () => leaveAddress(address));
    raw.on("error", () => raw.destroy());
    for (const [oldest, { connection }] of unknown) {
      if (unknown.size < limits.maxUnknown) break;
      unknown.delete(oldest);
      connection.cut();
    }
    const socket = secure === null ? raw : new TLSSocket(raw, { isServer: true, secureContext: secure });
    const connection = createConnection({
      ...{ socket, address, limits, enter, now },
      isFull: () => isFull,
      hold,
      holdUnknown: (bytes) => (unknownBytes += bytes) <= limits.unknownBytes,
      onEnded: deps.onEnded,
    });
    unknown.set(socket, { since: now(), connection });
    socket.once("close", () => unknown.delete(socket));

    async function enter(introduction: Introduction): Promise<Place | Ending | null> {
      const subject = await signIn(introduction);
      if (subject === undefined || stopping.signal.aborted) return null;
      if (!("topics" in subject)) return subject;
      const source = sourceOf(subject);
      const { clients } = source;
      // Its will is on its way before the new connection says anything.
      clients.get(introduction.clientId)?.connection.end(ENDINGS.takenOver);
      if (clients.size >= subject.maxClients) return ENDINGS.tooManyClients;
      if (!unknown.delete(socket)) return null;
      const client = { connection, introduction };
      clients.set(introduction.clientId, client);
      deps.onClients();
      return {
        queue: source.queue,
        takes: topicTest(subject.topics),
        onNotTaken: (topic) => deps.onNotTaken(subject, topic),
        onRefused: (ending) => deps.onRefused(subject, ending, introduction.clientId),
        leave() {
          if (clients.get(introduction.clientId) === client) clients.delete(introduction.clientId);
          deps.onClients();
        },
      };
    }
  }

  /** Undefined when it can't be known in time. */
  async function signIn(introduction: Introduction): Promise<S | Ending | undefined> {
    const until = now() + limits.signInMs;
    const backoff = createBackoff({ firstMs: 200, maxMs: 1000 });
    while (now() < until && !stopping.signal.aborted) {
      try {
        return await withinOr(until - now(), deps.signIn(introduction), undefined);
      } catch {
        await pause(backoff.next(), stopping.signal);
      }
    }
    return undefined;
  }

  function sourceOf(subject: S) {
    const known = sources.get(subject.name);
    const clients: Clients = known?.clients ?? new Map<string, Client>();
    // One queue for as long as this runs: what a source's clients sent stays in order.
    const queue =
      known?.queue ??
      createDurableQueue({
        publish: (batch) => deps.publish(sources.get(subject.name)!.subject, batch),
        settled: () => clients.forEach(({ connection }) => connection.flush()),
        onTrouble: (error) => deps.onTrouble(subject, error),
        signal: stopping.signal,
      });
    const source = { subject, queue, clients };
    sources.set(subject.name, source);
    return source;
  }

  function hold(bytes: number): void {
    heldBytes += bytes;
    const wasFull = isFull;
    isFull = heldBytes > (isFull ? limits.heldBytes / 2 : limits.heldBytes);
    if (isFull !== wasFull) for (const { connection } of everybody()) connection.flow();
  }

  function* everybody(): Iterable<Client> {
    for (const { clients } of sources.values()) yield* [...clients.values()];
  }

  function look(): void {
    const latest = now() - limits.signInMs;
    for (const { since, connection } of unknown.values()) {
      if (since > latest) break;
      connection.cut();
    }
    for (const { connection } of everybody()) connection.look();
  }

  function leaveAddress(address: string): void {
    const left = perAddress.get(address)! - 1;
    if (left === 0) perAddress.delete(address);
    else perAddress.set(address, left);
  }

  return {
    port: (server.address() as AddressInfo).port,
    clients: () =>
      new Map([...sources].map(([name, { subject, clients }]) => [name, { subject, count: clients.size }])),
    setSecureContext(tls) {
      secure = createSecureContext({ ...tls, minVersion: "TLSv1.2" });
    },
    async review(keep) {
      for (const { subject, clients } of sources.values())
        for (const { connection, introduction } of [...clients.values()])
          if (!(await keep(subject, introduction))) connection.end(ENDINGS.revoked);
    },
    async stop(withinMs) {
      clearInterval(looking);
      const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
      for (const { connection } of unknown.values()) connection.cut();
      for (const { connection } of everybody()) connection.hush();
      await withinOr(withinMs, Promise.all([...sources.values()].map(({ queue }) => queue.idle())), null);
      stopping.abort();
      for (const { connection } of everybody()) connection.end(ENDINGS.shuttingDown, false);
      await withinOr(3000, closed, null);
    },
  };
}

interface Client {
  readonly connection: Connection;
  readonly introduction: Introduction;
}
type Clients = Map<string, Client>;
