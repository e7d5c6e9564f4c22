import { LARGE_SUM, meanOfParts } from "@/server/domain/rollup";
import type { EpochMs } from "@/server/domain/terms";
import type { Column } from "./blocks";

/** One reading, or what is told of those in a bucket. */
export interface SeriesPoint {
  /** Start of the bucket, or the reading's event time, in epoch milliseconds. */
  readonly time: EpochMs;
  readonly count: number;
  readonly mean: number;
  readonly min: number;
  readonly max: number;
  readonly last: number;
}

/** A part of a bucket: what is added up of readings that are in no other part. */
export interface BucketPart {
  /** A time within the bucket. */
  readonly time: EpochMs;
  readonly count: number;
  readonly sum: number;
  /** The part of the sum that is kept times {@link LARGE_SUM}. */
  readonly large: number;
  readonly min: number;
  readonly max: number;
  readonly last: number;
  readonly lastAt: EpochMs;
}

type Growing = { -readonly [Key in keyof BucketPart]: BucketPart[Key] };

/** Points, and the event time of the newest reading in them; null when there is none. */
export interface Points {
  readonly points: readonly SeriesPoint[];
  readonly latest: EpochMs | null;
}

/** The largest value added up as it is; larger ones are added times LARGE_SUM, so that no sum leaves the doubles. */
export const ADDED_UP_TO = 1e290;

/** Buckets of one width, in milliseconds, that readings and rollups are added to in any order, each reading once. */
export function createBuckets(widthMs: number) {
  const buckets = new Map<EpochMs, Growing>();
  return {
    /** Takes a part over: it may become the bucket itself, as a copy of each costs more than all else. */
    addPart(part: Growing): void {
      const start = part.time - (part.time % widthMs);
      const bucket = buckets.get(start);
      if (bucket === undefined) {
        part.time = start;
        buckets.set(start, part);
        return;
      }
      bucket.count += part.count;
      bucket.sum += part.sum;
      bucket.large += part.large;
      if (part.min < bucket.min) bucket.min = part.min;
      if (part.max > bucket.max) bucket.max = part.max;
      if (part.lastAt > bucket.lastAt) {
        bucket.last = part.last;
        bucket.lastAt = part.lastAt;
      }
    },

    /** Adds readings, ascending in time. */
    addReadings({ times, values }: Column): void {
      for (let i = 0; i < times.length;) {
        const time = times[i]!;
        const end = time - (time % widthMs) + widthMs;
        const part = { time, count: 0, sum: 0, large: 0, min: Infinity, max: -Infinity, last: 0, lastAt: time };
        for (; i < times.length && times[i]! < end; i++) {
          const value = values[i]!;
          part.count++;
          if (Math.abs(value) <= ADDED_UP_TO) part.sum += value;
          else part.large += value * LARGE_SUM;
          if (value < part.min) part.min = value;
          if (value > part.max) part.max = value;
          part.last = value;
          part.lastAt = times[i]!;
        }
        this.addPart(part);
      }
    },

    points(): Points {
      let latest: EpochMs | null = null;
      const points = [...buckets.values()]
        .sort((a, b) => a.time - b.time)
        .map(({ time, count, sum, large, min, max, last, lastAt }) => {
          latest = lastAt;
          return { time, count, mean: meanOfParts(count, sum, large, min, max), min, max, last };
        });
      return { points, latest };
    },
  };
}

/** The readings themselves. */
export function pointsOf({ times, values }: Column): SeriesPoint[] {
  return Array.from(values, (value, i) => {
    return { time: times[i]!, count: 1, mean: value, min: value, max: value, last: value };
  });
}
