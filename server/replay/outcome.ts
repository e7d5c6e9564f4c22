import type { z } from "zod";
import { pause } from "@/server/async/backoff";
import { type ReplayRun, replayRun } from "@/server/contracts/replays";
import { counted } from "@/server/domain/counted";
import { ask } from "@/server/delivery/ask";
import type { Authorization } from "@/server/delivery/authorization";
import { routeBeside } from "@/server/delivery/target";

/** The outcome of a replay's messages after the telemetry route took them. */
export interface Outcome {
  /** null if the server can't tell. */
  readonly run: ReplayRun | null;
  /** Messages that were taken and wait in the log. */
  readonly waiting: number;
  /** The reason why it isn't known, or is not complete, and what to do; null if all is known. */
  readonly problem: string | null;
}

export interface OutcomeOptions {
  /** The telemetry route. */
  readonly url: URL;
  readonly authorization: Authorization;
  readonly run: string;
  readonly accepted: number;
  /** Messages that may have come twice. */
  readonly again: number;
  /** The time to wait while nothing is handled, in milliseconds. */
  readonly waitMs: number;
  readonly stop: AbortSignal;
  readonly onWaiting: (waiting: { readonly why: string } | null) => void;
}

const POLL_MS = 250;
/** A wait that is over sooner needn't be told. */
const UNTOLD_MS = 600;
const ASK_TIMEOUT_MS = 10_000;

/** Waits until the pipeline has handled what the telemetry route took, as long as it gets on. */
export async function awaitOutcome(options: OutcomeOptions): Promise<Outcome> {
  const { url, authorization, accepted, waitMs, stop, onWaiting } = options;
  let last: ReplayRun | null = null;
  const began = Date.now();
  let movedAt = began;
  for (;;) {
    const asked = await askRoute(routeBeside(url, `replays/${options.run}`), replayRun, authorization);
    if (asked === "unknown")
      return {
        run: null,
        waiting: 0,
        problem: `${url.origin} does not tell what became of a replay (an older Fieldwatch).`,
      };
    if (asked !== null && asked.messages !== last?.messages) movedAt = Date.now();
    last = asked ?? last;
    const waiting = Math.max(0, accepted - (last?.messages ?? 0));
    const idleMs = Date.now() - movedAt;
    // Nobody knows how many messages are still to come when some came twice: the count has to rest a little.
    if (last !== null && waiting === 0 && (options.again === 0 || idleMs > 4 * POLL_MS)) {
      onWaiting(null);
      return { run: last, waiting, problem: null };
    }
    const why = asked === null ? `${url.origin} does not answer` : reasonToWait(asked, waiting);
    if (stop.aborted || idleMs >= waitMs) {
      onWaiting(null);
      const after = stop.aborted ? "Interrupted" : `After ${waitMs / 1000} s`;
      return {
        run: last,
        waiting,
        problem: `${after}: ${why}. All was sent; they are handled once a worker gets to them.`,
      };
    }
    if (Date.now() - began >= UNTOLD_MS) onWaiting({ why });
    await pause(POLL_MS, stop);
  }
}

function reasonToWait({ workers }: ReplayRun, waiting: number): string {
  const wait = `${counted(waiting, "message")} not handled yet`;
  return workers === 0 ? `${wait}: no worker is running (npm run worker starts one)` : wait;
}

/** Asks a route: its answer, "unknown" if there is no such route, null if it does not answer now. */
export async function askRoute<T extends z.ZodType>(
  url: URL,
  schema: T,
  authorization: Authorization,
): Promise<z.output<T> | "unknown" | null> {
  try {
    const { status, text } = await ask(url, { headers: authorization(), signal: AbortSignal.timeout(ASK_TIMEOUT_MS) });
    if (status === 404) return "unknown";
    if (status !== 200) return null;
    const read = schema.safeParse(JSON.parse(text));
    return read.success ? read.data : "unknown";
  } catch {
    return null;
  }
}
