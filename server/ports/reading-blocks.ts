import type { EpochMs } from "@/server/domain/terms";
import type { Sample, WrittenSamples } from "./commit-batch";

/** Moments of one device, metric after metric: the value of metrics[m] at times[i] is values[m * times.length + i], NaN if there is none. */
export interface ReadingBlock {
  readonly device: number;
  readonly times: ArrayLike<number>;
  readonly metrics: readonly number[];
  readonly values: ArrayLike<number>;
}

/** What the rollup of an hour tells of a series. */
export interface HourPart {
  readonly hour: EpochMs;
  readonly count: number;
  readonly min: number;
  readonly max: number;
  readonly first: number;
  readonly firstTime: EpochMs;
  readonly last: number;
  readonly lastTime: EpochMs;
}

/** Readings that a batch brings: the metrics, by device and time. */
export type Coming = ReadonlyMap<number, ReadonlyMap<EpochMs, readonly number[]>>;

/** The readings of these devices that are new with a batch. */
export function comingOf({ added }: WrittenSamples, ids: ReadonlySet<number>): Coming {
  const coming = new Map<number, Map<EpochMs, readonly number[]>>();
  for (const { deviceId, time, metrics } of added) {
    if (!ids.has(deviceId)) continue;
    const own = coming.get(deviceId) ?? new Map<EpochMs, readonly number[]>();
    coming.set(deviceId, own.set(time, metrics));
  }
  return coming;
}

/** The readings of blocks, by device and time, without those that are about to be judged. */
export function samplesOf(blocks: readonly ReadingBlock[], coming?: Coming): Map<number, Sample[]> {
  const byDevice = new Map<number, Map<EpochMs, { metrics: number[]; values: number[] }>>();
  for (const { device, times, metrics, values } of blocks) {
    const own = byDevice.get(device) ?? new Map<EpochMs, { metrics: number[]; values: number[] }>();
    byDevice.set(device, own);
    for (let i = 0; i < times.length; i++) {
      const time = times[i]!;
      const left = coming?.get(device)?.get(time);
      const moment = own.get(time) ?? { metrics: [], values: [] };
      for (const [m, metric] of metrics.entries()) {
        const value = values[m * times.length + i]!;
        if (Number.isNaN(value) || left?.includes(metric)) continue;
        moment.metrics.push(metric);
        moment.values.push(value);
      }
      if (moment.metrics.length > 0) own.set(time, moment);
    }
  }
  return new Map(
    [...byDevice].map(([deviceId, own]) => [
      deviceId,
      [...own].sort(([a], [b]) => a - b).map(([time, moment]) => ({ deviceId, time, ...moment })),
    ]),
  );
}
