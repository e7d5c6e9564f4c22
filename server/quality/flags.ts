import type { PoolClient } from "pg";
import type { DeviceCheck, Flag, FlagLevel, SeriesCheck, SlowCheck } from "@/server/domain/quality/checks";
import type { EpochMs } from "@/server/domain/terms";

export type AnyCheck = SeriesCheck | DeviceCheck | SlowCheck;

/** A flag that begins this soon after the last one of its check ended goes on with it, so that an hour has twelve at most. */
const JOIN_MS = 300_000;
const DAY_MS = 86_400_000;

/** The last stretch that a check flagged of a device (metric 0) or a series. */
export interface OpenFlag {
  readonly device: number;
  readonly metric: number;
  readonly check: AnyCheck;
  readonly from: EpochMs;
  to: EpochMs;
  level: FlagLevel;
  /** How often it was told in the transaction under way. */
  told: number;
}

export type OpenFlags = Map<string, OpenFlag>;

/** Adds what a check told to the last stretch, or begins one. @returns the stretch */
export function addFlag(open: OpenFlags, device: number, metric: number, told: Flag<AnyCheck>): OpenFlag {
  const { check, level, to } = told;
  const key = `${metric} ${check}`;
  const last = open.get(key);
  // What is late has no order: its stretches are those of the clock.
  const from = check === "late" ? told.from - (told.from % JOIN_MS) : told.from;
  if (last && (check === "late" ? from === last.from : goesOn(last, from))) {
    last.to = Math.max(last.to, to);
    if (level === "fail") last.level = "fail";
    last.told++;
    return last;
  }
  const begun = { device, metric, check, from, to, level, told: 1 };
  open.set(key, begun);
  return begun;
}

/** What is counted by day begins anew with it. */
function goesOn(last: OpenFlag, from: EpochMs): boolean {
  return from >= last.from && from <= last.to + JOIN_MS && Math.floor(from / DAY_MS) === Math.floor(last.from / DAY_MS);
}

/** Writes what was told of stretches of devices whose rows are locked: new ones, and how far others go now. */
export async function writeFlags(tx: PoolClient, flags: readonly OpenFlag[]): Promise<void> {
  if (flags.length === 0) return;
  await tx.query(
    `INSERT INTO quality_flag AS f (device_id, metric_id, "check", from_time, to_time, level, count)
     SELECT device, metric, "check", to_timestamp(from_ms / 1000), to_timestamp(max(to_ms) / 1000), min(level), sum(told)
     FROM unnest($1::integer[], $2::integer[], $3::text[], $4::float8[], $5::float8[], $6::text[], $7::integer[])
       AS n (device, metric, "check", from_ms, to_ms, level, told) GROUP BY device, metric, "check", from_ms
     ON CONFLICT (device_id, metric_id, "check", from_time) DO UPDATE
       SET to_time = greatest(f.to_time, excluded.to_time), level = least(f.level, excluded.level), count = f.count + excluded.count`,
    [
      flags.map(({ device }) => device),
      flags.map(({ metric }) => metric),
      flags.map(({ check }) => check),
      flags.map(({ from }) => from),
      flags.map(({ to }) => to),
      flags.map(({ level }) => level),
      flags.map(({ told }) => told),
    ],
  );
  for (const flag of flags) flag.told = 0;
}

/** Reads the last stretch of each check of devices, by device. */
export async function readOpenFlags(tx: PoolClient, ids: readonly number[]): Promise<Map<number, OpenFlags>> {
  const { rows } = await tx.query<Omit<OpenFlag, "told">>(
    `SELECT DISTINCT ON (f.device_id, f.metric_id, f."check") f.device_id AS device, f.metric_id AS metric, f."check",
       (extract(epoch FROM f.from_time) * 1000)::float8 AS from, (extract(epoch FROM f.to_time) * 1000)::float8 AS to, f.level
     FROM quality_flag f JOIN device d ON d.id = f.device_id
     WHERE f.device_id = ANY ($1::integer[]) AND f.to_time >= d.last_event_time - interval '1 day'
     ORDER BY f.device_id, f.metric_id, f."check", f.from_time DESC`,
    [ids],
  );
  const byDevice = new Map<number, OpenFlags>();
  for (const row of rows) {
    const own = byDevice.get(row.device) ?? new Map<string, OpenFlag>();
    byDevice.set(row.device, own.set(`${row.metric} ${row.check}`, { ...row, told: 0 }));
  }
  return byDevice;
}
