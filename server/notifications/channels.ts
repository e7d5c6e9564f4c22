import type { Pool, PoolClient } from "pg";
import { type KeptSecrets } from "@/server/config/kept-secrets";
import { type ChannelKind, CHANNELS, type OpenedChannel } from "@/server/domain/notifications/channel";
import type { EpochMs } from "@/server/domain/terms";

/** A channel as its row says. */
export interface ChannelRow {
  readonly id: number;
  readonly name: string;
  readonly kind: ChannelKind;
  readonly settings: object;
  /** As it is kept: encrypted. */
  readonly secret: string | null;
  readonly enabled: boolean;
  readonly fallbackId: number | null;
  readonly mostPerHour: number;
  readonly failingSince: EpochMs | null;
  readonly failures: number;
  readonly trouble: string | null;
  readonly restsUntil: EpochMs | null;
  readonly lastOkAt: EpochMs | null;
  readonly revision: number;
}

const MS = (column: string) => `(extract(epoch FROM ${column}) * 1000)::float8`;
const COLUMNS = `id, name, kind, settings, secret, enabled, fallback_id AS "fallbackId", most_per_hour AS "mostPerHour",
  ${MS("failing_since")} AS "failingSince", failures, trouble, ${MS("rests_until")} AS "restsUntil", ${MS("last_ok_at")} AS "lastOkAt", revision`;

/** All channels, by name. */
export async function listChannels(db: Pool | PoolClient): Promise<ChannelRow[]> {
  return (await db.query<ChannelRow>(`SELECT ${COLUMNS} FROM channel ORDER BY name COLLATE "C"`)).rows;
}

/** Whose a channel's secrets are: they can be opened for no other. */
export function channelHolder(id: number): string {
  return `channel ${id}`;
}

/** The channel, with its secrets in the clear. @throws KeptSecretError when they can't be opened. */
export function openedChannel(
  row: Pick<ChannelRow, "id" | "kind" | "settings" | "secret">,
  secrets: KeptSecrets,
): OpenedChannel {
  const { kind, settings, secret, id } = row;
  const open: unknown = secret === null ? {} : JSON.parse(secrets.open(secret, channelHolder(id)));
  return { kind, settings: CHANNELS[kind].settings.parse(settings), secrets: open } as OpenedChannel;
}

/** The channel of this number; null if there is none. With `lock`, nobody changes it until the transaction ends. */
export async function findChannel(db: Pool | PoolClient, id: number, lock = false): Promise<ChannelRow | null> {
  const { rows } = await db.query<ChannelRow>(
    `SELECT ${COLUMNS} FROM channel WHERE id = $1 ${lock ? "FOR UPDATE" : ""}`,
    [id],
  );
  return rows[0] ?? null;
}

/** What people say of a channel; its kind stays. */
export type ChannelSaid = Pick<ChannelRow, "name" | "settings" | "enabled" | "fallbackId" | "mostPerHour">;

/** Adds a channel without secrets. @returns its number, or null when the name is taken. */
export async function insertChannel(tx: PoolClient, kind: ChannelKind, said: ChannelSaid): Promise<number | null> {
  const { rows } = await tx.query<{ id: number }>(
    `INSERT INTO channel (kind, name, settings, enabled, fallback_id, most_per_hour) VALUES ($1, $2, $3, $4, $5, $6)
     ON CONFLICT (name) DO NOTHING RETURNING id`,
    [kind, ...parametersOf(said)],
  );
  return rows[0]?.id ?? null;
}

/** Writes anew what people say of a channel, which then is tried as if it had never failed. */
export async function updateChannel(
  tx: PoolClient,
  id: number,
  said: ChannelSaid,
  secret: string | null,
): Promise<void> {
  await tx.query(
    `UPDATE channel SET name = $2, settings = $3, enabled = $4, fallback_id = $5, most_per_hour = $6, secret = $7,
       failing_since = NULL, failures = 0, trouble = NULL, rests_until = NULL, told_at = NULL, revision = revision + 1, updated_at = now()
     WHERE id = $1`,
    [id, ...parametersOf(said), secret],
  );
  // What waited for it to be mended is sent at once.
  await tx.query(
    `UPDATE notification SET next_at = LEAST(next_at, now()) WHERE channel_id = $1 AND status = 'waiting' AND attempts > 0`,
    [id],
  );
}

function parametersOf({ name, settings, enabled, fallbackId, mostPerHour }: ChannelSaid): unknown[] {
  return [name, JSON.stringify(settings), enabled, fallbackId, mostPerHour];
}

/** Removes a channel with what waits for it and what was told there. */
export async function deleteChannel(tx: PoolClient, id: number): Promise<void> {
  await tx.query(`DELETE FROM channel WHERE id = $1`, [id]);
}

/** How many messages wait for each channel. */
export async function readWaiting(db: Pool | PoolClient): Promise<ReadonlyMap<number, number>> {
  const { rows } = await db.query<{ id: number; n: number }>(
    `SELECT channel_id AS id, count(*)::integer AS n FROM notification WHERE status IN ('waiting', 'sending') GROUP BY 1`,
  );
  return new Map(rows.map(({ id, n }) => [id, n]));
}

/** Since when the oldest event waits that nobody has decided about; null: none does. */
export async function undecidedSince(db: Pool | PoolClient): Promise<EpochMs | null> {
  const { rows } = await db.query<{ since: EpochMs | null }>(
    `SELECT ${MS("min(decided_at)")} AS since FROM (SELECT decided_at FROM alert_event WHERE handled_at IS NULL ORDER BY id LIMIT 1) oldest`,
  );
  return rows[0]?.since ?? null;
}

/** Channels that are on and take nothing, with what waits for them, the longest first. */
export async function channelsAway(
  db: Pool | PoolClient,
): Promise<{ readonly name: string; readonly since: EpochMs; readonly waiting: number }[]> {
  const { rows } = await db.query<{ name: string; since: EpochMs; waiting: number }>(
    `SELECT name, ${MS("failing_since")} AS since,
       (SELECT count(*) FROM notification n WHERE n.channel_id = c.id AND n.status IN ('waiting', 'sending'))::integer AS waiting
     FROM channel c WHERE enabled AND failing_since IS NOT NULL ORDER BY failing_since`,
  );
  return rows;
}
