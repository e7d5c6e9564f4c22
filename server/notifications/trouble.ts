import { randomUUID } from "node:crypto";
import type { PoolClient } from "pg";
import { counted } from "@/server/domain/counted";
import type { ChannelKind } from "@/server/domain/notifications/channel";
import { type AlertMessage, clock } from "@/server/domain/notifications/message";
import type { EpochMs } from "@/server/domain/terms";
import type { WriteBody } from "./write-body";

/** A channel that takes nothing for so long is told of through its fallback. */
export const PATIENCE_MS = 60_000;
const MOST_TITLES = 10;

interface Troubled {
  readonly id: number;
  readonly name: string;
  readonly since: EpochMs;
  readonly trouble: string;
  readonly fallbackId: number;
  readonly fallbackKind: ChannelKind;
  readonly fallbackSettings: unknown;
  readonly waiting: number;
  readonly lost: readonly string[];
}

const TROUBLED = `SELECT c.id, c.name, (extract(epoch FROM c.failing_since) * 1000)::float8 AS since, coalesce(c.trouble, '') AS trouble,
    f.id AS "fallbackId", f.kind AS "fallbackKind", f.settings AS "fallbackSettings",
    (SELECT count(*) FROM notification n WHERE n.channel_id = c.id AND n.status = 'waiting')::integer AS waiting,
    ARRAY (SELECT title FROM notification n WHERE n.channel_id = c.id AND n.status IN ('failed', 'given-up') AND n.made_at >= c.failing_since - interval '1 day'
      ORDER BY n.place DESC LIMIT ${MOST_TITLES + 1}) AS lost
  FROM channel c JOIN channel f ON f.id = c.fallback_id AND f.enabled AND f.id <> c.id
  WHERE c.failing_since IS NOT NULL`;

/** Tells of channels that have been away for a while, once each. */
export async function tellTroubles(tx: PoolClient, now: EpochMs, write: WriteBody): Promise<void> {
  const { rows } = await tx.query<Troubled>(
    `${TROUBLED} AND c.told_at IS NULL AND c.enabled AND c.failing_since <= to_timestamp($1 / 1000.0) FOR UPDATE OF c SKIP LOCKED`,
    [now - PATIENCE_MS],
  );
  for (const channel of rows) await tell(tx, channel, now, write);
}

/** Tells that a channel won't take a message; once while it is in trouble. */
export async function tellLost(tx: PoolClient, channelId: number, now: EpochMs, write: WriteBody): Promise<void> {
  const { rows } = await tx.query<Troubled>(`${TROUBLED} AND c.told_at IS NULL AND c.id = $1`, [channelId]);
  for (const channel of rows) await tell(tx, channel, now, write);
}

/** Tells that a channel takes messages again, if it was told that it didn't. */
export async function tellBack(tx: PoolClient, channelId: number, now: EpochMs, write: WriteBody): Promise<void> {
  const { rows } = await tx.query<Troubled>(`${TROUBLED} AND c.told_at IS NOT NULL AND c.id = $1`, [channelId]);
  for (const channel of rows) {
    const { name, since, waiting } = channel;
    const lines = [
      `It was away since ${clock(since)}.`,
      waiting === 0 ? "Nothing waits for it any more." : `${counted(waiting, "message")} that waited will come late.`,
    ];
    await put(tx, channel, now, write, {
      status: "resolved",
      severity: "info",
      title: `${name} takes messages again`,
      lines,
    });
  }
}

async function tell(tx: PoolClient, channel: Troubled, now: EpochMs, write: WriteBody): Promise<void> {
  const { id, name, since, trouble, waiting, lost } = channel;
  const titles = lost.slice(0, MOST_TITLES);
  const lines = [
    `It answered, or failed with: ${trouble}`,
    ...(waiting > 0
      ? [`${counted(waiting, "message")} wait${waiting === 1 ? "s" : ""} for it, and will be tried again for a day.`]
      : []),
    ...(titles.length > 0 ? ["Not delivered, and not tried again:", ...titles] : []),
    ...(lost.length > titles.length ? ["and more"] : []),
  ];
  const title = `${name} can't be used since ${clock(since)}`;
  await put(tx, channel, now, write, { status: "firing", severity: "warning", title, lines });
  await tx.query(`UPDATE channel SET told_at = to_timestamp($2 / 1000.0) WHERE id = $1`, [id, now]);
}

async function put(
  tx: PoolClient,
  { id: channelId, fallbackId, fallbackKind, fallbackSettings }: Troubled,
  now: EpochMs,
  write: WriteBody,
  words: Pick<AlertMessage, "status" | "severity" | "title" | "lines">,
): Promise<void> {
  const id = randomUUID();
  const message: AlertMessage = {
    ...{ id, occasion: "trouble", at: now, thread: `fieldwatch-trouble-${channelId}` },
    ...words,
    ...{ alerts: [], more: 0, url: null },
  };
  await tx.query(
    `INSERT INTO notification (id, channel_id, occasion, title, body, alert_ids, made_at, status, next_at)
     VALUES ($1, $2, 'trouble', $3, $4, '{}', to_timestamp($5 / 1000.0), 'waiting', to_timestamp($5 / 1000.0))`,
    [id, fallbackId, words.title, write(fallbackKind, fallbackSettings, message), now],
  );
}
