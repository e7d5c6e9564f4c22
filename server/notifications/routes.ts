import type { Pool, PoolClient } from "pg";
import type { ChannelKind } from "@/server/domain/notifications/channel";
import { type GroupBy, type Matcher, matches, type Matchable } from "@/server/domain/notifications/matcher";

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

/** The channels by which a route can tell somebody. */
export function channelsOn(
  { channels, escalateTo }: Pick<Route, "channels" | "escalateTo">,
  all: ReadonlyMap<number, ChannelSeen>,
): readonly ChannelSeen[] {
  return [...channels, ...escalateTo].flatMap((id) => all.get(id) ?? []).filter(({ enabled }) => enabled);
}

/** What people say of a route; its place is apart. */
export type RouteSaid = Omit<Route, "id" | "place" | "revision">;

/** Adds a route after all others. @returns its number, or null when the name is taken. */
export async function insertRoute(tx: PoolClient, said: RouteSaid): Promise<number | null> {
  const { rows } = await tx.query<{ id: number }>(
    `INSERT INTO route (place, name, enabled, matchers, channels, group_by, wait_ms, interval_ms, repeat_ms, resolved, late, escalate_ms, escalate_to)
     SELECT coalesce(max(place), 0) + 1, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12 FROM route
     ON CONFLICT (name) DO NOTHING RETURNING id`,
    parametersOf(said),
  );
  return rows[0]?.id ?? null;
}

/** Writes a route anew; its groups are looked at again by what it says now. */
export async function updateRoute(tx: PoolClient, id: number, said: RouteSaid): Promise<void> {
  await tx.query(
    `UPDATE route SET name = $2, enabled = $3, matchers = $4, channels = $5, group_by = $6, wait_ms = $7, interval_ms = $8, repeat_ms = $9,
       resolved = $10, late = $11, escalate_ms = $12, escalate_to = $13, revision = revision + 1, updated_at = now() WHERE id = $1`,
    [id, ...parametersOf(said)],
  );
  await tx.query(
    `UPDATE notification_group g SET next_at = LEAST(next_at, now()) WHERE route_id = $1 AND EXISTS (SELECT FROM group_alert a WHERE a.group_id = g.id)`,
    [id],
  );
}

/** Brings a route to a place in the order, from 1; the others make room. */
export async function moveRoute(tx: PoolClient, id: number, place: number): Promise<void> {
  const routes = (await listRoutes(tx)).map((route) => route.id).filter((other) => other !== id);
  routes.splice(place - 1, 0, id);
  await tx.query(
    `UPDATE route r SET place = u.place FROM unnest($1::integer[]) WITH ORDINALITY u (id, place) WHERE r.id = u.id AND r.place <> u.place`,
    [routes],
  );
}

/** Removes a route; what it hasn't told yet isn't told. */
export async function deleteRoute(tx: PoolClient, id: number): Promise<void> {
  await tx.query(`DELETE FROM route WHERE id = $1`, [id]);
}

function parametersOf(said: RouteSaid): unknown[] {
  const { name, enabled, matchers, channels, groupBy, waitMs, intervalMs, repeatMs, resolved, late } = said;
  return [
    ...[name, enabled, JSON.stringify(matchers), channels, groupBy, waitMs, intervalMs, repeatMs, resolved, late],
    ...[said.escalateMs, said.escalateTo],
  ];
}
