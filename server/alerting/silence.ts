import type { PoolClient } from "pg";
import { silenceOf } from "@/server/domain/alerts/judged";
import { SILENT_AFTER } from "@/server/domain/device-state";
import type { SilenceRule } from "@/server/domain/alerts/rule";
import { silentSince } from "@/server/domain/alerts/episode";
import type { AlertState } from "@/server/domain/alerts/state";
import { step } from "@/server/domain/alerts/step";
import type { EpochMs } from "@/server/domain/terms";
import { timeText } from "@/server/postgres/time-text";
import type { ActiveRule } from "./active-rules";
import { settle } from "./judge-sample";
import { type Held, onDevices } from "./on-devices";
import { decideSites, devicesToAdopt, type Fallen, readSites } from "./share-of-site";
import { type Open, readOpen } from "./telemetry-open";
import { alone, type TurnDeps } from "./turn";
import type { Instance, Watched } from "./watched";

/** Gaps after which it is known how far apart a device's messages are. */
export const GAPS_KNOWN = 20;
/** No silence is unusual that is shorter, in milliseconds. */
export const LEAST_SILENCE_MS = 30_000;
/** Devices taken in one transaction. */
const DEVICES = 10_000;

/** How often a device is heard: as its type is said to be, or else as it was. */
type Cadence = Pick<Held, "gaps" | "gapP99" | "staleSeconds">;

/**
 * The silence that is unusual for a device: that at which its type is silent, or else three times its longest of late.
 * @param staleMs of one of which little is known, in milliseconds: it may be silent for longer only if it was already
 */
export function usualSilence({ gaps, gapP99, staleSeconds }: Cadence, staleMs: number): number {
  if (staleSeconds !== null) return Math.max(LEAST_SILENCE_MS, SILENT_AFTER * 1000 * staleSeconds);
  if (gapP99 === null) return staleMs;
  return Math.max(gaps < GAPS_KNOWN ? staleMs : LEAST_SILENCE_MS, 3 * gapP99);
}

/** SQL: the same of a device `d`; `staleMs` is SQL, too. A test holds the two together. */
export const usualSilenceSql = (staleMs: string): string => `CASE
  WHEN d.stale_seconds IS NOT NULL THEN greatest(${LEAST_SILENCE_MS}, ${SILENT_AFTER * 1000}::float8 * d.stale_seconds)
  WHEN d.gap_p99 IS NULL THEN ${staleMs}
  ELSE greatest(CASE WHEN d.gaps < ${GAPS_KNOWN} THEN ${staleMs} ELSE ${LEAST_SILENCE_MS} END, 3 * d.gap_p99) END`;

/**
 * When a silence that began at `since` had lasted `afterMs`, counting only while messages were taken; null: it hasn't by `until`.
 * @param open the stretches in which they were
 */
export function silentAt(open: readonly Open[], since: EpochMs, until: EpochMs, afterMs: number): EpochMs | null {
  let left = afterMs;
  // Before the first stretch there is nobody knows; it counts as taken.
  const stretches = [{ since: -Infinity, until: open[0]?.since ?? Infinity }, ...open];
  for (const stretch of stretches) {
    const from = Math.max(since, stretch.since);
    const length = Math.min(until, stretch.until) - from;
    if (length >= left) return from + left;
    left -= Math.max(0, length);
  }
  return null;
}

/** When a device's silence is too long for a rule; null: it isn't by `watermark`. A goodbye says at once what is usual would say later. */
function firesAt(
  { afterMs }: SilenceRule,
  device: Pick<Candidate, "lastSeen" | "goneAt" | "staleSeconds" | "gaps" | "gapP99">,
  {
    open,
    watermark,
    staleMs,
  }: { readonly open: readonly Open[]; readonly watermark: EpochMs; readonly staleMs: number },
): { readonly since: EpochMs; readonly at: EpochMs } | null {
  const { lastSeen: since, goneAt } = device;
  if (afterMs === null && goneAt !== null) return { since: goneAt, at: goneAt };
  const at = silentAt(open, since, watermark, afterMs ?? usualSilence(device, staleMs));
  return at === null ? null : { since, at };
}

/** Why an alert is closed of a silence that isn't too long any more. */
const USUAL_NOW = "silent for longer is usual now";

/** Whether a silence that fires would not have by what is usual for the device now, and doesn't yet: its type's age has been changed since. */
function isUsual(
  rule: SilenceRule,
  device: Parameters<typeof firesAt>[1],
  { episode }: AlertState,
  found: Parameters<typeof firesAt>[2],
): boolean {
  // The fraction of a millisecond that the time it fired was rounded by.
  const then = { ...found, watermark: (episode?.firedAt ?? 0) + 1 };
  return firesAt(rule, device, then) === null && firesAt(rule, device, found) === null;
}

