import type { Pool } from "pg";
import { KEPT, type Kept, removedBefore } from "@/server/domain/retention";
import { ruleChooser, type SeriesMarks } from "@/server/domain/series-rules";
import type { EpochMs } from "@/server/domain/terms";
import { monthOf, startOf } from "@/server/postgres/months";
import type { KeptTimes } from "./series-rules";

/** The metrics of one device that are removed alike. */
export interface SeriesGroup {
  readonly device: number;
  readonly metrics: readonly number[];
  /** The start of the month before which each kind is to go; null: it is kept for ever. */
  readonly before: Readonly<Record<Kept, EpochMs | null>>;
}

/** Devices planned together. */
const DEVICES = 100;

interface SeriesRow {
  readonly device: number;
  readonly metric: number;
  readonly marks: SeriesMarks;
  readonly edges: Partial<Record<Kept, EpochMs>>;
}

/**
 * What rules have to remove of the next devices after `after` that isn't removed yet: of each device, the series that go by one rule. What goes
 * with whole months, since nothing is kept longer, is left to that.
 * @returns the groups, and the last device looked at; null: there are no more.
 */
export async function planSeries(
  client: Pool,
  { series, general, longest }: KeptTimes,
  now: EpochMs,
  after: number,
): Promise<{ readonly groups: SeriesGroup[]; readonly device: number | null }> {
  const { last, rows } = await readSeries(client, after);
  const choose = ruleChooser(series);
  const groups = new Map<string, { device: number; metrics: number[]; before: SeriesGroup["before"] }>();
  for (const { device, metric, marks, edges } of rows) {
    const days = choose(marks) ?? general;
    const before = Object.fromEntries(
      KEPT.map((keeps) => {
        const isShorter = days[keeps] !== null && (longest[keeps] === null || days[keeps] < longest[keeps]);
        const time = isShorter ? removedBefore({ days: days[keeps], changedAt: null }, now) : null;
        return [keeps, time === null ? null : startOf(monthOf(time))];
      }),
    ) as Record<Kept, EpochMs | null>;
    if (!KEPT.some((keeps) => before[keeps] !== null && (edges[keeps] ?? -Infinity) < before[keeps])) continue;
    const key = `${device} ${KEPT.map((keeps) => before[keeps]).join()}`;
    const group = groups.get(key) ?? { device, metrics: [], before };
    group.metrics.push(metric);
    groups.set(key, group);
  }
  return { groups: [...groups.values()], device: last };
}

async function readSeries(client: Pool, after: number): Promise<{ last: number | null; rows: SeriesRow[] }> {
  const { rows: devices } = await client.query<{ id: number; type: string | null; site: string | null }>(
    `SELECT d.id, d.type, s.name AS site FROM device d LEFT JOIN site s ON s.id = d.site_id
     WHERE d.id > $1 ORDER BY d.id LIMIT ${DEVICES}`,
    [after],
  );
  const { rows: series } = await client.query<{
    device: number;
    metric: number;
    name: string;
    edges: Partial<Record<Kept, EpochMs>> | null;
  }>(
    `SELECT p.device_id AS device, p.metric_id AS metric, m.name, (
       SELECT json_object_agg(e.keeps, (extract(epoch FROM e.gone_before) * 1000)::float8) FROM series_edge e
       WHERE e.device_id = p.device_id AND e.metric_id = p.metric_id) AS edges
     FROM device_metric p JOIN metric m ON m.id = p.metric_id WHERE p.device_id = ANY ($1::integer[])
     ORDER BY p.device_id, p.metric_id`,
    [devices.map(({ id }) => id)],
  );
  const byId = new Map(devices.map((device) => [device.id, device]));
  return {
    last: devices.length < DEVICES ? null : devices.at(-1)!.id,
    rows: series.map(({ device, metric, name, edges }) => {
      const { type, site } = byId.get(device)!;
      return { device, metric, marks: { metric: name, type, site }, edges: edges ?? {} };
    }),
  };
}
