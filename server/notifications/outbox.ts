import { randomUUID } from "node:crypto";
import type { PoolClient } from "pg";
import { CHANNELS, type ChannelKind } from "@/server/domain/notifications/channel";
import { clock, type Occasion, writeMessage } from "@/server/domain/notifications/message";
import type { EpochMs } from "@/server/domain/terms";
import type { Judging } from "./judge";
import { type AlertSeen, seeAlerts } from "./told-alerts";
import type { WriteBody } from "./write-body";

/** What is to be told, and where. */
export interface Telling {
  readonly groupId: number;
  readonly to: readonly number[];
  readonly occasion: Occasion;
  readonly alertIds: readonly number[];
  /** Alerts of the group that are open. */
  readonly elsewhere: readonly AlertSeen[];
  /** It is only news that somebody acknowledged them. */
  readonly onlyAcknowledged: boolean;
}

interface ChannelRow {
  readonly id: number;
  readonly name: string;
  readonly kind: ChannelKind;
  readonly settings: unknown;
  readonly mostPerHour: number;
  readonly failingSince: EpochMs | null;
  readonly lately: number;
}

/** A message that still waits, and is told with the new one. */
interface Waiting {
  readonly id: string;
  readonly alertIds: readonly number[];
  readonly attempts: number;
  readonly nextAt: EpochMs;
}

/** Where messages went: into ones of their own, all into those that are collected, or nowhere, as no channel is on. */
export type Put = "own" | "collected" | "none";

const HOUR = 3_600_000;
/** How long messages over a channel's limit are collected before they are told together. */
const COLLECT_MS = 5 * 60_000;

/**
 * Makes one message for each channel. One of the same group that still waits there is replaced by it, and told with it: a channel that was
 * away tells what was as past. What is over a channel's limit is collected in one message.
 */
export async function putIntoOutbox(
  tx: PoolClient,
  { now, channels, publicUrl }: Judging,
  write: WriteBody,
  { groupId, to, occasion, alertIds, elsewhere, onlyAcknowledged }: Telling,
): Promise<Put> {
  const on = [...new Set(to)].filter((id) => {
    const channel = channels.get(id);
    return channel?.enabled && (!onlyAcknowledged || CHANNELS[channel.kind].tellsAcknowledged);
  });
  const { rows } = await tx.query<ChannelRow>(
    `SELECT id, name, kind, settings, most_per_hour AS "mostPerHour", (extract(epoch FROM failing_since) * 1000)::float8 AS "failingSince",
       (SELECT count(*) FROM notification n WHERE n.channel_id = c.id AND n.made_at > to_timestamp(($2::float8 - ${HOUR}) / 1000.0)
          AND n.status <> 'replaced')::integer AS lately
     FROM channel c WHERE id = ANY ($1::integer[]) ORDER BY id`,
    [on, now],
  );
  let collected = 0;
  for (const channel of rows) {
    const isOver = channel.lately >= channel.mostPerHour && !CHANNELS[channel.kind].keepsState;
    collected += isOver ? 1 : 0;
    const old = await takeWaiting(tx, channel.id, isOver ? null : groupId);
    const ids = [...new Set([...alertIds, ...old.flatMap((one) => one.alertIds)])];
    const id = randomUUID();
    // What is collected has its turn when the first of it said so, however much comes.
    const turn = isOver ? Math.min(now + COLLECT_MS, ...old.map(({ nextAt }) => nextAt)) : now;
    const wasAway = old.some(({ attempts }) => attempts > 0) && channel.failingSince !== null;
    const message = writeMessage({
      ...{ id, occasion, publicUrl, at: now, mostNamed: CHANNELS[channel.kind].mostNamed },
      thread: isOver ? `fieldwatch-channel-${channel.id}` : `fieldwatch-group-${groupId}`,
      alerts: [...(await seeAlerts(tx, ids, now)).values()],
      elsewhere: isOver ? [] : elsewhere.filter((alert) => !ids.includes(alert.id)),
      notes: [
        ...(wasAway ? [`Told late: ${channel.name} was away since ${clock(channel.failingSince!)}.`] : []),
        ...(isOver ? [`Told together: ${channel.name} takes ${channel.mostPerHour} messages in an hour.`] : []),
      ],
    });
    await tx.query(
      `INSERT INTO notification (id, group_id, channel_id, occasion, title, body, alert_ids, made_at, status, next_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, to_timestamp($8 / 1000.0), 'waiting', to_timestamp($9 / 1000.0))`,
      [
        ...[id, isOver ? null : groupId, channel.id, occasion, message.title],
        ...[write(channel.kind, channel.settings, message), ids, now, turn],
      ],
    );
    await tx.query(
      `UPDATE notification SET status = 'replaced', replaced_by = $2, next_at = NULL WHERE id = ANY ($1::uuid[])`,
      [old.map((one) => one.id), id],
    );
  }
  if (rows.length === 0) return "none";
  return collected === rows.length ? "collected" : "own";
}

/** Takes what waits for a channel of one group, or of what is collected; nothing that is being sent. */
async function takeWaiting(tx: PoolClient, channelId: number, groupId: number | null): Promise<Waiting[]> {
  const { rows } = await tx.query<Waiting>(
    `SELECT id, alert_ids AS "alertIds", attempts, (extract(epoch FROM next_at) * 1000)::float8 AS "nextAt" FROM notification
     WHERE channel_id = $1 AND status = 'waiting' AND group_id IS NOT DISTINCT FROM $2 AND occasion <> 'trouble' FOR UPDATE SKIP LOCKED`,
    [channelId, groupId],
  );
  return rows;
}
