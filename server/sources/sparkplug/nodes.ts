import type { Delivery } from "@/server/domain/mapping/delivery";
import type { Mapping } from "@/server/domain/mapping/mapping";
import { type BornMetric, decodeSparkplug, goodbyesOf, type SparkplugDecoded } from "../decoders/sparkplug";
import type { Incoming } from "../read";
import { rebirthRequest } from "./rebirth";

/** What a node or device declared at its birth. */
export interface Birth {
  readonly metrics: readonly BornMetric[];
  /** The number of the session that a node's birth began; null if it told none. */
  readonly bdSeq: number | null;
}

/** Births that are kept durably: data that comes after a restart still has its names. */
export interface Births {
  read(sourceId: number): Promise<ReadonlyMap<string, Birth>>;
  /** Resolves once they are durable. */
  write(sourceId: number, births: ReadonlyMap<string, Birth>): Promise<void>;
}

export interface SparkplugNodes {
  /**
   * Reads messages of Sparkplug B in their order by the births that came before them, and keeps new ones.
   * @param ask publishes to the node; left out where nobody can be asked: our own listener takes no subscriptions.
   */
  complete(
    sourceId: number,
    deliveries: readonly Incoming[],
    ask?: (topic: string, payload: Uint8Array) => void,
  ): Promise<readonly Incoming[]>;
}

/** One source's nodes, in memory. */
interface Known {
  readonly births: Map<string, Birth>;
  /** The number of a node's latest message; unknown after a start. */
  readonly seqs: Map<string, number>;
  /** When a node was asked for a rebirth, by the monotonic clock. */
  readonly asked: Map<string, number>;
}

/** A node is asked for a rebirth this seldom, in milliseconds. */
const ASK_EVERY_MS = 10_000;

export function createSparkplugNodes(births: Births, now: () => number = () => performance.now()): SparkplugNodes {
  const sources = new Map<number, Known>();

  async function knownOf(sourceId: number): Promise<Known> {
    let known = sources.get(sourceId);
    if (known === undefined) {
      known = { births: new Map(await births.read(sourceId)), seqs: new Map(), asked: new Map() };
      sources.set(sourceId, known);
    }
    return known;
  }

  return {
    async complete(sourceId, deliveries, ask) {
      const known = await knownOf(sourceId);
      const fresh = new Map<string, Birth>();
      const completed = deliveries.map((delivery): Incoming => {
        const topic = readTopic(delivery.beside.topic);
        if (topic === null) return delivery;
        const { node, own, type } = topic;
        const decoded = decodedBy(known.births, own, delivery);
        if (decoded === null) return delivery;
        if (type.endsWith("BIRTH")) {
          const birth = { metrics: decoded.births, bdSeq: decoded.bdSeq };
          known.births.set(own, birth);
          fresh.set(own, birth);
        }
        if (type === "NDEATH") {
          known.seqs.delete(node);
          const dead = deadBy(known.births, node, decoded);
          return { ...delivery, parts: () => goodbyesOf(dead) };
        }
        const isGap = hasGap(known, topic, decoded);
        if ((isGap || decoded.isBirthMissing) && ask !== undefined && mayAsk(known, node)) {
          const [, group, , name] = delivery.beside.topic!.split("/");
          ask(`spBv1.0/${group}/NCMD/${name}`, rebirthRequest(Date.now()));
        }
        return { ...delivery, parts: () => decoded.parts };
      });
      if (fresh.size > 0) {
        try {
          await births.write(sourceId, fresh);
        } catch (error) {
          // All of them come again, and are read by what is kept.
          sources.delete(sourceId);
          throw error;
        }
      }
      return completed;
    },
  };

  function mayAsk({ asked }: Known, node: string): boolean {
    if (now() - (asked.get(node) ?? -Infinity) < ASK_EVERY_MS) return false;
    asked.set(node, now());
    return true;
  }
}

/** Null for what can't be read: the decoder says what is wrong when it is read in its turn. */
function decodedBy(births: ReadonlyMap<string, Birth>, own: string, delivery: Delivery): SparkplugDecoded | null {
  try {
    return decodeSparkplug(delivery, births.get(own)?.metrics ?? []);
  } catch {
    return null;
  }
}

/**
 * Lets deliveries that are read once more, in previews and resends, have the names of the births that are kept of their source. Nothing is written; what
 * isn't read as Sparkplug stays as it is.
 */
export async function namesOf(
  births: Pick<Births, "read">,
  source: { readonly id: number; readonly mapping: Pick<Mapping, "decode"> },
): Promise<(delivery: Delivery) => Incoming> {
  if (source.mapping.decode !== "sparkplug") return (delivery) => delivery;
  const kept = await births.read(source.id);
  return (delivery) => {
    const topic = readTopic(delivery.beside.topic);
    const decoded = topic && decodedBy(kept, topic.own, delivery);
    return decoded === null ? delivery : { ...delivery, parts: () => decoded.parts };
  };
}

/** A node and all that hang on it; none of them if the death is that of a session before its last birth: it came late, or again. */
function deadBy(births: ReadonlyMap<string, Birth>, node: string, { bdSeq }: SparkplugDecoded): readonly string[] {
  const born = births.get(node)?.bdSeq ?? null;
  if (bdSeq !== null && born !== null && bdSeq !== born) return [];
  return [node, ...[...births.keys()].filter((own) => own.startsWith(`${node}/`))];
}

/** True if a message of a node is missing before this one. */
function hasGap({ seqs }: Known, { node, type }: Topic, { seq }: SparkplugDecoded): boolean {
  if (seq === null) return false;
  const before = seqs.get(node);
  seqs.set(node, seq);
  return type !== "NBIRTH" && before !== undefined && seq !== (before + 1) % 256 && seq !== before;
}

interface Topic {
  /** Group and node. */
  readonly node: string;
  /** The node or the device of it that a birth is about. */
  readonly own: string;
  readonly type: string;
}

function readTopic(topic: string | null): Topic | null {
  const [space, group, type = "", node, device] = (topic ?? "").split("/");
  if (space !== "spBv1.0" || node === undefined || !/^[ND](BIRTH|DATA|DEATH)$/.test(type)) return null;
  const own = type.startsWith("D") ? `${group}/${node}/${device ?? ""}` : `${group}/${node}`;
  return { node: `${group}/${node}`, own, type };
}
