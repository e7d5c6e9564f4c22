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
