import type { Pool, PoolClient } from "pg";
import type { Matchable } from "@/server/domain/notifications/matcher";
import type { EpochMs } from "@/server/domain/terms";
import { listChannels } from "./channels";
import { groupKey, listRoutes, type Route, routeOf } from "./routes";

/** An alert that might have been. */
export interface ImaginedAlert extends Matchable {
  readonly firedAt: EpochMs;
  /** Null: it isn't over. */
  readonly overAt: EpochMs | null;
}

/**
 * Counts the messages that alerts would have made of the routes as they are now, each to all channels of its route: told together as the notifier tells them.
 * Repeats, escalation, silences and windows are left out, as nobody knows what people would have done. `untold` counts alerts that no route takes, or
 * only one without a channel that is on.
 */
export async function countMessages(
  tx: Pool | PoolClient,
  alerts: readonly ImaginedAlert[],
): Promise<{ readonly messages: number; readonly untold: number }> {
  const routes = await listRoutes(tx);
  const on = new Set((await listChannels(tx)).filter(({ enabled }) => enabled).map(({ id }) => id));
  const groups = new Map<string, { route: Route; times: EpochMs[] }>();
  let untold = 0;
  for (const alert of alerts) {
    const route = routeOf(routes, alert);
    if (!route?.channels.some((id) => on.has(id))) {
      untold++;
      continue;
    }
    const key = `${route.id} ${groupKey(route, alert)}`;
    const group = groups.get(key) ?? { route, times: [] };
    groups.set(key, group);
    group.times.push(alert.firedAt);
    if (alert.overAt !== null && route.resolved) group.times.push(alert.overAt);
  }
  let messages = 0;
  for (const { route, times } of groups.values()) messages += turnsOf(route, times);
  return { messages, untold };
}

/** How often a group is told of what happens at these times: the first after the wait, and what follows at most once in the interval. */
function turnsOf({ waitMs, intervalMs }: Pick<Route, "waitMs" | "intervalMs">, times: EpochMs[]): number {
  times.sort((a, b) => a - b);
  let turns = 0;
  let told = -Infinity;
  for (const time of times) {
    if (time <= told) continue;
    told = Math.max(time + waitMs, turns === 0 ? -Infinity : told + intervalMs);
    turns++;
  }
  return turns;
}
