import type { Pool, PoolClient } from "pg";
import type { Sites } from "@/server/domain/access";
import type { EpochMs } from "@/server/domain/terms";
import { bucketWidth } from "@/server/domain/bucket-width";
import { ROLLUP_WIDTHS } from "@/server/domain/rollup";
import { withTransaction } from "@/server/postgres/transaction";
import { ColdUnavailableError } from "@/server/ports/cold-store";
import type { Column, Stretch } from "./blocks";
import { readAllColumnsOf } from "./cold/hot-and-cold";
import { type ColdReader, createColdReader } from "./cold/reader";
import { createBuckets, type Points, pointsOf, type SeriesPoint } from "./buckets";
import { endOfPart, extentOf, findHeldDevice, type HeldDevice, stretchesWithout } from "./held-hours";
import { type LastReading, readLastBefore } from "./last-before";
import { readMergedRollups } from "./merged-rollups";

/** A stretch of one series: [from, to) in epoch milliseconds. */
export interface SeriesQuery {
  /** Only of a device at one of these: of another there is nothing. */
  readonly sites: Sites;
  readonly device: number;
  readonly metric: number;
  readonly from: EpochMs;
  readonly to: EpochMs;
  readonly resolution: "auto" | "raw" | "minute" | "hour";
  readonly maxPoints: number;
}

export interface Series {
  /** The range the points cover. Buckets are whole, so this may reach beyond what was asked for. */
  readonly from: EpochMs;
  readonly to: EpochMs;
  readonly resolution: "raw" | "minute" | "hour";
  readonly bucketMs: number;
  readonly points: readonly SeriesPoint[];
  /** Event time of the newest reading counted; null when there is none. */
  readonly latest: EpochMs | null;
  /** The last reading before `from`; null where there is none, see readLastBefore. */
  readonly before: LastReading | null;
  /** Ingest time of the device's newest message when this was read: what came with or before it is counted. */
  readonly lastSeen: EpochMs | null;
  /** Whether readings of cold storage are in it; away: hour rollups took their place, since cold storage can't be reached. */
  readonly cold: "none" | "read" | "away";
}

const { minute: MINUTE, hour: HOUR } = ROLLUP_WIDTHS;
/** In a longer range the hour rollups tell whether there are too many readings to begin with reading them. */
const READ_AT_ONCE = 6 * HOUR;
/** More readings than this are never read one by one to draw a line: rollups take over. */
const MOST_READ = { auto: 25_000, raw: 100_000 } as const;
/** Moments read into memory at a time. */
const PART = 100_000;
/** Short stretches read at once: hours of one device that got late readings, or the hours under way of many. */
const PARTS = { one: 24, many: 200 } as const;

/**
 * Everything is read from one moment of the database, so that `latest` and `lastSeen` say exactly what is counted. The lock comes before that
 * moment: no month leaves the database after it.
 */
export const ONE_MOMENT = [
  "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY",
  "SET LOCAL jit = off",
  "LOCK TABLE sample IN ACCESS SHARE MODE",
] as const;

/** What is asked for of a device that is there. */
type Asked = Omit<SeriesQuery, "device" | "sites"> & { readonly device: HeldDevice; readonly cold: ColdUse };

/** Cold storage, and whether a query has read any of it. */
export interface ColdUse {
  readonly reader: ColdReader;
  isRead: boolean;
}

/** Reads a series with at most `maxPoints` points, keeping the extremes. Booleans are 0 and 1. */
export async function readSeries(
  pool: Pool,
  query: SeriesQuery,
  reader: ColdReader = createColdReader(null),
): Promise<Series> {
  return withTransaction(
    pool,
    async (client) => {
      const device = await findHeldDevice(client, query.device, query.sites);
      if (device === null) return { ...nothing(query), before: null, lastSeen: null, cold: "none" };
      const asked = { ...query, device, cold: { reader, isRead: false } };
      const { lastSeen } = device;
      const answered = async (series: Awaited<ReturnType<typeof read>>, cold: Series["cold"]): Promise<Series> => {
        const before = await readLastBefore(client, device, series.from, [query.metric]);
        return { ...series, before: before.get(query.metric) ?? null, lastSeen, cold };
      };
      try {
        const series = await read(client, asked);
        return await answered(series, asked.cold.isRead ? "read" : "none");
      } catch (error) {
        if (!(error instanceof ColdUnavailableError) || query.resolution !== "auto") throw error;
        return await answered(await read(client, { ...asked, resolution: "hour" }), "away");
      }
    },
    ONE_MOMENT,
  );
}

