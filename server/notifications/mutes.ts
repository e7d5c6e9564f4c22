import type { Pool, PoolClient } from "pg";
import { type Matchable, type Matcher, matches } from "@/server/domain/notifications/matcher";
import type { EpochMs } from "@/server/domain/terms";
import { type AlertSeen, seeAlerts } from "./told-alerts";
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
  /** Whether a silence or a maintenance window is in force. */
  readonly any: boolean;
  of(alert: Matchable & Pick<AlertSeen, "parent">): Mute | null;
}

interface Muting {
  readonly id: number;
  readonly name: string;
  readonly matchers: readonly Matcher[];
}

/** What mutes an alert that might be. */
export async function muteOfMight(tx: Pool | PoolClient, alert: Matchable, now: EpochMs) {
  const mute = (await readMutes(tx, now, () => false)).of({ ...alert, parent: null });
  return mute === null || mute.why === "inhibited" ? null : { why: mute.why, id: mute.id, name: mute.name };
}

/** How long after the alert of a site is over those beneath it may still end by themselves, in milliseconds. */
const AFTER_PARENT_MS = 120_000;

/** Reads what mutes alerts at `now`. @param isTold whether somebody is told of such an alert: one of a site that nobody is told of mutes none */
export async function readMutes(
  tx: Pool | PoolClient,
  now: EpochMs,
  isTold: (alert: Matchable) => boolean,
): Promise<Mutes> {
  const { rows: silences } = await tx.query<Muting>(
    `SELECT id, reason AS name, matchers FROM silence
     WHERE starts_at <= to_timestamp($1 / 1000.0) AND ends_at > to_timestamp($1 / 1000.0) ORDER BY id`,
    [now],
  );
  const { rows } = await tx.query<Muting & { cron: string; minutes: number; zone: string }>(
    `SELECT id, name, matchers, cron, minutes, zone FROM maintenance WHERE enabled ORDER BY id`,
  );
  const parents = await readParents(tx, now, isTold);
  const windows = rows.filter((row) => openWindow(row, now) !== null);
  const marks = (all: readonly Muting[]) => all.map(({ id }) => id).join();
  return {
    mark: `${marks(silences)}/${marks(windows)}/${[...parents].join()}`,
    any: silences.length > 0 || windows.length > 0,
    of(alert) {
      if (alert.parent !== null && parents.has(alert.parent))
        return { why: "inhibited", id: alert.parent, name: "the alert of its site" };
      const silence = silences.find(({ matchers }) => matches(matchers, alert));
      if (silence) return { why: "silenced", id: silence.id, name: silence.name };
      const window = windows.find(({ matchers }) => matches(matchers, alert));
      return window ? { why: "maintenance", id: window.id, name: window.name } : null;
    },
  };
}

/** Alerts of sites that are open, or were until lately. */
async function readParents(
  tx: Pool | PoolClient,
  now: EpochMs,
  isTold: (alert: Matchable) => boolean,
): Promise<ReadonlySet<number>> {
  const { rows } = await tx.query<{ id: number }>(
    `SELECT p.id FROM alert p WHERE p.device_name IS NULL AND (p.ended_at IS NULL OR p.ended_at > to_timestamp(($1::float8 - ${AFTER_PARENT_MS}) / 1000.0))
       AND EXISTS (SELECT FROM alert c WHERE c.parent_id = p.id) ORDER BY p.id`,
    [now],
  );
  const seen = await seeAlerts(
    tx,
    rows.map(({ id }) => id),
    now,
  );
  return new Set([...seen.values()].filter(isTold).map(({ id }) => id));
}
