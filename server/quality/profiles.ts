import type { Pool, PoolClient } from "pg";
import type { Hour, HoursByMetric, Profile } from "@/server/domain/quality/profile";
import type { EpochMs } from "@/server/domain/terms";
import { timeText } from "@/server/postgres/time-text";

/** Devices taken together, and those of them beside which one is held at most. */
const TOGETHER = 50;
const NEIGHBORS = 10;

/** A device in the order in which neighbors stand side by side. */
export interface Placed {
  readonly id: number;
  readonly site: number;
  readonly type: string;
}

/** The next devices after one, those of a site and type together; fewer than a full batch are the last. */
export async function nextPlaced(
  db: Pool | PoolClient,
  after: Placed | null,
): Promise<{ devices: Placed[]; isLast: boolean }> {
  const { rows } = await db.query<Placed>(
    `SELECT id, coalesce(site_id, 0) AS site, coalesce(type, '') AS type FROM device
     WHERE (coalesce(site_id, 0), coalesce(type, ''), id) > ($1::integer, $2::text, $3::integer)
     ORDER BY coalesce(site_id, 0), coalesce(type, ''), id LIMIT ${TOGETHER}`,
    [after?.site ?? -1, after?.type ?? "", after?.id ?? 0],
  );
  return { devices: rows, isLast: rows.length < TOGETHER };
}

/** The devices beside which `device` is held: those of its site and type that come next to it. */
export function neighborsOf({ id, site, type }: Placed, devices: readonly Placed[]): number[] {
  if (site === 0 || type === "") return [];
  const group = devices.filter((one) => one.site === site && one.type === type);
  const at = group.findIndex((one) => one.id === id);
  return [...group.slice(at + 1), ...group.slice(0, at)].slice(0, NEIGHBORS).map((one) => one.id);
}

/** Reads the profiles of devices, by device and metric. */
export async function readProfiles(
  db: Pool | PoolClient,
  devices: readonly number[],
): Promise<Map<number, Map<number, Profile>>> {
  const { rows } = await db.query<{ device: number; metric: number; profile: Profile }>(
    `SELECT device_id AS device, metric_id AS metric, profile FROM series_profile WHERE device_id = ANY ($1::integer[])`,
    [devices],
  );
  const byDevice = new Map<number, Map<number, Profile>>();
  for (const { device, metric, profile } of rows) {
    const own = byDevice.get(device);
    if (own) own.set(metric, profile);
    else byDevice.set(device, new Map([[metric, profile]]));
  }
  return byDevice;
}

/** Puts the profiles of devices in the place of those they had. */
export async function writeProfiles(
  tx: PoolClient,
  devices: readonly number[],
  profiles: readonly { readonly device: number; readonly metric: number; readonly profile: Profile }[],
  now: EpochMs,
): Promise<void> {
  await tx.query(`DELETE FROM series_profile WHERE device_id = ANY ($1::integer[])`, [devices]);
  await tx.query(
    `INSERT INTO series_profile (device_id, metric_id, profile, updated_at)
     SELECT n.device, n.metric, n.profile, $4 FROM unnest($1::integer[], $2::integer[], $3::json[]) AS n (device, metric, profile)
     JOIN device d ON d.id = n.device JOIN metric m ON m.id = n.metric`,
    [
      profiles.map(({ device }) => device),
      profiles.map(({ metric }) => metric),
      profiles.map(({ profile }) => JSON.stringify(profile, shortened)),
      timeText(now),
    ],
  );
}

/** Seven digits tell what is usual. */
function shortened(_: string, value: unknown): unknown {
  return typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(7)) : value;
}

/** Hours by device and metric. */
export function hoursByDevice(
  hours: readonly (Hour & { readonly device: number; readonly metric: number })[],
): Map<number, HoursByMetric> {
  const byDevice = new Map<number, Map<number, Hour[]>>();
  for (const hour of hours) {
    const own = byDevice.get(hour.device) ?? new Map<number, Hour[]>();
    byDevice.set(hour.device, own);
    const series = own.get(hour.metric);
    if (series) series.push(hour);
    else own.set(hour.metric, [hour]);
  }
  return byDevice;
}
