import { formatDuration } from "@/server/domain/duration";
import type { EpochMs } from "@/server/domain/terms";
import { type Finding, pass, type Probe } from "./probe";

/** What the data folder knows of its backups; times are RFC 3339. */
export interface Backups {
  readonly made: { readonly time: string; readonly folder: string; readonly bytes: number } | null;
  /** Null when the last try didn't fail. */
  readonly failed: { readonly time: string; readonly why: string } | null;
}

const HOUR_MS = 3_600_000;

/**
 * Probes how old the last backup is, and whether the last try failed.
 * @param maxAgeHours older ones are warned of; null: no age is too old.
 */
export function backupProbe(read: () => Backups | null, maxAgeHours: number | null, now: () => EpochMs): Probe {
  return {
    name: "machine.backup",
    title: "Last backup",
    group: "This machine",
    timeoutMs: 1000,
    run: async () => judgeBackups(read(), maxAgeHours, now()),
  };
}

export function judgeBackups(backups: Backups | null, maxAgeHours: number | null, now: EpochMs): Finding {
  const made = backups?.made ?? null;
  const failed = backups?.failed ?? null;
  const ageMs = made === null ? null : Math.max(0, now - Date.parse(made.time));
  const last =
    made === null || ageMs === null
      ? "No backup was made."
      : `The last one is ${formatDuration(Math.round(ageMs / 1000) * 1000)} old, in ${made.folder}.`;
  if (failed !== null)
    return {
      status: "warn",
      summary: `The last try to make one failed. ${last}`,
      cause: failed.why.slice(0, 300),
      fix: "Mend that, then make one: `npm run backup`",
    };
  if (maxAgeHours === null || (ageMs !== null && ageMs <= maxAgeHours * HOUR_MS)) return pass(last);
  return {
    status: "warn",
    summary: last,
    cause: `BACKUP_MAX_AGE_HOURS wants one of the last ${formatDuration(maxAgeHours * HOUR_MS)}.`,
    fix: "Make one, and see why what makes them (cron, a timer) doesn't: `npm run backup`",
  };
}
