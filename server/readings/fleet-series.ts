import type { Pool, PoolClient } from "pg";
import type { Sites } from "@/server/domain/access";
import { bucketWidth } from "@/server/domain/bucket-width";
import { ROLLUP_WIDTHS } from "@/server/domain/rollup";
import type { EpochMs } from "@/server/domain/terms";
import { ColdUnavailableError } from "@/server/ports/cold-store";
import { withTransaction } from "@/server/postgres/transaction";
import { createBuckets, type SeriesPoint } from "./buckets";
import { type ColdReader, createColdReader } from "./cold/reader";
import { findHeldDevices, type HeldDevice, stretchesWithout } from "./held-hours";
import { type LastReading, readLastBefore } from "./last-before";
import { readMergedRollups } from "./merged-rollups";
import { QUARTER } from "./quarters";
import { readRollupParts } from "./rollup-parts";
import { type ColdUse, ONE_MOMENT, readingsOf, type Series } from "./reading-queries";

const { minute: MINUTE, hour: HOUR } = ROLLUP_WIDTHS;

/** Up to so many minutes of all devices together the steps are made from minutes and readings; hours take over. */
const MOST_MINUTES = 300_000;
/** Up to so many seconds of all devices together the steps may be shorter than a minute. */
const MOST_SECONDS = 200_000;
/** A range is narrowed to where there is data so often at most. */
const NARROWED = 2;

/** One metric of several devices within [from, to). */
export interface FleetQuery {
  /** Only devices at one of these: of others there is nothing. */
  readonly sites: Sites;
  readonly devices: readonly number[];
  readonly metric: number;
  readonly from: EpochMs;
  readonly to: EpochMs;
  /** At most so many steps; or the width of a step, in ms, as an answer before had it. */
  readonly steps: { readonly most: number } | { readonly bucketMs: number };
  /** Finds the last value of each step, too. */
  readonly withLast: boolean;
  /** Finds what each device's value was before, and until when its last one holds, too: of what is sent only when it changes. */
  readonly withHeld?: boolean;
}

/** What one device's series was. */
interface DeviceSeries {
  /** By time; `last` is NaN unless it was asked for. */
  readonly points: readonly SeriesPoint[];
  /** The newest reading. */
  readonly last: number;
  readonly lastAt: EpochMs;
}

export interface FleetSeries extends Pick<Series, "resolution" | "cold"> {
  /** The range the steps cover, which are whole: it may reach beyond what was asked for. */
  readonly from: EpochMs;
  readonly to: EpochMs;
  readonly bucketMs: number;
  /** By device; those without a reading are left out. */
  readonly series: ReadonlyMap<number, DeviceSeries>;
  /** By device, if that was asked for. */
  readonly held: ReadonlyMap<number, Held>;
}

/** A value that holds until there is another. */
export interface Held {
  /** The last reading before `from`; null where there is none, see readLastBefore. */
  readonly before: LastReading | null;
  /** Event time of the device's newest reading of whatever metric; null: not known. */
  readonly until: EpochMs | null;
}

type Asked = Omit<FleetQuery, "devices" | "sites"> & {
  readonly devices: ReadonlyMap<number, HeldDevice>;
  readonly cold: ColdUse;
};
type Width = Pick<FleetSeries, "resolution" | "bucketMs">;
type Found = Omit<FleetSeries, "cold" | "held">;

/**
 * Reads one metric of several devices in steps of one width: from rollups as far as they go, and from the readings of the hours that have none, so that
 * each step equals a recount. All is read from one moment of the database.
 */
export async function readFleetSeries(
  pool: Pool,
  { sites, devices: keys, ...query }: FleetQuery,
  reader: ColdReader = createColdReader(null),
): Promise<FleetSeries> {
  return withTransaction(
    pool,
    async (client) => {
      const devices = await findHeldDevices(client, keys, sites);
      const asked = { ...query, devices, cold: { reader, isRead: false } };
      try {
        const found = await readNarrowed(client, asked);
        return { ...found, held: await readHeld(client, asked, found.from), cold: asked.cold.isRead ? "read" : "none" };
      } catch (error) {
        if (!(error instanceof ColdUnavailableError)) throw error;
        const found = await readWhole(client, asked, hours(asked));
        return { ...found, held: await readHeld(client, asked, found.from), cold: "away" };
      }
    },
    ONE_MOMENT,
  );
}

