import { hash } from "node:crypto";
import { withinOr } from "@/server/async/timeout";
import type { Caller } from "@/server/domain/access";
import { isRetryable } from "@/server/postgres/error-classes";

/** What the database says of a secret. */
export interface Found {
  readonly caller: Caller;
  /** How long that is true by itself, in milliseconds: until the key expires, until the session ends. */
  readonly lastsMs: number;
}

/** Remembers who callers are, so that few requests ask the database. */
export interface KnownCallers<T extends Found> {
  /** What is known of a secret; null when get() has to find it. Most requests end here, so it costs no promise. */
  told(secret: string): T | null;
  /** What is known of a secret, or what `find` says. @throws what it throws, when nothing is known from before. */
  get(secret: string, find: () => Promise<T>): Promise<T>;
  /** What is known may be wrong: nothing of it is told any more. */
  forget(): void;
  /** What is known may be old: all of it is asked for again, and stands in only while PostgreSQL is away. */
  doubt(): void;
}

/** While PostgreSQL is away callers from before stay known: health must be seen then, and nothing can be revoked. */
const WITHOUT_DATABASE_MS = 3_600_000;
/** A PostgreSQL that doesn't answer for so long counts as away, to callers from before. */
const PATIENCE_MS = 1000;
/** Bounds of memory, some 500 bytes each. Who guesses pushes out other guesses, never somebody. */
const MOST_KNOWN = 50_000;
const MOST_REFUSED = 1000;

/** Others that are asked for along with one: with it, as many as one question takes. */
const MOST_ALONG = 499;

interface Known<T> {
  readonly found: T;
  /** When it was asked for, by the monotonic clock. */
  readonly at: number;
  /** Whether it was told since. */
  used: boolean;
}

/**
 * @param keepMs so long a caller is told without asking again.
 * @param askAgain asks for a caller by what was found. With it, who has to be asked for again takes others along: one question for hundreds
 *   costs a small part of hundreds of questions.
 */
export function createKnownCallers<T extends Found>(
  keepMs: number,
  askAgain?: (found: T) => Promise<T>,
): KnownCallers<T> {
  const known = new Map<string, Known<T>>();
  const refused = new Map<string, Known<T>>();
  const underWay = new Map<string, Promise<T>>();
  let doubtedAt = -Infinity;

  function ask(id: string, find: () => Promise<T>): Promise<T> {
    const at = performance.now();
    const asked = find()
      .then((found) => {
        // An answer from before a change would undo that the change was heard of.
        if (underWay.get(id) === asked) keep(id, { found, at, used: false });
        return found;
      })
      .finally(() => {
        if (underWay.get(id) === asked) underWay.delete(id);
      });
    underWay.set(id, asked);
    return asked;
  }

  const isTold = ({ found, at }: Known<T>, now: number) => at > doubtedAt && now - at < Math.min(keepMs, found.lastsMs);

  /** Asks again for those that were told since they were asked for and would have to be asked for soon. */
  function askAlong(again: (found: T) => Promise<T>, now: number): void {
    let left = MOST_ALONG;
    // Those asked for longest ago come first.
    for (const [id, entry] of known) {
      if (left === 0 || isTold(entry, now)) return;
      if (!entry.used || underWay.has(id)) continue;
      left -= 1;
      // Whoever needs it is told what is wrong.
      ask(id, () => again(entry.found)).catch(() => undefined);
    }
  }

  function keep(id: string, entry: Known<T>): void {
    known.delete(id);
    refused.delete(id);
    const [map, most] = entry.found.caller.kind === "nobody" ? [refused, MOST_REFUSED] : [known, MOST_KNOWN];
    if (map.size >= most) map.delete(map.keys().next().value!);
    map.set(id, entry);
  }

  function toldNow(id: string, now: number): T | null {
    const before = known.get(id) ?? refused.get(id);
    if (before === undefined || !isTold(before, now)) return null;
    before.used = true;
    return before.found;
  }

  return {
    told: (secret) => toldNow(idOf(secret), performance.now()),
    async get(secret, find) {
      const id = idOf(secret);
      const now = performance.now();
      const before = toldNow(id, now);
      if (before !== null) return before;
      const asked = underWay.get(id) ?? ask(id, find);
      const standIn = known.get(id);
      if (standIn && askAgain) askAlong(askAgain, now);
      if (!standIn || now - standIn.at > Math.min(WITHOUT_DATABASE_MS, standIn.found.lastsMs)) return asked;
      const answer = asked.catch((error: unknown) => {
        // Not from before the wait: it may have been forgotten meanwhile.
        if (isRetryable(error) && known.get(id) === standIn) return standIn.found;
        throw error;
      });
      return (await withinOr(PATIENCE_MS, answer, null)) ?? (known.get(id) === standIn ? standIn.found : answer);
    },
    forget() {
      known.clear();
      refused.clear();
      underWay.clear();
    },
    doubt() {
      doubtedAt = performance.now();
      underWay.clear();
    },
  };
}

/** So that no secret stays in memory. */
function idOf(secret: string): string {
  return hash("sha256", secret, "binary");
}
