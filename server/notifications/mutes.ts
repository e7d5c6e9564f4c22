import type { Pool, PoolClient } from "pg";
import { type Matchable, type Matcher, matches } from "@/server/domain/notifications/matcher";
import type { EpochMs } from "@/server/domain/terms";
import type { AlertSeen } from "./told-alerts";
import { openWindow } from "./windows";

/** Why an alert isn't told though a route takes it, and by what. */
export interface Mute {
  readonly why: "silenced" | "maintenance" | "inhibited";
  readonly id: number;
  readonly name: string;
}

/** What mutes alerts at one moment. */
export interface Mutes {
  /** Differs whenever what mutes has changed. */
  readonly mark: string;
  of(alert: Matchable & Pick<AlertSeen, "inhibitedBy">): Mute | null;
}

interface Muting {
  readonly id: number;
  readonly name: string;
  readonly matchers: readonly Matcher[];
}

/** What mutes an alert that might be. */
export async function muteOfMight(tx: Pool | PoolClient, alert: Matchable, now: EpochMs) {
  const mute = (await readMutes(tx, now)).of({ ...alert, inhibitedBy: null });
  return mute === null || mute.why === "inhibited" ? null : { why: mute.why, id: mute.id, name: mute.name };
}

/** Reads what mutes alerts at `now`. */
export async function readMutes(tx: Pool | PoolClient, now: EpochMs): Promise<Mutes> {
  const { rows: silences } = await tx.query<Muting>(
    `SELECT id, reason AS name, matchers FROM silence
     WHERE starts_at <= to_timestamp($1 / 1000.0) AND ends_at > to_timestamp($1 / 1000.0) ORDER BY id`,
    [now],
  );
  const { rows } = await tx.query<Muting & { cron: string; minutes: number; zone: string }>(
    `SELECT id, name, matchers, cron, minutes, zone FROM maintenance WHERE enabled ORDER BY id`,
  );
  const windows = rows.filter((row) => openWindow(row, now) !== null);
  const marks = (all: readonly Muting[]) => all.map(({ id }) => id).join();
  return {
    mark: `${marks(silences)}/${marks(windows)}`,
    of(alert) {
      if (alert.inhibitedBy !== null) return { why: "inhibited", id: alert.inhibitedBy, name: "the alert of its site" };
      const silence = silences.find(({ matchers }) => matches(matchers, alert));
      if (silence) return { why: "silenced", id: silence.id, name: silence.name };
      const window = windows.find(({ matchers }) => matches(matchers, alert));
      return window ? { why: "maintenance", id: window.id, name: window.name } : null;
    },
  };
}