async function readHeld(
  client: PoolClient,
  { devices, metric, withHeld }: Asked,
  from: EpochMs,
): Promise<Map<number, Held>> {
  const held = new Map<number, Held>();
  if (!withHeld) return held;
  for (const device of devices.values()) {
    const before = (await readLastBefore(client, device, from, [metric])).get(metric) ?? null;
    held.set(device.key, { before, until: device.lastEventTime });
  }
  return held;
}

/** Chooses the width for where there is data: a range of decades over a day of readings still shows the day. */
async function readNarrowed(client: PoolClient, asked: Asked): Promise<Found> {
  let found = await readWhole(client, asked, widthFor(asked));
  for (let times = 0; times < NARROWED && "most" in asked.steps && found.series.size > 0; times++) {
    const within = { ...asked, ...extentOf(found, asked) };
    const width = widthFor(within);
    if (width.bucketMs >= found.bucketMs) break;
    found = await readWhole(client, within, width);
  }
  const { from, to, bucketMs } = found;
  const beginOf = (time: EpochMs) => time - (time % bucketMs);
  return { ...found, from: Math.min(from, beginOf(asked.from)), to: Math.max(to, beginOf(asked.to - 1) + bucketMs) };
}

/** The stretch of what was asked for that has steps with readings. */
function extentOf({ series, bucketMs }: Found, { from, to }: Asked): { from: EpochMs; to: EpochMs } {
  let [first, end] = [Infinity, -Infinity];
  for (const { points } of series.values()) {
    first = Math.min(first, points[0]!.time);
    end = Math.max(end, points.at(-1)!.time + bucketMs);
  }
  return { from: Math.max(from, first), to: Math.min(to, end) };
}

function widthFor({ from, to, steps, devices }: Asked): Width {
  const together = (to - from) * devices.size;
  const base = together <= MOST_SECONDS * 1000 ? 1000 : together <= MOST_MINUTES * MINUTE ? MINUTE : HOUR;
  const bucketMs = "bucketMs" in steps ? steps.bucketMs : bucketWidth(from, to, steps.most, base);
  return { bucketMs, resolution: bucketMs % HOUR === 0 ? "hour" : bucketMs % MINUTE === 0 ? "minute" : "raw" };
}

function hours({ from, to, steps }: Asked): Width {
  const bucketMs = "most" in steps ? bucketWidth(from, to, steps.most, HOUR) : Math.ceil(steps.bucketMs / HOUR) * HOUR;
  return { bucketMs, resolution: "hour" };
}

/** Reads steps of a width; where hour rollups tell of more readings than there are left, in steps of hours instead. */
async function readWhole(client: PoolClient, asked: Asked, width: Width): Promise<Found> {
  const found = await readSteps(client, asked, width);
  if (width.resolution === "hour" || (await isComplete(client, asked, found))) return found;
  return readSteps(client, asked, hours(asked));
}

async function readSteps(client: PoolClient, asked: Asked, { bucketMs, resolution }: Width): Promise<Found> {
  const { metric, devices, withLast } = asked;
  const from = Math.floor(asked.from / bucketMs) * bucketMs;
  const to = Math.ceil(asked.to / bucketMs) * bucketMs;
  const keys = [...devices.keys()];
  const buckets = new Map(keys.map((key) => [key, createBuckets(bucketMs)]));
  const held = [...devices.values()];
  let rest = keys.map((device) => ({ device, from, to }));
  let newest: ReadonlyMap<number, Newest> = new Map();
  if (resolution !== "raw") {
    const rolled = { devices: keys, metric, from, to };
    if (withLast)
      for (const part of await readMergedRollups(client, { ...rolled, source: resolution, bucketMs }))
        buckets.get(part.device)!.addPart(part);
    else {
      const source = bucketMs % QUARTER === 0 ? "quarter" : resolution;
      await readRollupParts(client, source, rolled, (part) => buckets.get(part.device)!.addPart(part));
      newest = await readNewest(client, resolution, asked, from, to);
    }
    rest = await stretchesWithout(client, resolution, held, from, to);
  }
  const latest = new Map(newest);
  for await (const { device, column } of readingsOf(client, asked, rest)) {
    buckets.get(device)!.addReadings(column);
    const at = column.times.at(-1);
    if (at !== undefined && at > (latest.get(device)?.lastAt ?? -Infinity))
      latest.set(device, { last: column.values.at(-1)!, lastAt: at });
  }
  const series = new Map<number, DeviceSeries>();
  for (const [key, own] of buckets) {
    const { points, latest: lastAt } = own.points();
    if (points.length === 0) continue;
    series.set(key, { points, ...(withLast ? { last: points.at(-1)!.last, lastAt: lastAt! } : latest.get(key)!) });
  }
  return { from, to, bucketMs, resolution, series };
}

