import type { Pool, PoolClient } from "pg";
import type { Sites } from "@/server/domain/access";
import { bucketWidth } from "@/server/domain/bucket-width";
import { LARGE_SUM, ROLLUP_WIDTHS } from "@/server/domain/rollup";
import type { EpochMs } from "@/server/domain/terms";
import { ColdUnavailableError } from "@/server/ports/cold-store";
import { withTransaction } from "@/server/postgres/transaction";
import { type Block, type Column, hourOf, type Stretch } from "./blocks";
import { ADDED_UP_TO, type BucketPart, createBuckets, type SeriesPoint } from "./buckets";
import { readAllBlocks } from "./cold/hot-and-cold";
import { type ColdReader, createColdReader } from "./cold/reader";
import { endOfPart, extentOf, findHeldDevice, type HeldDevice, stretchesWithout } from "./held-hours";
import { type LastReading, readLastBefore } from "./last-before";
import { ONE_MOMENT } from "./reading-queries";
import { readTextRuns, type TextHistory } from "./text-history";

const { minute: MINUTE, hour: HOUR } = ROLLUP_WIDTHS;

/** Moments of a device that are read one by one at most to draw buckets finer than a minute. */
const MOST_READ = 10_000;
/** Moments read into memory at a time. */
const PART = 50_000;

interface StripsQuery {
  /** Only of a device at one of these: of another there is nothing. */
  readonly sites: Sites;
  readonly device: number;
  readonly from: EpochMs;
  readonly to: EpochMs;
  readonly maxPoints: number;
}

/** All metrics of a device over one stretch, in buckets of one width. */
export interface Strips {
  /** The range the buckets cover, which are whole: it may reach beyond what was asked for. Within it there is nothing before `first`. */
  readonly from: EpochMs;
  readonly to: EpochMs;
  readonly bucketMs: number;
  /** By metric, in order of time. */
  readonly points: ReadonlyMap<number, { readonly points: readonly SeriesPoint[]; readonly latest: EpochMs | null }>;
  /** By metric, the last reading before `from`. */
  readonly before: ReadonlyMap<number, LastReading>;
  /** What its fields of words said in the stretch that was asked for. */
  readonly texts: readonly TextHistory[];
  /** Ingest time of the device's newest message that is counted; null when there was none. */
  readonly lastSeen: EpochMs | null;
}

type Asked = Omit<StripsQuery, "device" | "sites"> & { readonly device: HeldDevice; readonly cold: ColdReader };

/** Reads every metric and text of a device at once: rollups as far as they go, and the readings of the hours that have none. */
export async function readStrips(
  pool: Pool,
  { sites, device: key, ...query }: StripsQuery,
  cold: ColdReader = createColdReader(null),
): Promise<Strips> {
  return withTransaction(
    pool,
    async (client) => {
      const device = await findHeldDevice(client, key, sites);
      const texts = device === null ? [] : await readTextRuns(client, { device: key, from: query.from, to: query.to });
      const held = device && (await extentOf(client, device, query.from, query.to));
      if (!device || !held) {
        const before = device ? await readLastBefore(client, device, query.from) : new Map();
        return { ...query, bucketMs: MINUTE, points: new Map(), before, texts, lastSeen: device?.lastSeen ?? null };
      }
      const within = { from: Math.max(query.from, held.from), to: Math.min(query.to, held.to) };
      const asked = { ...query, ...within, device, cold };
      const strips = await readFine(client, asked).catch((error: unknown) => {
        if (!(error instanceof ColdUnavailableError)) throw error;
        return readWide(client, asked, HOUR);
      });
      const range = { from: Math.min(strips.from, query.from), to: Math.max(strips.to, query.to) };
      const before = await readLastBefore(client, device, range.from);
      return { ...strips, ...range, before, texts, lastSeen: device.lastSeen };
    },
    ONE_MOMENT,
  );
}

async function readFine(client: PoolClient, asked: Asked) {
  const { device, from, to, maxPoints } = asked;
  const bucketMs = bucketWidth(from, to, maxPoints, 1000);
  if (bucketMs >= MINUTE) return readWide(client, asked, MINUTE);
  const end = await endOfPart(client, device, { from, to, most: MOST_READ });
  if (end < to) return readWide(client, asked, MINUTE);
  const buckets = bucketsOf(bucketMs);
  await addReadings(client, asked, [{ device: device.key, from, to }], buckets);
  return { from, to, bucketMs, points: buckets.points() };
}

