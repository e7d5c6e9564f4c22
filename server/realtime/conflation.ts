import type { LiveDevice } from "@/server/contracts/live";

/** Collects the news of devices since the last frame of a room, one entry a device, bounded however much comes. */
export interface Pending {
  add(device: LiveDevice): void;
  /** Takes out at most `maxDevices`, those waiting longest first; the others stay for the next frame. */
  take(maxDevices: number): LiveDevice[];
}

type Point = readonly [time: number, value: number];

interface Growing {
  id: string;
  lastSeen: number;
  messages: number;
  points: Map<string, Point[]>;
  texts: Map<string, readonly [time: number, text: string]>;
  more: boolean;
  gone?: true;
}

/** @param maxPoints most points kept of a metric of a device: the latest by event time. */
export function createPending(maxPoints: number): Pending {
  const waiting = new Map<string, Growing>();
  return {
    add(device) {
      let known = waiting.get(device.id);
      if (known === undefined) {
        known = { id: device.id, lastSeen: 0, messages: 0, points: new Map(), texts: new Map(), more: false };
        waiting.set(device.id, known);
      }
      merge(known, device, maxPoints);
    },
    take(maxDevices) {
      const taken = [...waiting.values()].slice(0, maxDevices);
      for (const { id } of taken) waiting.delete(id);
      return taken.map(({ points, texts, ...rest }) => ({
        ...rest,
        points: Object.fromEntries(points),
        texts: Object.fromEntries(texts),
      }));
    },
  };
}

function merge(into: Growing, from: LiveDevice, maxPoints: number): void {
  into.lastSeen = Math.max(into.lastSeen, from.lastSeen);
  into.messages += from.messages;
  into.more ||= from.more;
  if (from.gone) into.gone = true;
  for (const [metric, added] of Object.entries(from.points)) {
    const points = [...(into.points.get(metric) ?? []), ...added].sort(([a], [b]) => a - b);
    if (points.length > maxPoints) into.more = true;
    into.points.set(metric, points.slice(-maxPoints));
  }
  for (const [field, text] of Object.entries(from.texts)) {
    const known = into.texts.get(field);
    if (known === undefined || known[0] < text[0]) into.texts.set(field, text);
  }
}
