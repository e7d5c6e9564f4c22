import type { SecureContextOptions } from "node:tls";
import { createBackoff, pause } from "@/server/async/backoff";
import type { Introduction } from "../mqtt/connection";
import type { Published } from "../mqtt/durable-queue";
import { MQTT_LIMITS, type MqttListener, startMqttListener, type Subject } from "../mqtt/listener";
import { ENDINGS, type Ending } from "../mqtt/protocol";
import type { OpenSource, Sources } from "../intake";
import type { DoorState } from "./door";

export interface MqttDoorDeps {
  readonly host: string;
  readonly port: number;
  readonly tls: SecureContextOptions | null;
  readonly maxConnections: number;
  readonly maxPerAddress: number;
  readonly clientsPerSource: number;
  readonly sources: Pick<Sources, "numbered">;
  /** The source whose key this is; null if it is none's that may be used from there. Rejects while that can't be known. */
  readonly sourceOf: (key: string, address: string) => Promise<number | null>;
  readonly publish: (source: OpenSource, batch: readonly Published[]) => Promise<void>;
  /** Counts a message to a topic that isn't one of the source's. */
  readonly onNotTaken: (source: OpenSource, topic: string) => void;
  /** Counts a message that can't be taken, by which its client is let go of. */
  readonly onRefused: (source: OpenSource, ending: Ending, clientId: string) => void;
  readonly onEnded: (ending: Ending, introduction: Introduction | null) => void;
  readonly onTrouble: (source: OpenSource, error: unknown) => void;
  /** Called when it is open or can't be opened, and when clients come or go. */
  readonly onState: () => void;
}

/** The MQTT listener of all sources that come by it. */
export interface MqttDoor {
  state(): DoorState;
  /** Connected clients, by the source's number. */
  clients(): ReadonlyMap<number, number>;
  setSecureContext(tls: SecureContextOptions): void;
  /** Lets go of clients that wouldn't be let in any more. */
  review(): Promise<void>;
  stop(withinMs: number): Promise<void>;
}

interface SourceSubject extends Subject {
  readonly source: OpenSource;
}

/** Opens the listener, and tries again while its port can't be had. */
export function openMqttDoor(deps: MqttDoorDeps): MqttDoor {
  const { host, port, sources, sourceOf, onState } = deps;
  const where = `${host.includes(":") ? `[${host}]` : host}:${port}`;
  const stopping = new AbortController();
  let tls = deps.tls;
  let listener: MqttListener<SourceSubject> | null = null;
  let trouble: Pick<DoorState, "trouble" | "fix"> = { trouble: "It isn't open yet.", fix: null };

  async function signIn({ password, address }: Introduction): Promise<SourceSubject | Ending> {
    const id = password === null ? null : await sourceOf(password, address);
    const source = id === null ? null : await sources.numbered(id);
    if (source === null) return ENDINGS.badCredentials;
    if (source.door.type !== "mqtt") return ENDINGS.wrongDoor;
    return { name: source.name, topics: source.door.topics, maxClients: deps.clientsPerSource, source };
  }

  const opening = (async () => {
    const backoff = createBackoff({ firstMs: 500, maxMs: 10_000 });
    while (!stopping.signal.aborted && listener === null) {
      try {
        listener = await startMqttListener<SourceSubject>({
          ...{ host, port, tls, signIn, onEnded: deps.onEnded, now: Date.now },
          limits: { ...MQTT_LIMITS, maxConnections: deps.maxConnections, maxPerAddress: deps.maxPerAddress },
          // As the source is now; one that is gone is taken leave of, but not what it sent before.
          publish: async ({ source }, batch) => deps.publish((await sources.numbered(source.id)) ?? source, batch),
          onNotTaken: ({ source }, topic) => deps.onNotTaken(source, topic),
          onRefused: ({ source }, ending, clientId) => deps.onRefused(source, ending, clientId),
          onClients: onState,
          onTrouble: ({ source }, error) => deps.onTrouble(source, error),
        });
        trouble = { trouble: null, fix: null };
      } catch (error) {
        trouble = troubleOf(error as NodeJS.ErrnoException, where);
      }
      onState();
      if (listener === null) await pause(backoff.next(), stopping.signal);
    }
  })();

  return {
    state: () => ({
      what: `MQTT${tls === null ? "" : " over TLS"} on ${where}`,
      ...trouble,
      clients: [...(listener?.clients().values() ?? [])].reduce((sum, { count }) => sum + count, 0),
      lag: null,
    }),
    clients: () =>
      new Map([...(listener?.clients().values() ?? [])].map(({ subject, count }) => [subject.source.id, count])),
    setSecureContext(next) {
      tls = next;
      listener?.setSecureContext(next);
    },
    async review() {
      await listener?.review(async (subject, introduction) => {
        // While that can't be known, whoever was let in stays.
        const now = await signIn(introduction).catch(() => subject);
        return "name" in now && now.name === subject.name && String(now.topics) === String(subject.topics);
      });
    },
    async stop(withinMs) {
      stopping.abort();
      await opening;
      await listener?.stop(withinMs);
    },
  };
}

function troubleOf({ code, message }: NodeJS.ErrnoException, where: string): Pick<DoorState, "trouble" | "fix"> {
  if (code === "EADDRINUSE")
    return {
      trouble: `Another program listens on ${where}.`,
      fix: "Stop it, or set another port: `MQTT_PORT=1884`. It is tried again by itself.",
    };
  if (code === "EACCES")
    return { trouble: `${where} may not be listened on.`, fix: "Set a port from 1024 on: `MQTT_PORT=1883`." };
  return {
    trouble: `${where} can't be listened on: ${message}.`,
    fix: "Set HOST and MQTT_PORT to what this machine has.",
  };
}
