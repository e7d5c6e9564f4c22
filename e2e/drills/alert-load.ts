import type { Product } from "../product";
import { pause } from "../waiting";

/** One time that a value was beyond its limit, from its first reading on to the first within. */
export interface Episode {
  readonly device: string;
  readonly rule: string;
  readonly startedAt: number;
  readonly endedAt: number;
}

/** The rules that the load's values cross, by name. */
export const LOAD_RULES = {
  "too hot": {
    ...{ kind: "condition", holds: "until-next" },
    conditions: [{ metric: "temperature", is: "above", warning: 80 }],
  },
  faulty: {
    kind: "condition",
    holds: "until-next",
    conditions: [{ metric: "fault", is: "true", severity: "critical" }],
  },
} as const;
type LoadRule = keyof typeof LOAD_RULES;

export interface AlertLoad {
  /** Readings acknowledged. */
  readings(): number;
  /** Ends every episode, and waits until all is acknowledged. @returns all episodes there were */
  stop(): Promise<readonly Episode[]>;
}

const EVERY_MS = 250;
/** Five alerts of a series in an hour are one that flaps: a device has fewer, and then another takes its place. */
const MOST_EPISODES = 3;
const LONGEST_WAIT_MS = 180_000;

interface Place {
  device: string;
  readonly series: Record<LoadRule, { since: number | null; episodes: number }>;
}

/** Devices whose values cross limits again and again, one post a step, kept and sent again until it is acknowledged: in order whatever is killed. */
export function startAlertLoad(
  product: () => Product,
  { places: count, random }: { readonly places: number; readonly random: () => number },
): AlertLoad {
  const episodes: Episode[] = [];
  let devices = 0;
  let readings = 0;
  let isEnding = false;
  const settle = (): Place => ({
    device: `alerts-kill-${String(devices++).padStart(4, "0")}`,
    series: { "too hot": { since: null, episodes: 0 }, faulty: { since: null, episodes: 0 } },
  });
  const places = Array.from({ length: count }, settle);

  function cross({ device, series }: Place, rule: LoadRule, time: number): boolean {
    const one = series[rule];
    const isBeyond =
      one.since === null
        ? !isEnding && one.episodes < MOST_EPISODES && random() < 1 / 40
        : !isEnding && random() > 1 / 15;
    if (isBeyond) one.since ??= time;
    else if (one.since !== null) {
      episodes.push({ device, rule, startedAt: one.since, endedAt: time });
      one.since = null;
      one.episodes++;
    }
    return isBeyond;
  }

  async function send(body: string): Promise<void> {
    const deadline = performance.now() + LONGEST_WAIT_MS;
    let last = "";
    while (performance.now() < deadline) {
      const headers = { "content-type": "application/x-ndjson" };
      const signal = AbortSignal.timeout(10_000);
      try {
        const answer = await product().fetch("/api/v1/telemetry", { method: "POST", headers, body, signal });
        last = `${answer.status} ${(await answer.text()).slice(0, 300)}`;
        if (answer.ok) return;
      } catch (error) {
        last = (error as Error).message;
      }
      await pause(100);
    }
    throw new Error(`A request was not acknowledged within ${LONGEST_WAIT_MS / 1000} s: ${last}`);
  }

  const began = Date.now();
  const loop = (async () => {
    for (let step = 0; ; step++) {
      const time = began + step * EVERY_MS;
      const isLast = isEnding;
      await pause(time - Date.now());
      const lines = places.map((place) => {
        const temperature = cross(place, "too hot", time) ? 85 : 20;
        const fault = cross(place, "faulty", time);
        return JSON.stringify({ device: place.device, time, readings: { temperature, fault } });
      });
      await send(lines.join("\n"));
      readings += 2 * lines.length;
      if (isLast) return;
      for (const [i, { series }] of places.entries())
        if (Object.values(series).every(({ since, episodes: made }) => since === null && made === MOST_EPISODES))
          places[i] = settle();
    }
  })();
  loop.catch(() => {});
  return {
    readings: () => readings,
    async stop() {
      isEnding = true;
      await loop;
      return episodes;
    },
  };
}
