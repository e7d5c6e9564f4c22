/** Why a connection is refused or ended: MQTT 5's code, 3.1.1's in a CONNACK (null: it has none, the connection is just closed), and words. */
export interface Ending {
  readonly code: number;
  readonly old: number | null;
  readonly words: string;
}

/** All endings that the listener knows, by their names in MQTT 5. */
export const ENDINGS = {
  malformed: { code: 0x81, old: null, words: "sent what is no packet of MQTT" },
  protocolError: { code: 0x82, old: null, words: "sent a packet that may not come here" },
  badVersion: { code: 0x84, old: 1, words: "speaks a version of MQTT other than 3.1, 3.1.1 and 5" },
  badClientId: { code: 0x85, old: 2, words: "wants a session to be kept, but has no client id" },
  badCredentials: { code: 0x86, old: 5, words: "has no key of a source as its password" },
  wrongDoor: {
    code: 0x87,
    old: 5,
    words: "has the key of a source that doesn't come by MQTT: say so on its page first",
  },
  shuttingDown: { code: 0x8b, old: 3, words: "was let go: Fieldwatch stops" },
  badMethod: { code: 0x8c, old: null, words: "asks for another way to sign in than a password" },
  silent: { code: 0x8d, old: null, words: "was silent for longer than its keep-alive allows" },
  takenOver: { code: 0x8e, old: null, words: "was replaced by another connection with its client id" },
  badTopic: { code: 0x90, old: null, words: "published to a topic that can't be one" },
  badAlias: { code: 0x94, old: null, words: "used a topic alias that stands for nothing" },
  tooLarge: { code: 0x95, old: null, words: "sent a packet larger than is taken" },
  tooManyClients: { code: 0x97, old: 3, words: "is one more client than its source may have" },
  revoked: { code: 0x98, old: 5, words: "was let go: its source or key is no longer in use" },
} as const satisfies Record<string, Ending>;

/** Makes a test of topics from filters; of none, all pass. A `$` at the start of a topic is only met by the same in the filter. */
export function topicTest(filters: readonly string[]): (topic: string) => boolean {
  if (filters.length === 0 || filters.includes("#")) return () => true;
  const wanted = filters.map((filter) => filter.split("/"));
  return (topic) => {
    const levels = topic.split("/");
    return wanted.some((filter) => meets(filter, levels));
  };
}

function meets(filter: readonly string[], levels: readonly string[]): boolean {
  if (levels[0]!.startsWith("$") && /^[+#]$/.test(filter[0]!)) return false;
  for (const [i, wanted] of filter.entries()) {
    if (wanted === "#") return true;
    if (i >= levels.length || (wanted !== "+" && wanted !== levels[i])) return false;
  }
  return filter.length === levels.length;
}

/** A packet is larger than may be. */
export const TOO_LARGE = -2;

/**
 * Walks over the bytes of a connection packet by packet, keeping none, so that nothing collects a packet before its size is known.
 * @returns the place in `chunk` where the first packet that ends in it ends; -1 if none does; TOO_LARGE as soon as one would have more than `most` bytes.
 */
export function createPacketWalk(): (chunk: Uint8Array, most: number) => number {
  let at: "type" | "length" | "body" = "type";
  let left = 0;
  let factor = 1;
  return (chunk, most) => {
    let first = -1;
    let i = 0;
    while (i < chunk.length) {
      if (at === "type") {
        [at, left, factor] = ["length", 0, 1];
        i += 1;
        continue;
      }
      if (at === "length") {
        const byte = chunk[i]!;
        i += 1;
        left += (byte & 0x7f) * factor;
        factor *= 128;
        if (left > most || (byte > 0x7f && factor > 128 ** 3)) return TOO_LARGE;
        if (byte > 0x7f) continue;
        at = "body";
      } else {
        const step = Math.min(left, chunk.length - i);
        i += step;
        left -= step;
      }
      if (left > 0) continue;
      at = "type";
      if (first === -1) first = i;
    }
    return first;
  };
}
