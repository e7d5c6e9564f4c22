import type { TelemetryAnswer } from "@/server/contracts/telemetry";
import { pause, until } from "../waiting";
import type { SentMessage } from "./ledger";
import type { Stage } from "./stage";

/** Devices behind a few gateways that post at a steady rate, and keep and repeat what was not acknowledged. */
export interface Load {
  readonly devices: readonly string[];
  /** Time between two messages of a device, in milliseconds. */
  readonly intervalMs: number;
  /** Messages due by now and not acknowledged. */
  owed(): number;
  /** Requests that had to be sent again. */
  repeats(): number;
  /** The longest time from a request's first failure to its answer, in milliseconds. */
  longestRefused(): number;
  /** Makes no more messages, and waits until all are acknowledged or rejected. */
  stop(): Promise<void>;
}

export interface LoadOptions {
  /** Begins the name of each device; no two loads of a ledger have the same. */
  readonly prefix: string;
  readonly devices: number;
  readonly perSecond: number;
}

/** Messages a second of a load that every engine keeps up with on a busy machine, the MongoDB-wire server too. */
export const USUAL_LOAD = 100;

const GATEWAYS = 4;
const GATHER_MS = 100;
/** No more than the route names one by one, if it takes none. */
const MOST_A_REQUEST = 100;
const REQUEST_TIMEOUT_MS = 10_000;
const WAIT_MS = { first: 100, most: 2000 };
/** No outage of a drill is longer: what waits longer is a failure. */
const LONGEST_WAIT_MS = 180_000;

/** Starts a load; event times are the clock's, so that states and lag mean something. */
export function startLoad(stage: Pick<Stage, "product" | "ledger" | "ended">, options: LoadOptions): Load {
  const { product, ledger, ended } = stage;
  const { prefix, perSecond } = options;
  const devices = Array.from({ length: options.devices }, (_, i) => `${prefix}-${String(i).padStart(2, "0")}`);
  const intervalMs = Math.max(1, Math.round((options.devices * 1000) / perSecond));
  const began = Date.now();
  const due = () => Math.floor((Date.now() - began) / intervalMs);
  let ending: number | undefined;
  let acknowledged = 0;
  let repeats = 0;
  let longestRefused = 0;

  async function gateway(own: readonly string[]): Promise<void> {
    const waiting: SentMessage[] = [];
    for (let made = 0; !ended.aborted; await pause(GATHER_MS)) {
      const last = ending ?? due();
      for (; made < last; made++) for (const device of own) waiting.push(messageOf(device, began, made, intervalMs));
      while (waiting.length > 0) {
        const batch = waiting.slice(0, MOST_A_REQUEST);
        const { rejected } = await post(batch);
        const named = new Map(rejected.map(({ index, reason }) => [index, reason]));
        batch.forEach((message, i) => {
          const reason = named.get(i);
          if (reason === undefined) ledger.acknowledge(message);
          else ledger.reject(message, reason);
        });
        acknowledged += batch.length;
        waiting.splice(0, batch.length);
      }
      if (ending !== undefined && made >= ending) return;
    }
  }

  /** Sends until the answer says what became of every message; the route asks for a repeat after any doubt. */
  async function post(batch: readonly SentMessage[]): Promise<Pick<TelemetryAnswer, "rejected">> {
    const body = batch.map(({ device, time, readings }) => JSON.stringify({ device, time, readings })).join("\n");
    const headers = { "content-type": "application/x-ndjson" };
    let last = "";
    let refusedAt: number | undefined;
    const deadline = performance.now() + LONGEST_WAIT_MS;
    for (
      let wait = WAIT_MS.first;
      performance.now() < deadline && !ended.aborted;
      wait = Math.min(WAIT_MS.most, wait * 2)
    ) {
      const signal = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
      try {
        const answer = await product.fetch("/api/v1/telemetry", { method: "POST", headers, body, signal });
        const text = await answer.text();
        last = `${answer.status} ${text.slice(0, 300)}`;
        const parsed = answer.ok || answer.status === 422 ? (JSON.parse(text) as Partial<TelemetryAnswer>) : {};
        if (Array.isArray(parsed.rejected)) {
          if (refusedAt !== undefined) longestRefused = Math.max(longestRefused, performance.now() - refusedAt);
          return { rejected: parsed.rejected };
        }
        if (answer.status !== 429 && answer.status < 500) throw new NotTaken(`POST telemetry: ${last}`);
      } catch (error) {
        if (error instanceof NotTaken) throw error;
        last = (error as Error).message;
      }
      refusedAt ??= performance.now();
      repeats++;
      await pause(wait * (0.5 + Math.random() / 2));
    }
    const why = ended.aborted ? "before the end" : `within ${LONGEST_WAIT_MS / 1000} s`;
    throw new Error(`A request was not acknowledged ${why}: ${last}`);
  }

  const share = Math.ceil(devices.length / GATEWAYS);
  const groups = Array.from({ length: GATEWAYS }, (_, i) => devices.slice(i * share, (i + 1) * share));
  const finished = Promise.all(groups.filter((own) => own.length > 0).map(gateway));
  let failure: unknown;
  finished.catch((error: unknown) => (failure = error));
  return {
    devices,
    intervalMs,
    owed() {
      if (failure !== undefined) throw failure as Error;
      return (ending ?? due()) * devices.length - acknowledged;
    },
    repeats: () => repeats,
    longestRefused: () => longestRefused,
    async stop() {
      // One message of each device at least, however short it was.
      await until(() => due() > 0, { timeoutMs: 10_000 + intervalMs, what: "a first message" });
      ending = due();
      await finished;
    },
  };
}

/** The route wants none of it, whatever is tried. */
class NotTaken extends Error {}

function messageOf(device: string, began: number, n: number, intervalMs: number): SentMessage {
  return {
    device,
    time: began + n * intervalMs,
    readings: { temperature: 20 + (n % 200) / 10, counter: n, running: n % 3 === 0 },
  };
}
