import type { Pool, PoolClient } from "pg";
import type { EpochMs } from "@/server/domain/terms";
import { timeText } from "@/server/postgres/time-text";
import { type DeviceOutcome, firingOf } from "./run";

/** An alert that a rule would have made, as far as messages go by it. */
export interface MightHaveFired {
  readonly rule: string;
  readonly severity: "warning" | "critical";
  readonly site: string | null;
  readonly type: string | null;
  readonly device: string;
  readonly metric: string | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly firedAt: EpochMs;
  /** When it would have been told as over; null: it isn't. */
  readonly overAt: EpochMs | null;
}

/** A device on which a rule would have fired. */
export interface FoundDevice {
  readonly device: string;
  readonly site: string | null;
  readonly episodes: number;
  readonly firingMs: number;
  readonly longestMs: number;
  readonly firingNow: boolean;
  readonly lastFiredAt: EpochMs;
}

/** The alerts of a device as messages see them. @param keepMs how long they have to be over */
export function mightHaveFired({ device, series }: DeviceOutcome, rule: string, keepMs: number): MightHaveFired[] {
  const { name, site, type, labels } = device.facts;
  return series.flatMap(({ metric, episodes }) =>
    episodes.map(({ severity, firedAt, endedAt }) => ({
      ...{ rule, severity, site, type, device: name, metric, labels, firedAt },
      overAt: endedAt === null ? null : endedAt + keepMs,
    })),
  );
}

/** Sums a device up; null: it would never have fired. @param to the end of the range */
export function foundDevice({ device, series }: DeviceOutcome, to: EpochMs): FoundDevice | null {
  const episodes = series.flatMap((one) => one.episodes);
  if (episodes.length === 0) return null;
  return {
    ...{ device: device.facts.name, site: device.facts.site, episodes: episodes.length },
    ...firingOf(episodes, to),
    firingNow: episodes.some(({ endedAt }) => endedAt === null),
    lastFiredAt: episodes.reduce((last, { firedAt }) => Math.max(last, firedAt), 0),
  };
}

/** Keeps what a run has found of some devices. */
export async function keepFound(
  tx: PoolClient,
  run: string,
  found: readonly (FoundDevice & { readonly id: number; readonly told: readonly MightHaveFired[] })[],
): Promise<void> {
  if (found.length === 0) return;
  const rows = found.map(({ told, lastFiredAt, ...device }) => ({
    ...device,
    lastFiredAt: timeText(lastFiredAt),
    told,
  }));
  await tx.query(
    `INSERT INTO backtest_device (run_id, device_id, device, site, episodes, firing_ms, longest_ms, firing_now, last_fired_at, told_by)
     SELECT $1, id, device, site, episodes, "firingMs", "longestMs", "firingNow", "lastFiredAt", told
     FROM json_to_recordset($2::json) AS n (id integer, device text, site text, episodes integer, "firingMs" float8, "longestMs" float8,
       "firingNow" boolean, "lastFiredAt" timestamptz, told json)`,
    [run, JSON.stringify(rows)],
  );
}

/** What a run has found so far. */
export interface FoundSoFar {
  readonly devices: number;
  readonly episodes: number;
  readonly firingMs: number;
  readonly longestMs: number;
  readonly firingNow: number;
}

export async function sumFound(tx: Pool | PoolClient, run: string): Promise<FoundSoFar> {
  const { rows } = await tx.query<FoundSoFar>(
    `SELECT count(*)::integer AS devices, coalesce(sum(episodes), 0)::float8 AS episodes, coalesce(sum(firing_ms), 0) AS "firingMs",
       coalesce(max(longest_ms), 0) AS "longestMs", count(*) FILTER (WHERE firing_now)::integer AS "firingNow"
     FROM backtest_device WHERE run_id = $1`,
    [run],
  );
  return rows[0]!;
}

/** The devices of a run with most episodes first. */
export async function listFound(tx: Pool | PoolClient, run: string, limit: number): Promise<FoundDevice[]> {
  const { rows } = await tx.query<FoundDevice>(
    `SELECT device, site, episodes, firing_ms AS "firingMs", longest_ms AS "longestMs", firing_now AS "firingNow",
       (extract(epoch FROM last_fired_at) * 1000)::float8 AS "lastFiredAt"
     FROM backtest_device WHERE run_id = $1 ORDER BY episodes DESC, firing_ms DESC, device LIMIT $2`,
    [run, limit],
  );
  return rows;
}

/** All alerts that a run has found. */
export async function readTold(tx: Pool | PoolClient, run: string): Promise<MightHaveFired[]> {
  const { rows } = await tx.query<{ told: MightHaveFired[] }>(
    `SELECT told_by AS told FROM backtest_device WHERE run_id = $1`,
    [run],
  );
  return rows.flatMap(({ told }) => told);
}
