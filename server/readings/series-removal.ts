import type { PoolClient } from "pg";
import type { Kept } from "@/server/domain/retention";
import type { EpochMs } from "@/server/domain/terms";
import { holdMonths, monthOf, startOf } from "@/server/postgres/months";
import { timeText } from "@/server/postgres/time-text";
import { withoutMetrics } from "./block-changes";
import { replaceBlocks } from "./block-writes";
import { type Block, HOUR, readBlocks } from "./blocks";
import { readAllBlocks } from "./cold/hot-and-cold";
import { hasCold, hideCold } from "./cold/hidden";
import { firstDay } from "./cold/month-plan";
import type { ColdReader } from "./cold/reader";
import { COLUMNS, writeMinutes } from "./rollups";
import { KEYED_ACCESS } from "@/server/postgres/keyed-access";
import type { SeriesGroup } from "./series-plan";

/** Hours rewritten in one step at most, and the readings after which it ends: it holds the device's row for a tenth of a second or so. */
const HOURS = 100;
const READINGS = 50_000;

interface Step {
  /** Readings, or rollups. */
  readonly removed: number;
  /** Nothing more can be removed for now. */
  readonly isThrough: boolean;
}

const THROUGH: Step = { removed: 0, isThrough: true };

/**
 * Removes the next readings of some series of a device that are older than `before`, from PostgreSQL and cold storage; their rollups stay. The
 * minutes that are kept for longer are written first. What isn't merged waits, and everything after it.
 * @throws ColdUnavailableError when it is away and minutes are to be made of what it has.
 */
export async function removeNextReadings(
  tx: PoolClient,
  cold: ColdReader,
  group: SeriesGroup,
  before: EpochMs,
): Promise<Step> {
  await tx.query(KEYED_ACCESS.join("; "));
  const { device, metrics } = group;
  await holdMonths(tx);
  const from = await lockEdge(tx, group, "raw");
  if (from === null) return THROUGH;
  const until = Math.min(before, await mergedUntil(tx, device, from));
  if (until <= from) return THROUGH;
  const found = await hoursWith(tx, group, from, until);
  if (found.length === 0) {
    await moveEdges(tx, group, "raw", until);
    return THROUGH;
  }
  // A month at a time: what files of cold storage have of a device in it is hidden as a whole.
  const month = monthOf(found[0]!.hour);
  const end = Math.min(startOf(month + 1), until);
  const hours = found.filter(({ hour }) => hour < end);
  const keptFrom = group.before.minutes ?? -Infinity;
  const lacking = hours.filter(({ hour, hasMinutes }) => !hasMinutes && hour >= keptFrom).slice(0, HOURS);
  if (lacking.length > 0 && (await makeMinutes(tx, cold, device, lacking))) return { removed: 0, isThrough: false };
  const isCold = await hasCold(tx, device, firstDay(month), metrics);
  if (isCold && end < startOf(month + 1)) return THROUGH;
  const some = isCold ? hours : fewOf(hours);
  const hidden = isCold ? await hideCold(tx, device, firstDay(month), metrics) : 0;
  const removed = hidden + (await takeOut(tx, device, metrics, some));
  const reached = some.length === hours.length ? end : some.at(-1)!.hour + HOUR;
  await moveEdges(tx, group, "raw", reached);
  return { removed, isThrough: reached >= until };
}

/** Removes the next rollups of some series of a device that are older than `before` and than what is left of what they are of. */
export async function removeNextRollups(
  tx: PoolClient,
  group: SeriesGroup,
  keeps: Exclude<Kept, "raw">,
  before: EpochMs,
): Promise<Step> {
  const { device, metrics } = group;
  const from = await lockEdge(tx, group, keeps);
  if (from === null) return THROUGH;
  const until = Math.min(before, await readEdgeOf(tx, group, keeps === "minutes" ? "raw" : "minutes"));
  if (until <= from) return THROUGH;
  const table = keeps === "minutes" ? "rollup_minute" : "rollup_hour";
  const values = [device, metrics, timeText(from), timeText(until)];
  const within = "device_id = $1 AND bucket >= $3 AND bucket < $4 AND metrics && $2::integer[]";
  const { rows } = await tx.query<{ bucket: Date }>(
    `SELECT bucket FROM ${table} WHERE ${within} ORDER BY bucket LIMIT 1`,
    values,
  );
  const end = rows[0] ? Math.min(startOf(monthOf(rows[0].bucket.getTime()) + 1), until) : until;
  values[3] = timeText(end);
  const gone = await tx.query(`DELETE FROM ${table} WHERE ${within} AND metrics <@ $2::integer[]`, values);
  const others = COLUMNS.map(
    (column) =>
      `${column} = ARRAY(SELECT ${column}[i] FROM generate_subscripts(metrics, 1) AS i WHERE metrics[i] <> ALL ($2::integer[]) ORDER BY i)`,
  );
  const left = await tx.query(`UPDATE ${table} SET ${others.join(", ")} WHERE ${within}`, values);
  await moveEdges(tx, group, keeps, end);
  return { removed: gone.rowCount! + left.rowCount!, isThrough: end >= until };
}

/** Locks the device's row. @returns the time before which nothing of the series is left; null: the device is gone. */
async function lockEdge(tx: PoolClient, group: SeriesGroup, keeps: Kept): Promise<EpochMs | null> {
  const { rowCount } = await tx.query("SELECT FROM device WHERE id = $1 FOR NO KEY UPDATE", [group.device]);
  return rowCount === 0 ? null : readEdgeOf(tx, group, keeps);
}