type Newest = Pick<DeviceSeries, "last" | "lastAt">;

/** The last values of devices' newest rollups within [from, to). */
async function readNewest(
  client: PoolClient,
  source: "minute" | "hour",
  { devices, metric }: Pick<Asked, "devices" | "metric">,
  from: EpochMs,
  to: EpochMs,
): Promise<ReadonlyMap<number, Newest>> {
  const { rows } = await client.query<Newest & { device: number }>(
    `SELECT device, lasts[i] AS last, (extract(epoch FROM bucket) * 1000)::float8 + last_at[i] AS "lastAt"
     FROM unnest($1::integer[]) AS device CROSS JOIN LATERAL (
       SELECT bucket, lasts, last_at, array_position(metrics, $2) AS i FROM rollup_${source}
       WHERE device_id = device AND bucket >= $3 AND bucket < $4 AND metrics @> ARRAY[$2::integer] ORDER BY bucket DESC LIMIT 1) AS newest`,
    [[...devices.keys()], metric, new Date(from), new Date(to)],
  );
  return new Map(rows.map(({ device, last, lastAt }) => [device, { last, lastAt }]));
}

/** Tells whether the readings counted are all there were: hour rollups may be kept for longer than what they were made from. */
async function isComplete(client: PoolClient, asked: Asked, { from, to, series }: Found): Promise<boolean> {
  const { devices, metric } = asked;
  const counts = new Map<number, number>();
  for (const [key, { points }] of series)
    counts.set(
      key,
      points.reduce((sum, { count }) => sum + count, 0),
    );
  const inside = { from: Math.ceil(from / HOUR) * HOUR, to: Math.floor(to / HOUR) * HOUR };
  if (inside.from < inside.to)
    for (const [key, count] of await countRolled(client, [...devices.keys()], metric, inside))
      if (count > (counts.get(key) ?? 0)) return false;
  // Of a device with none at all: either there were none then, or those of the hours around are gone, too.
  const none = [...devices.keys()].filter((key) => !counts.has(key));
  const around = { from: Math.floor(from / HOUR) * HOUR, to: Math.ceil(to / HOUR) * HOUR };
  const left = new Map(await countRolled(client, none, metric, around));
  const stretches = [...left.keys()].map((device) => ({ device, ...around }));
  for await (const { device, column } of readingsOf(client, asked, stretches))
    left.set(device, left.get(device)! - column.times.length);
  return [...left.values()].every((count) => count <= 0);
}

/** Counts the readings of devices in hours that have rollups of the metric; devices without such are left out. */
async function countRolled(
  client: PoolClient,
  devices: readonly number[],
  metric: number,
  { from, to }: { readonly from: EpochMs; readonly to: EpochMs },
): Promise<[device: number, count: number][]> {
  if (devices.length === 0) return [];
  const { rows } = await client.query<[number, number]>({
    rowMode: "array",
    text: `SELECT device_id, sum(counts[array_position(metrics, $2)])::float8 FROM rollup_hour
           WHERE device_id = ANY ($1::integer[]) AND bucket >= $3 AND bucket < $4 AND metrics @> ARRAY[$2::integer] GROUP BY 1`,
    values: [devices, metric, new Date(from), new Date(to)],
  });
  return rows;
}
