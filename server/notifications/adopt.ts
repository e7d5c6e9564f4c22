import type { PoolClient } from "pg";
import { addToGroups, decide, type Decided, findGroups, groupOf, type Judging, readKnown } from "./judge";
import { channelsOn } from "./routes";
import { seeAlerts } from "./told-alerts";

/** The most alerts that are looked at in one statement. */
const MOST = 10_000;

/**
 * Puts into their groups the alerts that fire, of which nobody could be told when they began to, and which a route takes by now: each is told once,
 * as if it had begun to fire now. Those that somebody has acknowledged wait until that ends.
 */
export async function adoptUntold(tx: PoolClient, judging: Judging): Promise<void> {
  const { routes, channels } = judging;
  if (!routes.some((route) => route.enabled && channelsOn(route, channels).length > 0)) return;
  for (let after = 0; ;) {
    const untold = await readUntold(tx, after);
    await adopt(tx, untold, judging);
    if (untold.length < MOST) return;
    after = untold.at(-1)!.alertId;
  }
}

interface Untold {
  readonly alertId: number;
  /** That it fires. */
  readonly id: number;
}

async function readUntold(tx: PoolClient, after: number): Promise<Untold[]> {
  const { rows } = await tx.query<Untold>(
    `SELECT a.id AS "alertId", e.id FROM alert a JOIN alert_event e ON e.alert_id = a.id AND e.kind = 'fired'
     JOIN alert_verdict v ON v.event_id = e.id
     WHERE a.ended_at IS NULL AND a.id > $1 AND v.verdict <> 'told' AND (v.group_id IS NULL OR v.verdict = 'channel-off')
     ORDER BY a.id LIMIT ${MOST}`,
    [after],
  );
  return rows;
}

async function adopt(tx: PoolClient, untold: readonly Untold[], judging: Judging): Promise<void> {
  const alerts = await seeAlerts(
    tx,
    untold.map(({ alertId }) => alertId),
    judging.now,
  );
  const taken = untold.flatMap(({ id, alertId }): Decided[] => {
    const alert = alerts.get(alertId)!;
    if (alert.acknowledgedBy !== null) return [];
    const event = { id, alertId, kind: "fired" };
    const decision = decide(event, alert, false, judging);
    return decision.grouped ? [{ event, alert, ...decision }] : [];
  });
  if (taken.length === 0) return;
  // Both are held from here on, in the order in which groups are told: whoever adopted one of the alerts meanwhile, or told of it, has said so.
  const groups = await findGroups(tx, taken);
  await tx.query(`SELECT FROM alert_verdict WHERE event_id = ANY ($1::bigint[]) ORDER BY event_id FOR UPDATE`, [
    taken.map(({ event }) => event.id),
  ]);
  const known = await readKnown(
    tx,
    taken.map(({ alert }) => alert.id),
  );
  const adopted = taken.filter(({ alert }) => !known.has(alert.id));
  await tx.query(
    `UPDATE alert_verdict v SET verdict = u.v, route_id = u.r, group_id = u.g, by_id = u.b, by_name = u.n, at = to_timestamp($7 / 1000.0)
     FROM unnest($1::bigint[], $2::text[], $3::integer[], $4::bigint[], $5::bigint[], $6::text[]) u (e, v, r, g, b, n) WHERE v.event_id = u.e`,
    [
      adopted.map(({ event }) => event.id),
      adopted.map(({ verdict }) => verdict),
      adopted.map(({ route }) => route!.id),
      adopted.map((one) => groups.get(groupOf(one))!),
      adopted.map(({ by }) => by?.id ?? null),
      adopted.map(({ by }) => by?.name.slice(0, 200) ?? null),
      judging.now,
    ],
  );
  await addToGroups(tx, adopted, groups, judging.now);
}
