import type { Product } from "../product";
import { pause } from "../waiting";

const EVERY_MS = 1000;
/** Gaps after which it is known what is usual of a device, and some more. */
const GAPS_KNOWN = 25;

interface Silent {
  readonly device: string;
  /** When its last message was acknowledged. */
  readonly at: number;
}

/** Devices that each send once a second, and keep what isn't acknowledged; one after the other falls silent for good when it is told to. */
export interface SilenceLoad {
  /** A device that never falls silent. */
  readonly lasting: string;
  /** Readings acknowledged. */
  sent(): number;
  /** True when each has sent often enough that it is known what is usual of it. */
  knownWell(): boolean;
  /** True when nothing is kept. */
  isUpToDate(): boolean;
  /** Has one send no more from now on. */
  fallSilent(): Promise<Silent>;
  stop(): Promise<void>;
}

export function startSilenceLoad(product: () => Product, count: number): SilenceLoad {
  const devices = Array.from({ length: count }, (_, i) => `heard-${String(i).padStart(3, "0")}`);
  const ending = new AbortController();
  const began = Date.now();
  const lastOf = new Map<string, number>();
  let [sent, step] = [0, 0];

  /** Sends until it is acknowledged. */
  async function send(time: number): Promise<number> {
    const names = [...devices];
    const body = names.map((device) => JSON.stringify({ device, time, readings: { level: step } })).join("\n");
    const headers = { "content-type": "application/x-ndjson" };
    for (; !ending.signal.aborted; await pause(250)) {
      const signal = AbortSignal.any([ending.signal, AbortSignal.timeout(10_000)]);
      const answer = await product()
        .fetch("/api/v1/telemetry", { method: "POST", headers, body, signal })
        .catch(() => undefined);
      if (answer?.ok) {
        for (const name of names) lastOf.set(name, Date.now());
        return names.length;
      }
      if (answer && answer.status < 500 && answer.status !== 429)
        throw new Error(`POST telemetry: ${answer.status} ${await answer.text()}`);
    }
    return 0;
  }

  const due = () => began + step * EVERY_MS;
  const loop = (async () => {
    for (; !ending.signal.aborted; step++) {
      await pause(due() - Date.now());
      sent += await send(due());
    }
  })();
  loop.catch(() => {});
  const failed = loop.then(() => Promise.reject(new Error("The load has ended.")));
  failed.catch(() => {});
  return {
    lasting: devices.at(-1)!,
    sent: () => sent,
    knownWell: () => step > GAPS_KNOWN,
    isUpToDate: () => due() > Date.now(),
    async fallSilent() {
      const device = devices.shift()!;
      // What is under way may have it still.
      for (const at = step; step === at;) await Promise.race([pause(5), failed]);
      return { device, at: lastOf.get(device)! };
    },
    async stop() {
      ending.abort();
      await loop;
    },
  };
}