/** The time before which nothing of any of the series is left, whatever removed it; at least the beginning of times. */
async function readEdgeOf(tx: PoolClient, { device, metrics }: SeriesGroup, keeps: Kept): Promise<EpochMs> {
  const { rows } = await tx.query<{ at: number | null; everything: number | null }>(
    `SELECT (extract(epoch FROM min(coalesce(e.gone_before, '0001-01-01 UTC'))) * 1000)::float8 AS at,
       (SELECT (extract(epoch FROM gone_before) * 1000)::float8 FROM retention_edge WHERE keeps = $3) AS everything
     FROM unnest($2::integer[]) AS m (id) LEFT JOIN series_edge e ON e.device_id = $1 AND e.metric_id = m.id AND e.keeps = $3`,
    [device, metrics, keeps],
  );
  return Math.max(rows[0]!.at!, rows[0]!.everything ?? -Infinity);
}

/** The time from `from` on until which all hours of a device have their rollups. */
async function mergedUntil(tx: PoolClient, device: number, from: EpochMs): Promise<EpochMs> {
  const { rows } = await tx.query<{ until: number | null }>(
    `SELECT (extract(epoch FROM least(rolled_until, (
       SELECT min(hour) FROM late_hour WHERE device_id = $1 AND hour >= $2))) * 1000)::float8 AS until
     FROM device WHERE id = $1 AND rolled_until IS NOT NULL`,
    [device, timeText(from)],
  );
  return rows[0]?.until ?? -Infinity;
}

interface RolledHour {
  readonly hour: EpochMs;
  readonly hasMinutes: boolean;
  /** Readings of all its metrics. */
  readonly readings: number;
}

/** More hours than a month has. */
const MONTH_HOURS = 31 * 24 + 1;

/** The next hours that have rollups of any of the series. */
async function hoursWith(tx: PoolClient, group: SeriesGroup, from: EpochMs, until: EpochMs): Promise<RolledHour[]> {
  const { rows } = await tx.query<RolledHour>(
    `SELECT (extract(epoch FROM bucket) * 1000)::float8 AS hour, (SELECT sum(n) FROM unnest(counts) AS n)::float8 AS readings,
       EXISTS (SELECT FROM rollup_minute m WHERE m.device_id = $1 AND m.bucket >= r.bucket
         AND m.bucket < r.bucket + interval '1 hour' AND m.bucket >= $3 AND m.bucket < $4) AS "hasMinutes"
     FROM rollup_hour r WHERE device_id = $1 AND bucket >= $3 AND bucket < $4 AND metrics && $2::integer[]
     ORDER BY bucket LIMIT ${MONTH_HOURS}`,
    [group.device, group.metrics, timeText(from), timeText(until)],
  );
  return rows;
}

/** The first of these hours, as many as are done in one step. */
function fewOf(hours: readonly RolledHour[]): readonly RolledHour[] {
  let readings = 0;
  const end = hours.findIndex((one, i) => i === HOURS || (readings += one.readings) > READINGS);
  return end < 0 ? hours : hours.slice(0, Math.max(1, end));
}

const stretchesOf = (device: number, hours: readonly RolledHour[]) =>
  hours.map(({ hour }) => ({ device, from: hour, to: hour + HOUR }));

/** Writes the minutes of hours that have none. @returns false when there was nothing to make them of. */
async function makeMinutes(
  tx: PoolClient,
  cold: ColdReader,
  device: number,
  hours: readonly RolledHour[],
): Promise<boolean> {
  const blocks = (await readAllBlocks(tx, cold, stretchesOf(device, hours))).filter((block) => block !== null);
  await writeMinutes(tx, blocks);
  return blocks.length > 0;
}

/** Takes metrics out of hours that lie in PostgreSQL. @returns how many readings. */
async function takeOut(
  tx: PoolClient,
  device: number,
  metrics: readonly number[],
  hours: readonly RolledHour[],
): Promise<number> {
  const stored = await readBlocks(tx, stretchesOf(device, hours));
  const gone = stored.filter((block) => block.metrics.some((metric) => metrics.includes(metric)));
  let removed = 0;
  const fresh: Block[] = [];
  for (const block of gone) {
    const { times, values } = block;
    for (const [m, metric] of block.metrics.entries())
      if (metrics.includes(metric))
        for (let i = 0; i < times.length; i++) if (!Number.isNaN(values[m * times.length + i]!)) removed++;
    const left = withoutMetrics(block, metrics);
    if (left !== null) fresh.push(left);
  }
  await replaceBlocks(tx, gone, fresh);
  return removed;
}

/** Notes that nothing of the series before `time` is left. */
async function moveEdges(tx: PoolClient, { device, metrics }: SeriesGroup, keeps: Kept, time: EpochMs): Promise<void> {
  await tx.query(
    `INSERT INTO series_edge (device_id, metric_id, keeps, gone_before) SELECT $1, id, $3, $4 FROM metric WHERE id = ANY ($2::integer[])
     ON CONFLICT (device_id, metric_id, keeps) DO UPDATE SET gone_before = greatest(series_edge.gone_before, excluded.gone_before)`,
    [device, metrics, keeps, timeText(time)],
  );
}