async function readWide(client: PoolClient, asked: Asked, base: number) {
  const bucketMs = bucketWidth(asked.from, asked.to, asked.maxPoints, base);
  const source = bucketMs % HOUR === 0 ? "hour" : "minute";
  const from = Math.floor(asked.from / bucketMs) * bucketMs;
  const to = Math.ceil(asked.to / bucketMs) * bucketMs;
  const buckets = bucketsOf(bucketMs);
  for (const { metric, ...part } of await rolledUp(client, source, asked.device, from, to, bucketMs))
    buckets.of(metric).addPart(part);
  const rest = await stretchesWithout(client, source, [asked.device], from, to);
  await addReadings(client, asked, rest, buckets);
  return { from, to, bucketMs, points: buckets.points() };
}

function bucketsOf(bucketMs: number) {
  const byMetric = new Map<number, ReturnType<typeof createBuckets>>();
  return {
    of(metric: number) {
      let buckets = byMetric.get(metric);
      if (buckets === undefined) byMetric.set(metric, (buckets = createBuckets(bucketMs)));
      return buckets;
    },
    points: () => new Map([...byMetric].map(([metric, buckets]) => [metric, buckets.points()])),
  };
}

async function addReadings(
  client: PoolClient,
  { device, cold }: Asked,
  stretches: readonly Stretch[],
  buckets: ReturnType<typeof bucketsOf>,
): Promise<void> {
  for (const { from: begin, to } of stretches) {
    for (let from = begin; from < to;) {
      const end = await endOfPart(client, device, { from, to, most: PART });
      // Blocks are told apart by their last moment: whole hours have all of theirs.
      const hours = { from: hourOf(from), to: Math.ceil(end / HOUR) * HOUR };
      const [block] = await readAllBlocks(client, cold, [{ device: device.key, ...hours }]);
      for (const [m, metric] of (block?.metrics ?? []).entries()) {
        buckets.of(metric).addReadings(columnOf(block!, m, from, end));
      }
      from = end;
    }
  }
}

/** The readings of the m-th metric of a block within [from, to): not every moment has one of it. */
function columnOf({ times, values }: Block, m: number, from: EpochMs, to: EpochMs): Column {
  const [kept, own]: [number[], number[]] = [[], []];
  for (const [i, time] of times.entries()) {
    const value = values[m * times.length + i]!;
    if (time < from || time >= to || Number.isNaN(value)) continue;
    kept.push(time);
    own.push(value);
  }
  return { times: Float64Array.from(kept), values: Float64Array.from(own) };
}

/** The rollups of all metrics that are kept, those within one bucket made one. PostgreSQL fails where a sum or product leaves the doubles. */
async function rolledUp(
  client: PoolClient,
  source: "minute" | "hour",
  device: HeldDevice,
  from: EpochMs,
  to: EpochMs,
  bucketMs: number,
): Promise<(BucketPart & { metric: number })[]> {
  const { rows } = await client.query<BucketPart & { metric: number }>(
    `SELECT metric, (extract(epoch FROM start) * 1000)::float8 AS time, sum(n)::float8 AS count,
       coalesce(sum(sum) FILTER (WHERE NOT is_large AND abs(sum) <= $5), 0) AS sum,
       coalesce(sum(CASE WHEN is_large THEN sum ELSE sum * $6::float8 END) FILTER (WHERE is_large OR abs(sum) > $5), 0) AS large,
       min(min) AS min, max(max) AS max, (array_agg(last ORDER BY bucket DESC))[1] AS last,
       (extract(epoch FROM max(bucket)) * 1000)::float8 + (array_agg(last_at ORDER BY bucket DESC))[1] AS "lastAt"
     FROM (
       SELECT date_bin($4 * interval '1 ms', bucket, to_timestamp(0)) AS start, bucket, one.*,
         greatest(abs(min), abs(max)) > $7::float8 / n AS is_large
       FROM rollup_${source} CROSS JOIN LATERAL
         unnest(metrics, counts, sums, mins, maxs, lasts, last_at) AS one (metric, n, sum, min, max, last, last_at)
       WHERE device_id = $1 AND bucket >= $2 AND bucket < $3) AS part
     GROUP BY metric, start`,
    [device.key, new Date(from), new Date(to), bucketMs, ADDED_UP_TO, LARGE_SUM, Number.MAX_VALUE / 2],
  );
  return rows;
}
