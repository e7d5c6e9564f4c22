import { randomUUID } from "node:crypto";
import type { Socket } from "node:net";
import { generate, type IConnectPacket, type Packet, parser as createParser } from "mqtt-packet";
import type { EpochMs } from "@/server/domain/terms";
import { isTopic } from "@/server/domain/topics";
import { createInbox, type Inbox, type InboxLimits, MOST_ALIASES, type Place } from "./inbox";
import { createPacketWalk, ENDINGS, type Ending, TOO_LARGE } from "./protocol";

/** Bounds of one connection. */
interface ConnectionLimits extends InboxLimits {
  /** The most bytes of what comes before somebody is signed in. */
  readonly signInBytes: number;
  /** The most bytes of a packet after that. */
  readonly packetBytes: number;
}

/** What a client says of itself. */
export interface Introduction {
  readonly username: string | null;
  readonly password: string | null;
  readonly clientId: string;
  readonly address: string;
}

export interface ConnectionDeps {
  readonly socket: Socket;
  readonly address: string;
  readonly limits: ConnectionLimits;
  /** Resolves to a place, or why there is none; null when that can't be known for now: the connection is closed without a word. */
  readonly enter: (introduction: Introduction, connection: Connection) => Promise<Place | Ending | null>;
  /** True while so much is held for all that nobody is read. */
  readonly isFull: () => boolean;
  /** Counts what is held for all that are signed in. */
  readonly hold: (bytes: number) => void;
  /** Counts what is kept of those that aren't. @returns false when that is too much. */
  readonly holdUnknown: (bytes: number) => boolean;
  /** Called once with why a connection was ended from this side. */
  readonly onEnded: (ending: Ending, introduction: Introduction | null) => void;
  readonly now: () => EpochMs;
}

export interface Connection {
  /** Ends it with a reason, which MQTT 5 is told. @param withWill false: what it left as its will isn't published. */
  end(ending: Ending, withWill?: boolean): void;
  /** Cuts it off without a word. */
  cut(): void;
  /** Takes nothing more of it. */
  hush(): void;
  /** Looks whether it has been silent for too long. */
  look(): void;
  /** Reads on or stops, by how much is held. */
  flow(): void;
  /** Sends what was acknowledged since the last time. */
  flush(): void;
}

/** Endings by what was published. */
const ABOUT_MESSAGES: ReadonlySet<Ending> = new Set([ENDINGS.tooLarge, ENDINGS.badTopic, ENDINGS.badAlias]);
/** The most bytes that wait for a client that doesn't read. */
const MOST_UNREAD = 256 * 1024;
const HANG_UP_MS = 3000;
/** Keep-alive of MQTT 5 clients that ask for none, or for more, in seconds. */
const MOST_KEEP_ALIVE = 3600;

