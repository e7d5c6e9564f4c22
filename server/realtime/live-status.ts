import type { HealthAnswer } from "@/server/contracts/health";
import type { FrameData, Room } from "@/server/contracts/live";
import type { PipelineAnswer } from "@/server/contracts/pipeline";
import { keyOf } from "./rooms";

export interface LiveStatusDeps {
  readonly io: { readonly sockets: { readonly adapter: { readonly rooms: ReadonlyMap<string, unknown> } } };
  /** What is told of this moment, with details and without. */
  readonly pipeline: () => Promise<(details: boolean) => PipelineAnswer>;
  readonly health: (details: boolean) => HealthAnswer;
  readonly onHealthChange: (listener: () => void) => () => void;
  /** Sends a frame to those who watch a room. */
  readonly send: (key: string, room: Room, data: FrameData) => void;
}

const OVERVIEW_MS = 1000;
/** Health is told at once when it changes, and otherwise now and then. */
const HEALTH_MS = 5000;
const CHANGES_MS = 200;

/** Tells the pipeline's state and the health, which are of all sites together, to the browsers that watch them. */
export function startLiveStatus({ io, pipeline, health, onHealthChange, send }: LiveStatusDeps): { stop(): void } {
  const { rooms } = io.sockets.adapter;
  let stopped = false;

  /** Those who watch a room that is of all sites together, with and without the details of health. */
  function watching(room: "overview" | "health"): [key: string, details: boolean][] {
    return [true, false].flatMap((details) => {
      const key = keyOf({ room, sites: "all", details });
      return rooms.has(key) ? [[key, details] as [string, boolean]] : [];
    });
  }

  let overviewUnderWay = false;
  async function sendOverview(): Promise<void> {
    if (overviewUnderWay || watching("overview").length === 0) return;
    overviewUnderWay = true;
    try {
      const told = await pipeline();
      if (stopped) return;
      for (const [key, details] of watching("overview")) {
        const { status, verdict, parts } = health(details);
        send(key, "overview", { kind: "overview", pipeline: told(details), verdict: { status, verdict, parts } });
      }
    } catch {
      // The stores are down: the probes say so, and the page's own clock shows that frames stopped.
    } finally {
      overviewUnderWay = false;
    }
  }

  let healthChanged = false;
  let healthSent = -Infinity;
  function sendHealth(): void {
    const keys = watching("health");
    if (keys.length === 0) return;
    if (!healthChanged && performance.now() - healthSent < HEALTH_MS) return;
    healthChanged = false;
    healthSent = performance.now();
    for (const [key, details] of keys) send(key, "health", { kind: "health", health: health(details) });
  }

  const unsubscribe = onHealthChange(() => (healthChanged = true));
  const timers = [setInterval(sendHealth, CHANGES_MS), setInterval(() => void sendOverview(), OVERVIEW_MS)];
  return {
    stop() {
      stopped = true;
      for (const timer of timers) clearInterval(timer);
      unsubscribe();
    },
  };
}
