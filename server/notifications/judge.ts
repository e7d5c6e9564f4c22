import type { PoolClient } from "pg";
import { CHANNELS } from "@/server/domain/notifications/channel";
import { isOver } from "@/server/domain/notifications/message";
import type { Verdict } from "@/server/domain/notifications/verdict";
import type { EpochMs } from "@/server/domain/terms";
import type { Mutes } from "./mutes";
import { type ChannelSeen, channelsOn, groupKey, type Route, routeOf } from "./routes";
import { type AlertSeen, seeAlerts } from "./told-alerts";

/** The most events that are judged at once. */
const MOST = 10_000;

export interface Judging {
  readonly now: EpochMs;
  readonly routes: readonly Route[];
  readonly channels: ReadonlyMap<number, ChannelSeen>;
  readonly mutes: Mutes;
  /** Where people see more of it; null when nobody has said. */
  readonly publicUrl: string | null;
}

interface EventRow {
  readonly id: number;
  readonly alertId: number;
  readonly kind: string;
}

/** What an event comes to, and the group it is of. */
interface Decision {
  readonly verdict: Verdict;
  readonly route: Route | null;
  /** False where nothing of the alert is, or ever was, to be told by the route. */
  readonly grouped: boolean;
  readonly by: { readonly id: number; readonly name: string } | null;
}

/**
 * Reads by what it is decided. It is read after what is decided about was taken: of an event that is there, what was said before it counts,
 * and a route or silence that was saved a moment earlier is never missed.
 */
export type ReadJudging = () => Promise<Judging>;

/** Kinds that are never told; some of them change what is to be told of their group next. */
const KEPT = new Set(["recovering", "note", "rule-changed", "child", "unacknowledged"]);

/**
 * Decides about events that nobody has decided about, each once, and puts what is to be told into its group.
 * @returns how many it were; fewer than were asked for when there are no more.
 */
export async function judgeEvents(tx: PoolClient, readJudging: ReadJudging): Promise<number> {
  // Whoever else judges takes others. Ids aren't committed in their order, so there is no place to go on from.
  const { rows: events } = await tx.query<EventRow>(
    `SELECT id, alert_id AS "alertId", kind FROM alert_event WHERE handled_at IS NULL ORDER BY id LIMIT ${MOST} FOR UPDATE SKIP LOCKED`,
  );
  if (events.length === 0) return 0;
  const judging = await readJudging();
  const alerts = await seeAlerts(tx, [...new Set(events.map(({ alertId }) => alertId))], judging.now);
  const known = await readKnown(tx, [...alerts.keys()]);
  const decided = events.map((event) => {
    const alert = alerts.get(event.alertId)!;
    const decision = decide(event, alert, known.has(event.alertId), judging);
    if (decision.grouped) known.add(event.alertId);
    return { event, alert, ...decision };
  });
  const groups = await findGroups(tx, decided);
  const at = judging.now;
  await tx.query(
    `WITH judged AS (
       INSERT INTO alert_verdict (event_id, verdict, route_id, group_id, by_id, by_name, at)
       SELECT e, v, r, g, b, n, to_timestamp($7 / 1000.0)
       FROM unnest($1::bigint[], $2::text[], $3::integer[], $4::bigint[], $5::bigint[], $6::text[]) u (e, v, r, g, b, n)
     ), logged AS (
       INSERT INTO alert_outbox (event_id) SELECT unnest($1::bigint[])
     )
     UPDATE alert_event SET handled_at = to_timestamp($7 / 1000.0) WHERE id = ANY ($1::bigint[])`,
    [
      decided.map(({ event }) => event.id),
      decided.map(({ verdict }) => verdict),
      decided.map(({ route }) => route?.id ?? null),
      decided.map((one) => (one.grouped ? groups.get(groupOf(one))! : null)),
      decided.map(({ by }) => by?.id ?? null),
      decided.map(({ by }) => by?.name.slice(0, 200) ?? null),
      at,
    ],
  );
  await addToGroups(tx, decided, groups, at);
  return events.length;
}

/** Alerts of which somebody was told, or is to be, or would have been but for what held it. What a route had still to tell went with the route. */
export async function readKnown(tx: PoolClient, alerts: readonly number[]): Promise<Set<number>> {
  const { rows } = await tx.query<{ alert: number }>(
    `SELECT DISTINCT e.alert_id AS alert FROM alert_event e JOIN alert_verdict v ON v.event_id = e.id
     WHERE e.alert_id = ANY ($1::bigint[]) AND (v.verdict = 'told' OR (v.group_id IS NOT NULL AND v.verdict NOT IN ('no-route', 'channel-off', 'kept')))`,
    [alerts],
  );
  return new Set(rows.map(({ alert }) => alert));
}

