import type { Pool } from "pg";
import type { EpochMs } from "@/server/domain/terms";
import { withTransaction } from "@/server/postgres/transaction";
import { listChannels } from "./channels";
import { giveUpOld } from "./deliveries";
import { flushGroups, releaseHeld } from "./flush";
import { judgeEvents, type Judging } from "./judge";
import { readMutes } from "./mutes";
import { listRoutes } from "./routes";
import { endSilencesOver } from "./silences";
import { tellLost, tellTroubles } from "./trouble";
import type { WriteBody } from "./write-body";

export interface TurnDeps {
  readonly pool: Pool;
  readonly now: () => EpochMs;
  readonly write: WriteBody;
  readonly publicUrl: string | null;
}

/** However little has changed, what is held is looked at again after so long. */
const LOOK_AGAIN_MS = 10_000;

/** Makes the function that does what there is to do at a moment: events judged, groups told, silences' ends seen, troubles told. */
export function createTurn({ pool, now, write, publicUrl }: TurnDeps): () => Promise<void> {
  // Only what is looked at sooner goes by these: a process that begins looks at once.
  let lastMark: string | null = null;
  let lookedAt = -Infinity;

  async function part(
    work: (tx: Parameters<typeof judgeEvents>[0], judging: Judging) => Promise<number>,
  ): Promise<number> {
    return withTransaction(pool, async (tx) => {
      const at = now();
      // One snapshot of routes, channels and mutes decides each part whole.
      const routes = await listRoutes(tx);
      const channels = new Map((await listChannels(tx)).map((channel) => [channel.id, channel]));
      const mutes = await readMutes(tx, at);
      return work(tx, { now: at, routes, channels, mutes, publicUrl });
    });
  }

  return async () => {
    while ((await part(judgeEvents)) > 0);
    await withTransaction(pool, (tx) => endSilencesOver(tx, now()));
    await part(async (tx, judging) => {
      const { mark } = judging.mutes;
      if (mark !== lastMark || judging.now - lookedAt > LOOK_AGAIN_MS) {
        await releaseHeld(tx, judging);
        lookedAt = judging.now;
        lastMark = mark;
      }
      return 0;
    });
    while ((await part((tx, judging) => flushGroups(tx, judging, write))) > 0);
    await withTransaction(pool, async (tx) => {
      const at = now();
      for (const channel of await giveUpOld(tx, at)) await tellLost(tx, channel, at, write);
      await tellTroubles(tx, at, write);
    });
  };
}
