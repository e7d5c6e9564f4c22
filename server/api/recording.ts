import type { Pool, PoolClient } from "pg";
import { addDeed, type Deed } from "@/server/access/audit/deeds";
import { type Caller, idOf } from "@/server/domain/access";

/** What is looked at again and again, by a page that stays open or a program that asks on, is told of once in so long. */
const SEEN_MS = 600_000;
const DENIED_MS = 60_000;
/** Most things remembered as told; the one told first is forgotten. */
const MOST_TOLD = 10_000;

/** The audit record of one API: who asks is told of in it. */
export interface Recording {
  /** Adds a row in the transaction of the change. */
  done(tx: PoolClient, caller: Caller, deed: Omit<Deed, "outcome">): Promise<void>;
  /** Adds a row for what is about to be shown; for files each time, else once in ten minutes. */
  seen(caller: Caller, deed: Omit<Deed, "outcome">, always: boolean): Promise<void>;
  /** Adds a row for what was not allowed, once a minute for each caller and thing. */
  denied(caller: Caller, deed: Omit<Deed, "outcome">): Promise<void>;
  /**
   * Runs a change that no transaction of ours holds between two rows: that it is tried, which `change` lets write before it does
   * anything, and what came of it. What ends before it tried anything leaves none.
   */
  around<T>(
    caller: Caller,
    deed: () => Omit<Deed, "outcome">,
    change: (attempt: () => Promise<void>) => Promise<T>,
  ): Promise<T>;
}

/** @param onUnwritten told when a change was made, and the row of its outcome can't be written. */
export function createRecording(pool: Pool, onUnwritten: (error: unknown, verb: string) => void): Recording {
  /** When each thing was told, monotonic. */
  const told = new Map<string, number>();

  /** Adds a row unless the same was told a moment ago. What can't be written is not told, so the next try is. */
  async function tell(caller: Caller, deed: Deed, ms: number): Promise<void> {
    const what = JSON.stringify([caller.kind, idOf(caller), deed.verb, deed.target, deed.outcome]);
    const at = told.get(what);
    const now = performance.now();
    if (at !== undefined && now - at < ms) return;
    await addDeed(pool, caller, deed);
    told.delete(what);
    told.set(what, now);
    if (told.size > MOST_TOLD) told.delete(told.keys().next().value!);
  }

  return {
    async done(tx, caller, deed) {
      await addDeed(tx, caller, { ...deed, outcome: "done" });
    },
    async seen(caller, deed, always) {
      await tell(caller, { ...deed, outcome: "done" }, always ? 0 : SEEN_MS);
    },
    async denied(caller, deed) {
      await tell(caller, { ...deed, outcome: "denied" }, DENIED_MS);
    },
    async around(caller, deed, change) {
      let attempt: number | null = null;
      // The change has its row. That of the outcome must neither hide what came of it nor make it look undone.
      const settle = async (outcome: "done" | "failed") => {
        // What failed before it was tried changed nothing.
        if (attempt === null && outcome === "failed") return;
        await addDeed(pool, caller, { ...deed(), outcome, ...(attempt !== null && { attempt }) }).catch(
          (error: unknown) => onUnwritten(error, deed().verb),
        );
      };
      try {
        const answer = await change(async () => {
          attempt ??= await addDeed(pool, caller, { ...deed(), outcome: "tried" });
        });
        await settle("done");
        return answer;
      } catch (error) {
        await settle("failed");
        throw error;
      }
    },
  };
}
