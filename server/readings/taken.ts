import type { Pool } from "pg";
import { keptFor } from "@/server/async/kept-for";
import { oldestTaken, type OldestTaken } from "@/server/domain/retention";
import { readKeptTimes } from "./series-rules";

/** Rules are read by those who take messages as often as this. */
const READ_MS = 30_000;

/** What readings are taken, by how long they are kept and what was removed. Reads the rules at most twice a minute. */
export interface TakenReadings {
  read(): Promise<OldestTaken>;
  /** The same as it was read last, which is read again meanwhile; by the configuration until it was read. */
  latest: OldestTaken;
}

export function createTaken(pool: Pool, startDays: number): TakenReadings {
  let last = oldestTaken({ days: startDays || null, goneBefore: null });
  const read = keptFor(READ_MS, Date.now, async () => {
    const { longest, rules } = await readKeptTimes(pool, startDays, Date.now());
    const { goneBefore } = rules.find(({ keeps }) => keeps === "raw")!;
    return (last = oldestTaken({ days: longest.raw, goneBefore }));
  });
  return {
    read,
    latest(now) {
      // Whoever handles messages has the last word, and waits for it.
      read().catch(() => undefined);
      return last(now);
    },
  };
}
