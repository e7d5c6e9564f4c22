import type { Pool, PoolClient } from "pg";
import type { Sites } from "@/server/domain/access";
import { isOver } from "@/server/domain/notifications/message";
import type { EpochMs } from "@/server/domain/terms";
import { listChannels } from "./channels";
import { type Mute, readMutes } from "./mutes";
import { channelsOn, listRoutes, type Route, routeOf } from "./routes";
import { openAlerts } from "./silences";
import { type AlertSeen, seeAlerts } from "./told-alerts";

/** Why nobody would be told of an open alert as things stand now, and by what. */
export interface UntoldNow {
  readonly why: Mute["why"] | "no-route" | "channel-off";
  /** The reason of the silence, or the name of the maintenance window or the route; null: there is none. */
  readonly name: string | null;
}

/** Says of each of these alerts why nobody would be told of it now; those that somebody would be told of, and those that are over, are left out. */
export async function untoldNow(
  tx: Pool | PoolClient,
  ids: readonly number[],
  now: EpochMs,
): Promise<ReadonlyMap<number, UntoldNow>> {
  const seen = await seeAlerts(tx, ids, now);
  const open = [...seen.values()].filter((alert) => !isOver(alert));
  const untold = new Map<number, UntoldNow>();
  if (open.length === 0) return untold;
  const { whyOf } = await readTelling(tx, now);
  for (const alert of open) {
    const why = whyOf(alert);
    if (why !== null) untold.set(alert.id, why);
  }
  return untold;
}

/** Who can be told of anything, and how much of what is open at these sites is silenced, or under maintenance. */
export async function summarizeTelling(
  tx: Pool | PoolClient,
  sites: Sites,
  now: EpochMs,
): Promise<{ readonly tellsAnybody: boolean; readonly silenced: number }> {
  const { mutes, isAnybodyTold } = await readTelling(tx, now);
  if (!mutes.any) return { tellsAnybody: isAnybodyTold, silenced: 0 };
  const open = await openAlerts(tx, sites, now);
  const isSilenced = (alert: AlertSeen) => {
    const why = alert.parent === null ? mutes.of(alert)?.why : undefined;
    return why === "silenced" || why === "maintenance";
  };
  return { tellsAnybody: isAnybodyTold, silenced: open.filter(isSilenced).length };
}

/** Whether a route that is on leads to a channel that is on. */
export async function tellsAnybody(tx: Pool | PoolClient): Promise<boolean> {
  return (await readRoutes(tx)).isAnybodyTold;
}

async function readRoutes(tx: Pool | PoolClient) {
  const routes = await listRoutes(tx);
  const channels = new Map((await listChannels(tx)).map((channel) => [channel.id, channel]));
  const isTelling = (route: Route) => channelsOn(route, channels).length > 0;
  return { routes, isTelling, isAnybodyTold: routes.some((route) => route.enabled && isTelling(route)) };
}

async function readTelling(tx: Pool | PoolClient, now: EpochMs) {
  const { routes, isTelling, isAnybodyTold } = await readRoutes(tx);
  const mutes = await readMutes(tx, now, (alert) => {
    const route = routeOf(routes, alert);
    return route !== undefined && isTelling(route);
  });
  return {
    ...{ mutes, isAnybodyTold },
    whyOf(alert: AlertSeen): UntoldNow | null {
      const route = routeOf(routes, alert);
      if (route === undefined) return { why: "no-route", name: null };
      if (!isTelling(route)) return { why: "channel-off", name: route.name };
      const mute = mutes.of(alert);
      return mute === null ? null : { why: mute.why, name: mute.name };
    },
  };
}