async function read(client: PoolClient, query: Asked): Promise<Omit<Series, "before" | "lastSeen" | "cold">> {
  const held = await extentOf(client, query.device, query.from, query.to);
  if (held === null) return nothing(query);
  const asked = { from: query.from, to: query.to };
  // Widths are chosen for where there is data: a range of decades over a day of readings still shows the day.
  const within = { ...query, from: Math.max(query.from, held.from), to: Math.min(query.to, held.to) };
  const fine = bucketWidth(within.from, within.to, query.maxPoints, 1);
  const found = await fewReadings(client, within, fine);
  if (found !== null && (await isComplete(client, within, length(found)))) {
    if (length(found) <= query.maxPoints) {
      const points = found.flatMap(pointsOf);
      return { ...asked, resolution: "raw", bucketMs: 0, points, latest: points.at(-1)?.time ?? null };
    }
    const buckets = createBuckets(fine);
    for (const column of found) buckets.addReadings(column);
    return { ...asked, resolution: "raw", bucketMs: fine, ...buckets.points() };
  }
  const chosen = rollupsFor(within);
  const merged = await fromRollups(client, within, chosen);
  const count = merged.points.reduce((sum, point) => sum + point.count, 0);
  const isWhole = chosen.resolution === "hour" || (await isComplete(client, { ...within, ...merged.range }, count));
  const { range, ...series } = isWhole
    ? merged
    : await fromRollups(client, within, rollupsFor({ ...within, resolution: "hour" }));
  return { ...series, from: Math.min(range.from, asked.from), to: Math.max(range.to, asked.to) };
}

function nothing({ from, to, resolution }: SeriesQuery | Asked): Omit<Series, "before" | "lastSeen" | "cold"> {
  const asked = resolution === "auto" ? "raw" : resolution;
  return { from, to, resolution: asked, bucketMs: 0, points: [], latest: null };
}

/** The rollups to draw from, and the points' width. */
function rollupsFor({ from, to, maxPoints, resolution }: Asked): { resolution: "minute" | "hour"; bucketMs: number } {
  if (resolution === "hour") return { resolution, bucketMs: bucketWidth(from, to, maxPoints, HOUR) };
  const bucketMs = bucketWidth(from, to, maxPoints, MINUTE);
  return { resolution: resolution !== "minute" && bucketMs % HOUR === 0 ? "hour" : "minute", bucketMs };
}

async function fromRollups(client: PoolClient, query: Asked, { resolution, bucketMs }: ReturnType<typeof rollupsFor>) {
  const range = {
    from: Math.floor(query.from / bucketMs) * bucketMs,
    to: Math.ceil(query.to / bucketMs) * bucketMs,
  };
  return { range, resolution, bucketMs, ...(await readBuckets(client, { ...query, ...range }, bucketMs)) };
}

/** Tells whether the readings counted in a range are all there were: hour rollups may be kept for longer than what they were made from. */
async function isComplete(client: PoolClient, query: Asked, count: number): Promise<boolean> {
  const inside = { ...query, from: Math.ceil(query.from / HOUR) * HOUR, to: Math.floor(query.to / HOUR) * HOUR };
  if (count > 0) return inside.from >= inside.to || count >= (await countRolled(client, inside));
  // None at all: either there were none then, or those of the hours around are gone, too.
  const around = {
    device: query.device.key,
    from: Math.floor(query.from / HOUR) * HOUR,
    to: Math.ceil(query.to / HOUR) * HOUR,
  };
  let left = await countRolled(client, { ...query, ...around, device: query.device });
  if (left === 0) return true;
  for await (const { times } of readings(client, query, [around])) {
    left -= times.length;
    if (left <= 0) return true;
  }
  return false;
}

