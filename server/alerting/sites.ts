import type { PoolClient } from "pg";
import type { DeviceFacts } from "@/server/domain/alerts/judged";
import type { AlertState } from "@/server/domain/alerts/state";
import type { SilentDevice } from "@/server/domain/alerts/storm";

/** Where a rule stands for a site. */
export interface SiteState {
  readonly site: number;
  readonly rule: number;
  readonly version: number;
  readonly state: AlertState;
}

/** A device of a site. */
export interface SiteDevice {
  readonly id: number;
  readonly site: number;
  readonly facts: DeviceFacts;
}

/** Reads where rules stand for sites. */
export async function readSiteStates(tx: PoolClient): Promise<SiteState[]> {
  const { rows } = await tx.query<SiteState>(
    `SELECT site_id AS site, rule_id AS rule, version, state FROM alert_state WHERE device_id = 0 AND site_id <> 0`,
  );
  return rows;
}

/** Counts the silent devices of each site by the rules of silence. */
export async function countSilent(tx: PoolClient, rules: readonly number[]): Promise<Map<number, number>> {
  const { rows } = await tx.query<{ site: number; count: number }>(
    `SELECT site_id AS site, count(DISTINCT device_id)::integer AS count FROM alert
     WHERE ended_at IS NULL AND rule_id = ANY ($1::integer[]) AND site_id IS NOT NULL GROUP BY 1`,
    [rules],
  );
  return new Map(rows.map(({ site, count }) => [site, count]));
}

/** Reads the silent devices of these sites, with the alerts that say so. */
export async function readSilent(
  tx: PoolClient,
  rules: readonly number[],
  sites: readonly number[],
): Promise<(SilentDevice & { readonly site: number; readonly alert: string })[]> {
  const { rows } = await tx.query<SilentDevice & { site: number; alert: string }>(
    `SELECT device_id AS device, site_id AS site, (extract(epoch FROM started_at) * 1000)::float8 AS since, id::text AS alert, parent_id::text AS parent
     FROM alert WHERE ended_at IS NULL AND rule_id = ANY ($1::integer[]) AND site_id = ANY ($2::integer[]) AND device_id IS NOT NULL ORDER BY id DESC`,
    [rules, sites],
  );
  return rows;
}

/** Reads these sites' names, and their devices that were heard once. */
export async function readSiteDevices(
  tx: PoolClient,
  sites: readonly number[],
): Promise<{ readonly names: ReadonlyMap<number, string>; readonly devices: readonly SiteDevice[] }> {
  if (sites.length === 0) return { names: new Map(), devices: [] };
  const { rows: named } = await tx.query<{ id: number; name: string }>(
    `SELECT id, name FROM site WHERE id = ANY ($1::integer[])`,
    [sites],
  );
  const names = new Map(named.map(({ id, name }) => [id, name]));
  const { rows } = await tx.query<{
    id: number;
    site: number;
    name: string;
    type: string | null;
    labels: DeviceFacts["labels"] | null;
  }>(
    `SELECT d.id, d.site_id AS site, d.name, d.type, l.labels FROM device d
     LEFT JOIN (SELECT device_id, json_object_agg(key, value) AS labels FROM device_label GROUP BY 1) l ON l.device_id = d.id
     WHERE d.site_id = ANY ($1::integer[]) AND d.last_seen IS NOT NULL AND d.retired_at IS NULL`,
    [sites],
  );
  return {
    names,
    devices: rows.map(({ id, site, name, type, labels }) => ({
      ...{ id, site },
      facts: { name, site: names.get(site) ?? null, type, labels: labels ?? {} },
    })),
  };
}