/** Speaks MQTT 3.1, 3.1.1 and 5 with one client that may publish and nothing else. Nothing is acknowledged before the log holds it. */
export function createConnection(deps: ConnectionDeps): Connection {
  const { socket, address, limits, enter, isFull, hold, holdUnknown, onEnded, now } = deps;
  const walk = createPacketWalk();
  const parser = createParser();
  let state: "new" | "entering" | "open" | "closed" = "new";
  let head: Buffer[] = [];
  let headBytes = 0;
  let heard = now();
  let introduction: Introduction | null = null;
  let place: Place | null = null;
  let inbox: Inbox | null = null;
  let will: IConnectPacket["will"] | null = null;
  let version = 4;
  let keepAliveMs = 0;
  let isHushed = false;

  const connection: Connection = { end, cut, hush, look, flow, flush };
  parser.on("packet", handle);
  parser.on("error", (error: Error) => end(isAboutVersion(error) ? ENDINGS.badVersion : ENDINGS.malformed));
  socket.on("data", read);
  socket.on("drain", flow);
  socket.on("error", () => socket.destroy());
  socket.on("close", () => closed(true));
  return connection;

  function read(chunk: Buffer): void {
    heard = now();
    if (state === "closed") return;
    const ends = walk(chunk, state === "open" ? limits.packetBytes : limits.signInBytes);
    if (ends === TOO_LARGE) return end(ENDINGS.tooLarge);
    if (state === "open") {
      parser.parse(chunk);
      return flush();
    }
    head.push(chunk);
    headBytes += chunk.length;
    if (!holdUnknown(chunk.length)) return cut();
    if (state === "entering" || (ends === -1 && headBytes <= limits.signInBytes)) return;
    if (ends === -1) return end(ENDINGS.tooLarge);
    // The rest of what came waits unread until it is known who sends.
    state = "entering";
    socket.pause();
    const all = Buffer.concat(head);
    const first = all.length - chunk.length + ends;
    head = [all.subarray(first)];
    parser.parse(all.subarray(0, first));
  }

  function handle(packet: Packet): void {
    if (state === "closed") return;
    if (state === "entering") {
      if (packet.cmd !== "connect") return cut();
      return void signIn(packet);
    }
    switch (packet.cmd) {
      case "publish": {
        const ending = inbox!.publish(packet);
        return ending === null ? undefined : end(ending);
      }
      case "pubrel":
        inbox!.release(packet.messageId!);
        return send({ cmd: "pubcomp", messageId: packet.messageId! });
      case "pingreq":
        return send({ cmd: "pingresp" });
      case "subscribe":
        // Whoever may send may not read: a code of failure for each.
        return send({
          cmd: "suback",
          messageId: packet.messageId!,
          granted: packet.subscriptions.map(() => (version === 5 ? 0x87 : 0x80)),
        });
      case "unsubscribe":
        return send({ cmd: "unsuback", messageId: packet.messageId!, granted: packet.unsubscriptions.map(() => 0x11) });
      case "disconnect":
        if (packet.reasonCode !== 0x04) will = null;
        closed(true);
        return hangUp();
      default:
        return end(ENDINGS.protocolError);
    }
  }

  async function signIn(packet: IConnectPacket): Promise<void> {
    version = packet.protocolVersion ?? 4;
    const { clientId, username = null, password, properties } = packet;
    const assigned = clientId === "" ? `auto-${randomUUID()}` : clientId;
    introduction = { username, password: password?.toString("utf8") ?? null, clientId: assigned, address };
    if (properties?.authenticationMethod !== undefined) return end(ENDINGS.badMethod);
    if (clientId === "" && version !== 5 && packet.clean === false) return end(ENDINGS.badClientId);
    if (packet.will && !isTopic(packet.will.topic)) return end(ENDINGS.badTopic);
    const answer = await enter(introduction, connection);
    if (isClosed()) return answer !== null && "leave" in answer ? answer.leave() : undefined;
    if (answer === null) return cut();
    if (!("leave" in answer)) return end(answer);
    place = answer;
    inbox = createInbox({ ...{ place, version, limits, now }, hold });
    state = "open";
    will = packet.will ?? null;
    const asked = packet.keepalive ?? 0;
    const kept = version === 5 && (asked === 0 || asked > MOST_KEEP_ALIVE) ? MOST_KEEP_ALIVE : asked;
    keepAliveMs = kept * 1500;
    const own = {
      sessionExpiryInterval: 0,
      // Clients that don't heed it are not read any more, as those of 3.1.1.
      receiveMaximum: limits.inFlight,
      maximumPacketSize: limits.packetBytes,
      topicAliasMaximum: MOST_ALIASES,
      retainAvailable: true,
      wildcardSubscriptionAvailable: false,
      subscriptionIdentifiersAvailable: false,
      sharedSubscriptionAvailable: false,
      ...(kept !== asked && { serverKeepAlive: kept }),
      ...(clientId === "" && { assignedClientIdentifier: assigned }),
    };
    // No session is kept: whatever wasn't acknowledged comes again.
    if (version === 5) send({ cmd: "connack", reasonCode: 0, sessionPresent: false, properties: own });
    else send({ cmd: "connack", returnCode: 0, sessionPresent: false });
    const rest = head;
    dropHead();
    heard = now();
    for (const chunk of rest) if (chunk.length > 0) parser.parse(chunk);
    flush();
  }

  function flush(): void {
    writeOwed();
    flow();
  }

  function writeOwed(): void {
    const owed = inbox?.acknowledgements() ?? null;
    if (owed !== null && socket.writable && state === "open") socket.write(owed);
  }

  function flow(): void {
    if (state !== "open") return;
    const isHeld = isHushed || inbox!.isFull() || isFull() || socket.writableLength > MOST_UNREAD;
    if (isHeld === socket.isPaused()) return;
    if (isHeld) socket.pause();
    else {
      // It could say nothing while it wasn't read.
      heard = now();
      socket.resume();
    }
  }

  function hush(): void {
    isHushed = true;
    flow();
  }

  function look(): void {
    if (state !== "open" || keepAliveMs === 0 || socket.isPaused()) return;
    if (now() - heard > keepAliveMs) end(ENDINGS.silent);
  }

  /** Whatever is owed is said before. */
  function send(packet: Packet): void {
    writeOwed();
    if (socket.writable) socket.write(generate(packet, { protocolVersion: version }));
  }

  function end(ending: Ending, withWill = true): void {
    if (state === "closed") return;
    writeOwed();
    onEnded(ending, introduction);
    if (state === "open" && ABOUT_MESSAGES.has(ending)) place?.onRefused(ending);
    if (state === "open") {
      if (version === 5) send({ cmd: "disconnect", reasonCode: ending.code });
    } else if (introduction !== null || ending === ENDINGS.badVersion) {
      if (version === 5) send({ cmd: "connack", reasonCode: ending.code, sessionPresent: false });
      else if (ending.old !== null) send({ cmd: "connack", returnCode: ending.old, sessionPresent: false });
    }
    closed(withWill);
    hangUp();
  }

  /** Sends what is written, and lets go; of a peer that doesn't take it, after a moment. */
  function hangUp(): void {
    socket.setTimeout(HANG_UP_MS, () => socket.destroy());
    socket.resume();
    socket.end();
    socket.destroySoon();
  }

  function cut(): void {
    closed(true);
    socket.destroy();
  }

  function closed(withWill: boolean): void {
    if (state === "closed") return;
    state = "closed";
    dropHead();
    // Whoever goes without a word has its will done.
    if (withWill && will) inbox?.takeWill(will);
    place?.leave();
  }

  function dropHead(): void {
    holdUnknown(-headBytes);
    headBytes = 0;
    head = [];
  }

  function isClosed(): boolean {
    return state === "closed";
  }
}

/** The codec has no codes for what is wrong. */
function isAboutVersion({ message }: Error): boolean {
  return message === "Invalid protocol version";
}
