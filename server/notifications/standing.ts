import { randomUUID } from "node:crypto";
import type { Pool } from "pg";
import { CHANNELS, type ChannelKind } from "@/server/domain/notifications/channel";
import { type AlertMessage, isOver, writeMessage } from "@/server/domain/notifications/message";
import type { EpochMs } from "@/server/domain/terms";
import { seeAlerts } from "./told-alerts";

/** What a channel has been told that is still so, for one that forgets; null when there is nothing. */
export async function standingMessage(
  pool: Pool,
  channel: { readonly id: number; readonly kind: ChannelKind },
  now: EpochMs,
): Promise<AlertMessage | null> {
  const { rows } = await pool.query<{ id: number }>(
    `SELECT DISTINCT a.alert_id AS id FROM group_alert a JOIN notification_group g ON g.id = a.group_id JOIN route r ON r.id = g.route_id
     WHERE a.told AND ($1 = ANY (r.channels) OR (g.escalated AND $1 = ANY (r.escalate_to)))`,
    [channel.id],
  );
  const seen = await seeAlerts(
    pool,
    rows.map(({ id }) => id),
    now,
  );
  const alerts = [...seen.values()].filter((alert) => !isOver(alert));
  if (alerts.length === 0) return null;
  return writeMessage({
    ...{ id: randomUUID(), occasion: "repeat", at: now, thread: `fieldwatch-channel-${channel.id}`, alerts },
    ...{ publicUrl: null, mostNamed: CHANNELS[channel.kind].mostNamed },
  });
}
