import type { PoolClient } from "pg";
import { isOver } from "@/server/domain/notifications/message";
import type { EpochMs } from "@/server/domain/terms";
import type { Verdict } from "@/server/domain/notifications/verdict";
import { type Put, putIntoOutbox } from "./outbox";
import type { Judging, ReadJudging } from "./judge";
import type { Mute } from "./mutes";
import type { Route } from "./routes";
import { type AlertSeen, seeAlerts } from "./told-alerts";
import type { WriteBody } from "./write-body";

/** Groups that are told in one transaction. */
const MOST_GROUPS = 200;

interface Group {
  readonly id: number;
  readonly routeId: number;
  readonly key: string;
  readonly lastTold: EpochMs | null;
  readonly escalateAt: EpochMs | null;
  readonly escalated: boolean;
}

interface Member {
  readonly alertId: number;
  readonly isNews: boolean;
  readonly held: Mute["why"] | null;
  /** That it fires. */
  readonly told: boolean;
}

/**
 * Tells the groups whose turn it is at `now`: makes a message for each channel of theirs, and says when their next turn is.
 * @returns how many groups it were.
 */
export async function flushGroups(
  tx: PoolClient,
  now: EpochMs,
  readJudging: ReadJudging,
  write: WriteBody,
): Promise<number> {
  const { rows: groups } = await tx.query<Group>(
    `SELECT id, route_id AS "routeId", key, (extract(epoch FROM last_told) * 1000)::float8 AS "lastTold",
       (extract(epoch FROM escalate_at) * 1000)::float8 AS "escalateAt", escalated
     FROM notification_group WHERE next_at <= to_timestamp($1 / 1000.0) ORDER BY next_at, id LIMIT ${MOST_GROUPS} FOR UPDATE SKIP LOCKED`,
    [now],
  );
  if (groups.length === 0) return 0;
  const judging = await readJudging();
  let told = 0;
  for (const group of groups) told += Number(await flush(tx, group, judging, write));
  return told;
}

/** What a member is, and what is to be done about it. */
interface Looked extends Member {
  readonly alert: AlertSeen;
  readonly mute: Mute | null;
}

/** @returns false where it is put off until what has just happened to its alerts is judged, too. */
async function flush(tx: PoolClient, group: Group, judging: Judging, write: WriteBody): Promise<boolean> {
  const { now, routes, mutes } = judging;
  const route = routes.find(({ id }) => id === group.routeId)!;
  const { rows } = await tx.query<Member>(
    `SELECT alert_id AS "alertId", is_news AS "isNews", held, told FROM group_alert WHERE group_id = $1 ORDER BY alert_id`,
    [group.id],
  );
  const seen = await seeAlerts(
    tx,
    rows.map(({ alertId }) => alertId),
    now,
  );
  const over = [...seen.values()].filter(isOver).map(({ id }) => id);
  // An end that was decided since events were judged would be told now, and again when it is judged itself.
  if (over.length > 0 && (await isUnjudged(tx, over))) return false;
  const members: Looked[] = rows.map((row) => {
    const alert = seen.get(row.alertId)!;
    return { ...row, alert, mute: mutes.of(alert) };
  });
  const muted = members.filter(({ isNews, mute }) => isNews && mute !== null);
  const news = members.filter((member) => member.mute === null && isNewsNow(member, route));
  const firing = members.filter(
    (member) => !isOver(member.alert) && member.mute === null && member.alert.acknowledgedBy === null,
  );
  const repeats = route.repeatMs !== null && group.lastTold !== null && group.lastTold + route.repeatMs <= now;
  const escalates = group.escalateAt !== null && group.escalateAt <= now && !group.escalated && firing.length > 0;
  const about = news.length > 0 ? news : repeats ? firing : [];
  const to = [...route.channels, ...(group.escalated ? route.escalateTo : [])];
  const elsewhere = members
    .filter(({ alert, mute, told }) => !isOver(alert) && (mute === null || told))
    .map(({ alert }) => alert);
  const onlyAcknowledged = news.length > 0 && news.every(isJustAcknowledged);
  let outcome: Put = "none";
  if (about.length > 0)
    outcome = await putIntoOutbox(tx, judging, write, {
      ...{ groupId: group.id, to, occasion: news.length > 0 ? "news" : "repeat", onlyAcknowledged, elsewhere },
      alertIds: about.map(({ alertId }) => alertId),
    });
  if (escalates)
    await putIntoOutbox(tx, judging, write, {
      ...{ groupId: group.id, to: route.escalateTo, occasion: "escalation", onlyAcknowledged: false, elsewhere },
      alertIds: firing.map(({ alertId }) => alertId),
    });
  const verdict = { own: "told", collected: "rate-limited", none: onlyAcknowledged ? "kept" : "channel-off" } as const;
  await settleMembers(tx, group, { news, muted, members, now, verdict: verdict[outcome] });
  const stillFiring = firing.length > 0;
  const lastTold = about.length > 0 ? now : group.lastTold;
  const escalated = stillFiring && (group.escalated || escalates);
  const escalateAt =
    !stillFiring || escalated || route.escalateMs === null ? null : (group.escalateAt ?? now + route.escalateMs);
  const repeatAt = stillFiring && route.repeatMs !== null && lastTold !== null ? lastTold + route.repeatMs : null;
  // Once an acknowledgement ends, it is thought anew of those it was about.
  const goesOn = route.repeatMs === null && route.escalateMs === null ? [] : members;
  const untils = goesOn.flatMap(({ alert }) => (isOver(alert) ? [] : [alert.acknowledgedUntil]));
  const turns = [escalateAt, repeatAt, ...untils].filter((turn) => turn !== null);
  await tx.query(
    `UPDATE notification_group SET next_at = to_timestamp($2 / 1000.0), last_told = to_timestamp($3 / 1000.0),
       escalate_at = to_timestamp($4 / 1000.0), escalated = $5 WHERE id = $1`,
    [group.id, turns.length === 0 ? null : Math.min(...turns), lastTold, escalateAt, escalated],
  );
  return true;
}