/** The silence that is too short for any device of which no rule says how long, in milliseconds. */
export const leastSilence = ({ staleMs }: Pick<TurnDeps, "staleMs">): number => Math.min(LEAST_SILENCE_MS, staleMs);

/** SQL: whether somebody was told of a device's silence by a rule. */
const isTold = (device: string, rule: string): string =>
  `EXISTS (SELECT FROM alert_state a WHERE a.device_id = ${device} AND a.rule_id = ${rule} AND a.state->>'phase' = 'firing')`;

/** SQL, to stand after FROM: states `a` that say so of a device `d` whose silence isn't unusual by a time. */
const toldOfUsual = (time: string, staleMs: string): string => `alert_state a JOIN device d ON d.id = a.device_id
  AND a.state->>'phase' = 'firing' AND d.gone_at IS NULL AND d.last_seen > ${time} - interval '1 millisecond' * ${usualSilenceSql(staleMs)}`;

/**
 * SQL: by `$1` there may be something for {@link findSilent}, if silence of `$2` milliseconds may be too long, and of `$3` is for a device of which
 * little is known: silence that nobody was told of, or that isn't unusual any more, or a site that is remembered, or of which enough is silent. While
 * all that is silent was told of, which may be for weeks, there is none of that.
 */
export const MAY_BE_SILENT = `(EXISTS (
    WITH rules AS MATERIALIZED (SELECT id, (spec->>'afterMs')::float8 AS after FROM alert_rule WHERE enabled AND spec->>'kind' = 'silence'),
    late AS MATERIALIZED (SELECT * FROM device WHERE retired_at IS NULL
      AND (gone_at IS NOT NULL OR last_seen <= $1::timestamptz - interval '1 millisecond' * least($2::float8, (SELECT min(after) FROM rules))))
    SELECT FROM late d CROSS JOIN rules r WHERE NOT ${isTold("d.id", "r.id")} AND (r.after IS NULL AND d.gone_at IS NOT NULL
      OR d.last_seen <= $1::timestamptz - interval '1 millisecond' * coalesce(r.after, ${usualSilenceSql("$3::float8")})))
  OR EXISTS (SELECT FROM ${toldOfUsual("$1::timestamptz", "$3::float8")}
    JOIN alert_rule r ON r.id = a.rule_id AND r.enabled AND r.spec->>'kind' = 'silence' AND r.spec->>'afterMs' IS NULL)
  OR EXISTS (SELECT FROM alert_state WHERE device_id = 0 AND site_id <> 0)
  OR EXISTS (SELECT FROM alert a JOIN alert_rule r ON r.id = a.rule_id AND r.spec->>'kind' = 'silence'
    WHERE a.ended_at IS NULL AND a.site_id IS NOT NULL GROUP BY a.site_id HAVING count(DISTINCT a.device_id) >= (
      SELECT min(coalesce((spec->>'atLeast')::float8, 0)) FROM alert_rule WHERE enabled AND spec->>'kind' = 'share-of-site')))`;

/**
 * Finds devices that have been silent for too long, and sites of which too much is. Only silence up to `watermark` counts, and only while messages
 * were taken: an outage of ours is no device's silence.
 */
export async function findSilent(deps: TurnDeps, watermark: EpochMs): Promise<void> {
  await alone(deps, async (tx, loading) => {
    const rules = loading.rules.filter((rule): rule is SilentRule => rule.spec.kind === "silence");
    const found = await findDue(tx, rules, deps, watermark);
    const all: Fallen[] = found.due.map(({ id, site, since }) => ({ device: id, site, since }));
    const sites = await readSites(tx, loading.rules, all);
    const usual = await findUsual(tx, rules, deps, watermark);
    const wanted = new Set([...found.due.slice(0, DEVICES).map(({ id }) => id), ...usual]);
    const ids = new Set([...wanted, ...(sites === null ? [] : devicesToAdopt(sites, all))]);
    if (ids.size === 0 && sites === null) return;
    const decide = async (held: readonly Held[], changed: Map<Instance, Watched>) => {
      // What is due but for another time is silent all the same.
      const fallen = all.filter(({ device }) => !wanted.has(device));
      for (const { watched, ...device } of held.filter(({ watched: { id } }) => wanted.has(id)))
        for (const instance of watched.silences) {
          const { rule, state } = instance;
          if (rule.spec.kind !== "silence" || device.lastSeen === null) continue;
          const heard = { ...device, lastSeen: device.lastSeen };
          const take = ([next, events]: ReturnType<typeof step>) => {
            instance.events.push(...events);
            settle(watched, instance, next, changed);
            changed.set(instance, watched);
          };
          if (state?.phase === "firing") {
            const close = { kind: "close", time: watermark, reason: USUAL_NOW } as const;
            if (isUsual(rule.spec, heard, state, found)) take(step(state, close, instance.judged));
            continue;
          }
          const fires = firesAt(rule.spec, heard, found);
          if (fires === null) continue;
          const judged = silenceOf(rule.spec, fires.at - fires.since);
          const since = { ...silentSince(judged, fires.since), fires: state?.fires ?? [] };
          take(step(since, { kind: "tick", time: fires.at }, judged));
          fallen.push({ device: watched.id, site: watched.siteId, since: fires.since });
        }
      const locked = new Set(held.map(({ watched }) => watched.id));
      if (sites !== null) await decideSites(tx, sites, { due: fallen, watermark, changed, locked });
    };
    if (ids.size === 0) await decide([], new Map());
    else await onDevices(tx, [...ids], { ...loading, rules }, decide);
  });
}