/**
 * Reads the readings themselves, in order, where the points are made from them: at most as many as there may be points, or from which buckets of
 * `fine` ms below a minute are made. Null: rollups are to be taken.
 */
async function fewReadings(client: PoolClient, query: Asked, fine: number): Promise<Column[] | null> {
  const { resolution, from, to, maxPoints } = query;
  if (resolution === "minute" || resolution === "hour") return null;
  // Rollups hold the same figures from a minute on, and hundreds of rows instead of millions.
  const most = fine < MINUTE ? MOST_READ[resolution] : Math.min(maxPoints, MOST_READ[resolution]);
  if (to - from > READ_AT_ONCE && (await countRolled(client, query)) > most) return null;
  const found: Column[] = [];
  for await (const column of readings(client, query, [{ device: query.device.key, from, to }])) {
    found.push(column);
    if (length(found) > most) return null;
  }
  return found;
}

/** Counts the readings in those of the hours touched that have rollups. */
async function countRolled(client: PoolClient, { device, metric, from, to }: Asked): Promise<number> {
  const { rows } = await client.query<{ n: number }>(
    `SELECT coalesce(sum(counts[array_position(metrics, $2)]), 0)::float8 AS n
     FROM rollup_hour WHERE device_id = $1 AND bucket >= $3 AND bucket < $4`,
    [device.key, metric, new Date(Math.floor(from / HOUR) * HOUR), new Date(to)],
  );
  return rows[0]!.n;
}

/** Reads a metric's readings in some stretches of a device, a part at a time. */
async function* readings(
  client: PoolClient,
  { device, metric, cold }: Pick<Asked, "device" | "metric" | "cold">,
  stretches: readonly Stretch[],
): AsyncGenerator<Column> {
  const devices = new Map([[device.key, device]]);
  for await (const { column } of readingsOf(client, { devices, metric, cold }, stretches)) yield column;
}

/** Reads a metric's readings in some stretches of devices, a part at a time: of bounded size, however long the stretches are. */
export async function* readingsOf(
  client: PoolClient,
  { devices, metric, cold }: { devices: ReadonlyMap<number, HeldDevice>; metric: number; cold: ColdUse },
  stretches: readonly Stretch[],
): AsyncGenerator<{ readonly device: number; readonly column: Column }> {
  const most = devices.size === 1 ? PARTS.one : PARTS.many;
  let parts: Stretch[] = [];
  async function* read(): AsyncGenerator<{ device: number; column: Column }> {
    const { columns, isCold } = await readAllColumnsOf(client, cold.reader, [metric], parts);
    if (isCold.includes(true)) cold.isRead = true;
    for (const [i, one] of columns.entries()) yield { device: parts[i]!.device, column: one.get(metric)! };
    parts = [];
  }
  for (const { device, from: begin, to } of stretches) {
    for (let from = begin; from < to;) {
      const end = await endOfPart(client, devices.get(device)!, { from, to, most: PART });
      parts.push({ device, from, to: end });
      if (end < to || parts.length === most) yield* read();
      from = end;
    }
  }
  yield* read();
}

function length(columns: readonly Column[]): number {
  return columns.reduce((sum, { times }) => sum + times.length, 0);
}

/**
 * Reads buckets of a number of minutes: from rollups where they are kept, and elsewhere from the readings.
 * @param query.from a start of a bucket, as is query.to.
 */
export async function readBuckets(
  client: PoolClient,
  query: Pick<Asked, "device" | "metric" | "from" | "to" | "cold">,
  bucketMs: number,
): Promise<Points> {
  const source = bucketMs % HOUR === 0 ? "hour" : "minute";
  const buckets = createBuckets(bucketMs);
  const rolled = { ...query, source, devices: [query.device.key], bucketMs } as const;
  for (const part of await readMergedRollups(client, rolled)) buckets.addPart(part);
  const rest = await stretchesWithout(client, source, [query.device], query.from, query.to);
  for await (const column of readings(client, query, rest)) buckets.addReadings(column);
  return buckets.points();
}
