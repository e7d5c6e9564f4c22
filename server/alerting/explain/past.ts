import type { Pool } from "pg";
import type { Sites } from "@/server/domain/access";
import type { DeviceFacts, MetricFacts } from "@/server/domain/alerts/judged";
import type { RuleSpec } from "@/server/domain/alerts/rule";
import type { SaidMetric } from "@/server/domain/alerts/why";
import type { EpochMs } from "@/server/domain/terms";
import { withSpec } from "../read-spec";

/** A version of a rule, in force from `at` on unless it is off. */
export interface PastVersion {
  readonly version: number;
  readonly at: EpochMs;
  readonly spec: RuleSpec;
  readonly enabled: boolean;
}

/** A rule with its versions, oldest first. */
export interface RulePast {
  readonly id: number;
  readonly name: string;
  readonly madeAt: EpochMs;
  /** The version in force now, and whether what is there already was judged by it. */
  readonly version: number;
  readonly inForce: boolean;
  readonly versions: readonly PastVersion[];
}

/** A change of what selects a device: what it was until then. */
interface FactChange {
  readonly part: "site" | "type" | "label";
  readonly key: string;
  readonly before: string | null;
  readonly until: EpochMs;
}

/** A device with what it was before. */
export interface DevicePast {
  readonly id: number;
  readonly firstSeen: EpochMs;
  readonly lastSeen: EpochMs | null;
  readonly latest: EpochMs | null;
  readonly gapMs: number | null;
  readonly gaps: number;
  readonly gapP99: number | null;
  readonly staleSeconds: number | null;
  readonly facts: DeviceFacts;
  /** Newest first. */
  readonly changes: readonly FactChange[];
  readonly metrics: readonly (MetricFacts & SaidMetric)[];
}

const ms = (column: string) => `(extract(epoch FROM ${column}) * 1000)::float8`;

/** Reads a rule as it was over time; null: there is none that can be read. */
export async function readRulePast(db: Pool, id: number): Promise<RulePast | null> {
  const { rows } = await db.query<Omit<RulePast, "versions"> & { spec: unknown; enabled: boolean }>(
    `SELECT id, name, version, seeded >= version AS "inForce", ${ms("created_at")} AS "madeAt", spec, enabled FROM alert_rule WHERE id = $1`,
    [id],
  );
  const rule = rows[0];
  if (!rule) return null;
  const { rows: kept } = await db.query<PastVersion>(
    `SELECT version, spec, enabled, ${ms("at")} AS at FROM alert_rule_version WHERE rule_id = $1 ORDER BY version DESC LIMIT 1000`,
    [id],
  );
  const { spec, enabled, ...row } = rule;
  // One from before versions were kept is what it is now.
  const all = kept.length > 0 ? kept.reverse() : [{ version: row.version, spec, enabled, at: row.madeAt }];
  const versions = withSpec(all);
  return versions.length === 0 ? null : { ...row, versions };
}

/** Reads a device at one of these sites as it is, and was; null: there is none. */
export async function readDevicePast(db: Pool, name: string, sites: Sites): Promise<DevicePast | null> {
  const { rows } = await db.query<
    Omit<DevicePast, "facts"> & {
      name: string;
      site: string | null;
      type: string | null;
      labels: Record<string, string>;
    }
  >(
    `SELECT d.id, d.name, s.name AS site, d.type, ${ms("d.first_seen")} AS "firstSeen", ${ms("d.last_seen")} AS "lastSeen",
       ${ms("d.last_event_time")} AS latest, d.gap_median AS "gapMs", d.gaps, d.gap_p99 AS "gapP99", d.stale_seconds AS "staleSeconds",
       coalesce((SELECT json_object_agg(l.key, l.value) FROM device_label l WHERE l.device_id = d.id), '{}') AS labels,
       coalesce((SELECT json_agg(json_build_object('part', p.part, 'key', p.key, 'before', p.before, 'until', ${ms("p.until")}) ORDER BY p.until DESC)
         FROM device_past p WHERE p.device_id = d.id), '[]') AS changes,
       coalesce((SELECT json_agg(json_build_object('id', m.id, 'name', m.name, 'kind', m.kind, 'min', m.min, 'max', m.max,
           'unit', coalesce(u.unit, m.unit)) ORDER BY m.id)
         FROM device_metric dm JOIN metric m ON m.id = dm.metric_id
         LEFT JOIN device_unit u ON u.device_id = d.id AND u.metric_id = m.id WHERE dm.device_id = d.id), '[]') AS metrics
     FROM device d LEFT JOIN site s ON s.id = d.site_id
     WHERE d.name = $1 AND ($2::integer[] IS NULL OR d.site_id = ANY ($2))`,
    [name, sites === "all" ? null : sites],
  );
  const row = rows[0];
  if (!row) return null;
  const { name: called, site, type, labels, ...device } = row;
  return { ...device, facts: { name: called, site, type, labels } };
}

/** What selected a device at a moment. */
export function factsAt({ facts, changes }: Pick<DevicePast, "facts" | "changes">, at: EpochMs): DeviceFacts {
  let { site, type } = facts;
  const labels: Record<string, string> = { ...facts.labels };
  for (const { part, key, before, until } of changes) {
    if (until <= at) break;
    if (part === "site") site = before;
    else if (part === "type") type = before;
    else if (before === null) delete labels[key];
    else labels[key] = before;
  }
  return { name: facts.name, site, type, labels };
}

/** The version that was the rule's at a moment; null: it wasn't made yet. */
export function versionAt({ versions }: RulePast, at: EpochMs): PastVersion | null {
  return versions.findLast((one) => one.at <= at) ?? null;
}
