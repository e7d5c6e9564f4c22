import type { FrameData, Room } from "@/server/contracts/live";
import { type Audience, audienceOf } from "./rooms";

export interface LiveAlertsDeps {
  readonly io: { readonly sockets: { readonly adapter: { readonly rooms: ReadonlyMap<string, unknown> } } };
  /** Sends a frame to those who watch a room. */
  readonly send: (key: string, room: Room, data: FrameData) => void;
}

export interface LiveAlerts {
  /** Alerts have changed. @param site the id of their site, 0 for those of none, "any" when it isn't known */
  changed(site: number | "any"): void;
  stop(): void;
}

/** A browser loads its alerts again after a frame: at most so often, however many change. The first after a rest doesn't wait. */
const FRAME_MS = 1000;

/** Tells the browsers that watch alerts, each audience of what is at its sites alone, that some have changed. */
export function startLiveAlerts({ io, send }: LiveAlertsDeps): LiveAlerts {
  const changed = new Set<number | "any">();
  let sentAt = -Infinity;
  let timer: NodeJS.Timeout | undefined;

  function tell(): void {
    timer = undefined;
    sentAt = performance.now();
    for (const key of io.sockets.adapter.rooms.keys()) {
      const audience = audienceOf(key);
      if (audience?.room === "alerts" && isFor(audience.sites)) send(key, "alerts", { kind: "alerts" });
    }
    changed.clear();
  }

  function isFor(sites: Audience["sites"]): boolean {
    return sites === "all" || changed.has("any") || sites.some((site) => changed.has(site));
  }

  return {
    changed(site) {
      changed.add(site);
      timer ??= setTimeout(tell, Math.max(0, sentAt + FRAME_MS - performance.now()));
    },
    stop() {
      clearTimeout(timer);
      timer = undefined;
    },
  };
}
