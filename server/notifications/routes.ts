import type { Pool, PoolClient } from "pg";
import type { ChannelKind } from "@/server/domain/notifications/channel";
import { type Matcher, matches, type Matchable } from "@/server/domain/notifications/matcher";

/** What alerts can be told together by. */
export const GROUP_BY = ["rule", "severity", "site", "type", "device", "metric"] as const;
export type GroupBy = (typeof GROUP_BY)[number];

export interface Route {
  readonly id: number;
  readonly place: number;
  readonly name: string;
  readonly enabled: boolean;
  readonly matchers: readonly Matcher[];
  readonly channels: readonly number[];
  readonly groupBy: readonly GroupBy[];
  readonly waitMs: number;
  readonly intervalMs: number;
  readonly repeatMs: number | null;
  readonly resolved: boolean;
  readonly late: boolean;
  readonly escalateMs: number | null;
  readonly escalateTo: readonly number[];
  readonly revision: number;
}

const COLUMNS = `id, place, name, enabled, matchers, channels, group_by AS "groupBy", wait_ms AS "waitMs", interval_ms AS "intervalMs",
  repeat_ms AS "repeatMs", resolved, late, escalate_ms AS "escalateMs", escalate_to AS "escalateTo", revision`;

/** All routes, in order. */
export async function listRoutes(tx: Pool | PoolClient): Promise<Route[]> {
  return (await tx.query<Route>(`SELECT ${COLUMNS} FROM route ORDER BY place`)).rows;
}

/** The first route that takes an alert; undefined when none does. */
export function routeOf(routes: readonly Route[], alert: Matchable): Route | undefined {
  return routes.find(({ enabled, matchers }) => enabled && matches(matchers, alert));
}

/** What alerts that are told together have in common. */
export function groupKey({ groupBy }: Pick<Route, "groupBy">, alert: Matchable): string {
  return JSON.stringify(groupBy.map((field) => alert[field]));
}

/** A channel as routes need it. */
export interface ChannelSeen {
  readonly id: number;
  readonly name: string;
  readonly kind: ChannelKind;
  readonly enabled: boolean;
}