/** Decides whom to tell. @param isKnown whether anybody can know of the alert */
export function decide(
  { kind }: EventRow,
  alert: AlertSeen,
  isKnown: boolean,
  { routes, channels, mutes }: Judging,
): Decision {
  const route = routeOf(routes, alert) ?? null;
  const told = (verdict: Verdict, by: Decision["by"] = null): Decision => ({ verdict, route, grouped: true, by });
  const untold = (verdict: Verdict): Decision => ({ verdict, route, grouped: false, by: null });
  if (route === null) return untold("no-route");
  const on = channelsOn(route, channels);
  if (KEPT.has(kind)) return kind === "unacknowledged" ? told("kept") : untold("kept");
  if (on.length === 0) return untold("channel-off");
  if (kind === "acknowledged" && !on.some((channel) => CHANNELS[channel.kind].tellsAcknowledged)) return told("kept");
  if (alert.late && !(alert.tellsLate && route.late)) return untold("kept");
  if (isOver(alert) && kind !== "fired" && !route.resolved) return told("kept");
  // There was no route when it fired: that it is over is news to nobody.
  if (isOver(alert) && kind !== "fired" && !isKnown) return untold("kept");
  const mute = mutes.of(alert);
  if (mute !== null) return told(mute.why, mute);
  const isNews = kind === "fired" || kind === "resolved" || kind === "closed" || kind === "acknowledged";
  if (alert.acknowledgedBy !== null && !isNews) return told("acknowledged");
  return told("grouped");
}

/** An event of an alert, and what is decided about it. */
export type Decided = Decision & { readonly event: EventRow; readonly alert: AlertSeen };

/** What tells groups apart. */
export function groupOf({ route, alert }: Pick<Decided, "route" | "alert">): string {
  return `${route!.id} ${groupKey(route!, alert)}`;
}

/** The groups of what was decided, made where there were none, by {@link groupOf}. */
export async function findGroups(tx: PoolClient, decided: readonly Decided[]): Promise<ReadonlyMap<string, number>> {
  const wanted = new Map(
    decided
      .filter(({ grouped }) => grouped)
      .map((one) => [groupOf(one), [one.route!.id, groupKey(one.route!, one.alert)]] as const),
  );
  if (wanted.size === 0) return new Map();
  // In one order, so that two who do this at once don't wait for each other in a circle.
  const sorted = [...wanted.values()].sort(([a, k], [b, l]) => Number(a) - Number(b) || (k! < l! ? -1 : 1));
  const { rows } = await tx.query<{ id: number; routeId: number; key: string }>(
    `INSERT INTO notification_group (route_id, key) SELECT * FROM unnest($1::integer[], $2::text[])
     ON CONFLICT (route_id, key) DO UPDATE SET key = excluded.key RETURNING id, route_id AS "routeId", key`,
    [sorted.map(([route]) => route), sorted.map(([, key]) => key)],
  );
  return new Map(rows.map(({ id, routeId, key }) => [`${routeId} ${key}`, id]));
}

/** Notes in the groups what is to be told, or isn't for now, and when they are looked at. */
export async function addToGroups(
  tx: PoolClient,
  decided: readonly Decided[],
  groups: ReadonlyMap<string, number>,
  now: EpochMs,
): Promise<void> {
  const members = new Map<string, { group: number; alert: number; isNews: boolean; held: string | null }>();
  const turns = new Map<number, Route>();
  for (const one of decided) {
    if (!one.grouped) continue;
    const group = groups.get(groupOf(one))!;
    const isHeld = one.verdict === "silenced" || one.verdict === "maintenance" || one.verdict === "inhibited";
    const isNews = one.verdict === "grouped";
    const key = `${group} ${one.alert.id}`;
    const before = members.get(key);
    members.set(key, {
      ...{ group, alert: one.alert.id },
      isNews: isNews || (before?.isNews ?? false),
      held: isHeld ? one.verdict : (before?.held ?? null),
    });
    // Over, acknowledged, or not any more: repeats and escalation are to be thought of anew.
    if (isNews || one.event.kind.endsWith("acknowledged") || isOver(one.alert)) turns.set(group, one.route!);
  }
  const all = [...members.values()];
  if (all.length === 0) return;
  await tx.query(
    `INSERT INTO group_alert (group_id, alert_id, is_news, held)
     SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::boolean[], $4::text[])
     ON CONFLICT (group_id, alert_id) DO UPDATE SET is_news = group_alert.is_news OR excluded.is_news, held = coalesce(excluded.held, group_alert.held)`,
    [
      all.map(({ group }) => group),
      all.map(({ alert }) => alert),
      all.map(({ isNews }) => isNews),
      all.map(({ held }) => held),
    ],
  );
  const due = [...turns];
  // The first is told after the wait; what follows soon after waits for the interval, with what comes meanwhile.
  await tx.query(
    `UPDATE notification_group g SET next_at = LEAST(g.next_at, GREATEST(to_timestamp(($4::float8 + u.wait) / 1000.0),
       coalesce(g.last_told + u.step * interval '1 millisecond', '-infinity')))
     FROM unnest($1::bigint[], $2::integer[], $3::integer[]) u (id, wait, step) WHERE g.id = u.id`,
    [due.map(([id]) => id), due.map(([, { waitMs }]) => waitMs), due.map(([, { intervalMs }]) => intervalMs), now],
  );
}
