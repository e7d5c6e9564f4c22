import type { EpochMs } from "@/server/domain/terms";

/** The header every REST answer carries: epoch milliseconds on the server when it was made. */
const HEADER = "fieldwatch-time";

/** Milliseconds by which the server's clock is ahead of one of ours, and how far off they may be. */
export interface Ahead {
  readonly ms: number;
  readonly error: number;
}

/**
 * What one answer tells: it was made somewhere between asking and having it. Two measurements that contradict each
 * other mean that a clock was set: the newer one holds. Else the surer one does.
 * @param known null when nothing was measured before.
 */
export function measured(
  known: Ahead | null,
  answer: { readonly madeAt: EpochMs; readonly askedAt: EpochMs; readonly gotAt: EpochMs },
): Ahead | null {
  const { madeAt, askedAt, gotAt } = answer;
  // Our own clock was set back in between.
  if (gotAt < askedAt || !Number.isFinite(madeAt)) return known;
  const next = { ms: madeAt - (askedAt + gotAt) / 2, error: (gotAt - askedAt) / 2 + 1 };
  if (known === null || next.error <= known.error) return next;
  return Math.abs(next.ms - known.ms) > next.error + known.error ? next : known;
}

// A browser has one clock, and a tab one server.
let ahead: Ahead | null = null;

/** Milliseconds since 1970 by the server's clock, as far as it is known; by the browser's until the first answer. */
export function serverNow(): EpochMs {
  return toServerTime(browserNow());
}

/** The browser's own clock, right or wrong: for lengths of time, which don't change when the server's time becomes known. */
export function browserNow(): EpochMs {
  return Date.now();
}

/** Returns what the server's clock says at a moment of the browser's. */
export function toServerTime(browserTime: number): EpochMs {
  return Math.round(browserTime + (ahead?.ms ?? 0));
}

/** Takes the server's time from what came with the page itself, until an answer tells it better. */
export function takeFirstTime(madeAt: EpochMs): void {
  ahead ??= { ms: madeAt - browserNow(), error: 60_000 };
}

/** Asks the server and learns from the answer what time it is there. */
export async function fetchTimed(address: string, init: RequestInit): Promise<Response> {
  const askedAt = browserNow();
  const response = await fetch(address, init);
  const made = response.headers.get(HEADER);
  if (made !== null) ahead = measured(ahead, { madeAt: Number(made), askedAt, gotAt: browserNow() });
  return response;
}