async function isUnjudged(tx: PoolClient, alerts: readonly number[]): Promise<boolean> {
  const { rowCount } = await tx.query(
    `SELECT FROM alert_event WHERE alert_id = ANY ($1::bigint[]) AND handled_at IS NULL LIMIT 1`,
    [alerts],
  );
  return rowCount === 1;
}

/** Whether there is something to tell of it that wasn't told: what was held is told if it still holds, once. */
function isNewsNow({ isNews, held, told, alert }: Member & { readonly alert: AlertSeen }, route: Route): boolean {
  if (isNews) return true;
  if (held === null) return false;
  return isOver(alert) ? told && route.resolved : !told;
}

function isJustAcknowledged({ told, alert }: Looked): boolean {
  return told && !isOver(alert) && alert.acknowledgedBy !== null;
}

/** Notes what was told, what is held, and which verdicts that settles; forgets alerts that are over and told. */
async function settleMembers(
  tx: PoolClient,
  group: Group,
  {
    news,
    muted,
    members,
    now,
    verdict,
  }: {
    readonly news: readonly Looked[];
    readonly muted: readonly Looked[];
    readonly members: readonly Looked[];
    readonly now: EpochMs;
    /** Of what is news. */
    readonly verdict: Verdict;
  },
): Promise<void> {
  const settle = (final: Verdict, ids: readonly number[], mute: Mute | null) =>
    tx.query(
      `UPDATE alert_verdict v SET verdict = $3, by_id = $4, by_name = $5, at = to_timestamp($6 / 1000.0) FROM alert_event e
       WHERE v.group_id = $1 AND v.verdict IN ('grouped', 'rate-limited') AND e.id = v.event_id AND e.alert_id = ANY ($2::bigint[])`,
      [group.id, ids, final, mute?.id ?? null, mute?.name.slice(0, 200) ?? null, now],
    );
  if (news.length > 0)
    await settle(
      verdict,
      news.map(({ alertId }) => alertId),
      null,
    );
  const byMute = new Map<string, Looked[]>();
  for (const one of muted) {
    const key = `${one.mute!.why} ${one.mute!.id}`;
    byMute.set(key, [...(byMute.get(key) ?? []), one]);
  }
  for (const same of byMute.values())
    await settle(
      same[0]!.mute!.why,
      same.map(({ alertId }) => alertId),
      same[0]!.mute,
    );
  const gone = members.filter(({ alert, mute, told }) => isOver(alert) && (mute === null || !told));
  await tx.query(`DELETE FROM group_alert WHERE group_id = $1 AND alert_id = ANY ($2::bigint[])`, [
    group.id,
    gone.map(({ alertId }) => alertId),
  ]);
  const told = new Set(news.map(({ alertId }) => alertId));
  await tx.query(
    `UPDATE group_alert g SET is_news = false, held = u.held, told = u.told
     FROM unnest($2::bigint[], $3::text[], $4::boolean[]) u (id, held, told) WHERE g.group_id = $1 AND g.alert_id = u.id`,
    [
      group.id,
      members.map(({ alertId }) => alertId),
      // What was told and fires on is held, too: repeats and escalation go on when nothing holds it any more.
      members.map(({ mute, held, isNews, told: was, alert }) =>
        mute !== null && (isNews || held !== null || (was && !isOver(alert))) ? mute.why : null,
      ),
      members.map((member) => member.told || told.has(member.alertId)),
    ],
  );
}

/** Brings groups to their turn of which something was held that nothing holds any more. */
export async function releaseHeld(tx: PoolClient, { now, mutes }: Pick<Judging, "now" | "mutes">): Promise<void> {
  const { rows } = await tx.query<{ group: number; alert: number }>(
    `SELECT group_id AS "group", alert_id AS alert FROM group_alert WHERE held IS NOT NULL`,
  );
  if (rows.length === 0) return;
  const seen = await seeAlerts(tx, [...new Set(rows.map(({ alert }) => alert))], now);
  const free = rows.filter(({ alert }) => mutes.of(seen.get(alert)!) === null);
  await tx.query(
    `UPDATE notification_group SET next_at = LEAST(next_at, to_timestamp($2 / 1000.0)) WHERE id = ANY ($1::bigint[])`,
    [[...new Set(free.map(({ group }) => group))], now],
  );
}
