import type { IConnectPacket, IPublishPacket } from "mqtt-packet";
import type { EpochMs } from "@/server/domain/terms";
import { isTopic } from "@/server/domain/topics";
import { readTraceparent } from "@/server/observability/trace-context";
import { type DurableQueue, type Published, weightOf } from "./durable-queue";
import { ENDINGS, type Ending } from "./protocol";

/** A client that was let in: where its messages go, and which topics are taken of it. */
export interface Place {
  readonly queue: DurableQueue;
  readonly takes: (topic: string) => boolean;
  /** Called when it is gone. */
  readonly leave: () => void;
  /** Called for each message to a topic that isn't taken. */
  readonly onNotTaken: (topic: string) => void;
  /** Called when a message ends the connection, as it can't be taken. */
  readonly onRefused: (ending: Ending) => void;
}

/** Bounds of what one client may have on its way to the log: at either it isn't read until there is less. */
export interface InboxLimits {
  /** The most messages. */
  readonly inFlight: number;
  /** The most bytes, so that large messages of one client keep neither memory nor the batches of others. */
  readonly inFlightBytes: number;
}

interface InboxDeps {
  readonly place: Place;
  /** Of MQTT: 3, 4 or 5. */
  readonly version: number;
  readonly limits: InboxLimits;
  /** Counts what is held for all clients. */
  readonly hold: (bytes: number) => void;
  readonly now: () => EpochMs;
}

/** What one client publishes, and the acknowledgements it is owed. */
export interface Inbox {
  /** @returns why the connection has to end; null if it goes on. */
  publish(packet: IPublishPacket): Ending | null;
  /** Ends the handshake of a message of QoS 2. */
  release(messageId: number): void;
  /** Takes what the client left as its will, unless its topic isn't taken. */
  takeWill(will: NonNullable<IConnectPacket["will"]>): void;
  isFull(): boolean;
  /** The acknowledgements since the last call, as bytes; null if there are none. */
  acknowledgements(): Buffer | null;
}

/** The most topic aliases of one connection. */
export const MOST_ALIASES = 64;

export function createInbox({ place, version, limits, hold, now }: InboxDeps): Inbox {
  const aliases = new Map<number, string>();
  /** Ids of QoS 2 whose message the log holds, or will, and that weren't released yet. */
  const unreleased = new Map<number, "held" | "durable">();
  let inFlight = 0;
  let inFlightBytes = 0;
  let acknowledged: Buffer[] = [];

  function topicOf(named: string, alias: number | undefined): string | null {
    if (alias === undefined) return named;
    if (alias < 1 || alias > MOST_ALIASES) return null;
    if (named === "") return aliases.get(alias) ?? null;
    aliases.set(alias, named);
    return named;
  }

  function take(published: Published, qos: number, messageId?: number): void {
    const weight = weightOf(published);
    inFlight += 1;
    inFlightBytes += weight;
    hold(weight);
    place.queue.push({
      published,
      settle() {
        inFlight -= 1;
        inFlightBytes -= weight;
        hold(-weight);
        if (qos === 0) return;
        if (qos === 2) unreleased.set(messageId!, "durable");
        acknowledge(qos, messageId!, 0);
      },
    });
  }

  function acknowledge(qos: number, messageId: number, reason: number): void {
    const type = qos === 1 ? 0x40 : 0x50;
    const id = [messageId >> 8, messageId & 0xff] as const;
    acknowledged.push(Buffer.from(reason === 0 ? [type, 2, ...id] : [type, 3, ...id, reason]));
  }

  return {
    publish({ topic: named, payload, qos, messageId, properties }) {
      const topic = topicOf(named, properties?.topicAlias);
      if (topic === null) return ENDINGS.badAlias;
      if (!isTopic(topic)) return ENDINGS.badTopic;
      if (qos === 2 && unreleased.has(messageId!)) {
        // Sent again: it is acknowledged as it was, or will be.
        if (unreleased.get(messageId!) === "durable") acknowledge(2, messageId!, 0);
        return null;
      }
      if (!place.takes(topic)) {
        place.onNotTaken(topic);
        // 3.1.1 knows no refusal of a message: it is counted, and told on the source's page.
        if (qos > 0) acknowledge(qos, messageId!, version === 5 ? 0x87 : 0);
        return null;
      }
      if (qos === 2) unreleased.set(messageId!, "held");
      // The flag asks a broker to keep what is new; only a broker's copy of old would be retained.
      take(
        { topic, payload: payload as Buffer, retained: false, arrived: now(), ...toldBy(properties) },
        qos,
        messageId,
      );
      return null;
    },
    release: (messageId) => void unreleased.delete(messageId),
    takeWill({ topic, payload, properties }) {
      if (!place.takes(topic)) return;
      take({ topic, payload: Buffer.from(payload), retained: false, arrived: now(), ...toldBy(properties) }, 0);
    },
    isFull: () => inFlight >= limits.inFlight || inFlightBytes >= limits.inFlightBytes,
    acknowledgements() {
      if (acknowledged.length === 0) return null;
      const all = Buffer.concat(acknowledged);
      acknowledged = [];
      return all;
    },
  };
}

/** What MQTT 5 tells beside a message. */
function toldBy(properties: IPublishPacket["properties"]): Pick<Published, "contentType" | "sender"> {
  const sender = readTraceparent(properties?.userProperties?.traceparent);
  return { contentType: properties?.contentType ?? null, ...(sender && { sender }) };
}