type SilentRule = ActiveRule & { readonly spec: SilenceRule };

interface Candidate extends Pick<Held, "gaps" | "gapP99" | "staleSeconds" | "goneAt"> {
  readonly id: number;
  readonly name: string;
  readonly siteId: number | null;
  readonly site: string | null;
  readonly type: string | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly lastSeen: EpochMs;
}

/** Finds what is to be told of by a rule, as far as that can be known before devices are locked: those of a site together. */
async function findDue(tx: PoolClient, rules: readonly SilentRule[], deps: TurnDeps, watermark: EpochMs) {
  const { staleMs } = deps;
  const due = new Map<number, { readonly id: number; readonly site: number | null; readonly since: EpochMs }>();
  let open: readonly Open[] | null = null;
  for (const { id: rule, spec, selects } of rules) {
    const least = spec.afterMs ?? leastSilence(deps);
    for (const device of await findCandidates(tx, rule, watermark - least, spec.afterMs === null)) {
      if (!selects(device)) continue;
      open ??= await readOpen(tx, 0);
      const fires = firesAt(spec, device, { open, watermark, staleMs });
      if (fires !== null) due.set(device.id, { id: device.id, site: device.siteId, since: fires.since });
    }
  }
  const sorted = [...due.values()].sort((a, b) => (a.site ?? 0) - (b.site ?? 0) || a.id - b.id);
  return { due: sorted, open: open ?? [], watermark, staleMs };
}

/** Devices of whose silence somebody was told though it isn't too long any more, as far as that can be known before they are locked. */
async function findUsual(
  tx: PoolClient,
  rules: readonly SilentRule[],
  { staleMs }: TurnDeps,
  watermark: EpochMs,
): Promise<number[]> {
  const learning = rules.flatMap(({ id, spec }) => (spec.afterMs === null ? [id] : []));
  if (learning.length === 0) return [];
  const { rows } = await tx.query<{ id: number }>(
    `SELECT DISTINCT d.id FROM ${toldOfUsual("$2::timestamptz", "$3::float8")}
     WHERE a.rule_id = ANY ($1::integer[]) ORDER BY d.id LIMIT ${DEVICES}`,
    [learning, timeText(watermark), staleMs],
  );
  return rows.map(({ id }) => id);
}

/** Devices that were last heard of before, or have said goodbye, and of whose silence nobody was told yet. */
async function findCandidates(tx: PoolClient, rule: number, before: EpochMs, andGone: boolean): Promise<Candidate[]> {
  const { rows } = await tx.query<Candidate>(
    `SELECT d.id, d.name, d.site_id AS "siteId", s.name AS site, d.type, d.gaps, d.gap_p99 AS "gapP99", d.stale_seconds AS "staleSeconds",
       (extract(epoch FROM d.last_seen) * 1000)::float8 AS "lastSeen", (extract(epoch FROM d.gone_at) * 1000)::float8 AS "goneAt",
       coalesce((SELECT json_object_agg(l.key, l.value) FROM device_label l WHERE l.device_id = d.id), '{}') AS labels
     FROM device d LEFT JOIN site s ON s.id = d.site_id
     WHERE d.retired_at IS NULL AND (d.last_seen <= $2 OR ($3 AND d.gone_at IS NOT NULL AND d.last_seen IS NOT NULL)) AND NOT ${isTold("d.id", "$1")}`,
    [rule, timeText(before), andGone],
  );
  return rows;
}
