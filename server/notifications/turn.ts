import type { Pool, PoolClient } from "pg";
import type { EpochMs } from "@/server/domain/terms";
import { prepared } from "@/server/postgres/prepared";
import { withTransaction } from "@/server/postgres/transaction";
import { listChannels } from "./channels";
import { giveUpOld } from "./deliveries";
import { flushGroups, releaseHeld } from "./flush";
import { adoptUntold } from "./adopt";
import { judgeEvents, type Judging, type ReadJudging } from "./judge";
import { readMutes } from "./mutes";
import { channelsOn, listRoutes, routeOf } from "./routes";
import { endSilencesOver } from "./silences";
import { PATIENCE_MS, tellLost, tellTroubles } from "./trouble";
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
  /** Whether something was decided by other routes, channels or mutes than those looked at last: they may have come and gone since. */
  let differs = true;

  function reader(tx: PoolClient): ReadJudging {
    return async () => {
      const at = now();
      const routes = await listRoutes(tx);
      const channels = new Map((await listChannels(tx)).map((channel) => [channel.id, channel]));
      const mutes = await readMutes(tx, at, (alert) => {
        const route = routeOf(routes, alert);
        return route !== undefined && channelsOn(route, channels).length > 0;
      });
      const judging = { now: at, routes, channels, mutes, publicUrl };
      differs ||= markOf(judging) !== lastMark;
      return judging;
    };
  }

  /** Looks at what is held, and at what no route took. @returns whether that was needed */
  async function lookAgain(): Promise<boolean> {
    return withTransaction(pool, async (tx) => {
      const judging = await reader(tx)();
      // What was held by those of before may be free, and what no route took then one may take now.
      if (!differs && judging.now - lookedAt <= LOOK_AGAIN_MS) return false;
      await releaseHeld(tx, judging);
      await adoptUntold(tx, judging);
      lastMark = markOf(judging);
      lookedAt = judging.now;
      differs = false;
      return true;
    });
  }

  return async () => {
    const { rows } = await pool.query<Wanted>(WANTED([now()]));
    const { events, ending, untold, due, sending } = rows[0]!;
    if (events) while ((await withTransaction(pool, (tx) => judgeEvents(tx, reader(tx)))) > 0);
    if (ending) await withTransaction(pool, (tx) => endSilencesOver(tx, now()));
    const looked = (events || ending || untold) && (await lookAgain());
    if (events || looked || due)
      while ((await withTransaction(pool, (tx) => flushGroups(tx, now(), reader(tx), write))) > 0);
    if (!sending) return;
    await withTransaction(pool, async (tx) => {
      const at = now();
      for (const channel of await giveUpOld(tx, at)) await tellLost(tx, channel, at, write);
      await tellTroubles(tx, at, write);
    });
  };
}

/** The steps of a turn that may find something. */
interface Wanted {
  /** Something happened. */
  readonly events: boolean;
  /** A silence ends once nothing is open that it is about. */
  readonly ending: boolean;
  /** Somebody may have to be told of what is open, or held, who wasn't. */
  readonly untold: boolean;
  /** A group is to be told at some time. */
  readonly due: boolean;
  /** A message wasn't taken yet, or a channel takes none. */
  readonly sending: boolean;
}

const WANTED = prepared(
  `SELECT EXISTS (SELECT FROM alert_event WHERE handled_at IS NULL) AS events,
     EXISTS (SELECT FROM silence WHERE until_resolved AND ends_at > to_timestamp($1 / 1000.0)) AS ending,
     EXISTS (SELECT FROM alert WHERE ended_at IS NULL) OR EXISTS (SELECT FROM group_alert WHERE held IS NOT NULL) AS untold,
     EXISTS (SELECT FROM notification_group WHERE next_at IS NOT NULL) AS due,
     EXISTS (SELECT FROM notification WHERE status IN ('waiting', 'sending')) OR EXISTS (SELECT FROM channel WHERE failing_since IS NOT NULL) AS sending`,
);

/** Changes with whatever may have somebody told who wasn't. */
function markOf({ mutes, routes, channels }: Judging): string {
  const ways = routes.map(({ id, revision, enabled }) => [id, revision, enabled]);
  return JSON.stringify([mutes.mark, ways, [...channels.values()].map(({ id, enabled }) => [id, enabled])]);
}

/**
 * The earliest time at which there is something to do though nothing else happens; null: nothing is foreseen. Windows that come again aren't looked at.
 * @param lookedAt when it was last looked at what there was to do
 */
export async function nextTurnAt(pool: Pool, lookedAt: EpochMs): Promise<EpochMs | null> {
  const { rows } = await pool.query<{ at: EpochMs | null }>(NEXT_TURN([lookedAt]));
  return rows[0]!.at;
}

const NEXT_TURN = prepared(
  `SELECT (extract(epoch FROM least(
     (SELECT min(next_at) FROM notification_group),
     (SELECT min(greatest(coalesce(n.lease_until, n.next_at), c.rests_until)) FROM notification n JOIN channel c ON c.id = n.channel_id
       WHERE n.status IN ('waiting', 'sending') AND c.enabled),
     (SELECT min(c.failing_since) + interval '${PATIENCE_MS} ms' FROM channel c JOIN channel f ON f.id = c.fallback_id AND f.enabled AND f.id <> c.id
       WHERE c.failing_since IS NOT NULL AND c.told_at IS NULL AND c.enabled),
     (SELECT min(starts_at) FROM silence WHERE starts_at > to_timestamp($1 / 1000.0)),
     (SELECT min(ends_at) FROM silence WHERE ends_at > to_timestamp($1 / 1000.0))
   )) * 1000)::float8 AS at`,
);
