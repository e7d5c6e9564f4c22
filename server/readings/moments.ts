import type { Pool, PoolClient } from "pg";
import type { EpochMs } from "@/server/domain/terms";
import type { Sample } from "@/server/ports/commit-batch";
import { readColdBlocks } from "./cold/hot-and-cold";
import type { ColdReader } from "./cold/reader";
import { type Block, HOUR, hourOf, readBlocks, readBlockTimes, type Stretch } from "./blocks";

/** A batch's readings of one device at one event time, in the order of the log. */
export interface Moment {
  readonly deviceId: number;
  readonly time: EpochMs;
  readonly samples: readonly Sample[];
}

/** The block a moment lies in, and its place there. */
export interface Holder {
  readonly block: Block;
  readonly at: number;
}

/** The moments of a batch, by device and time. */
export function momentsOf(samples: readonly Sample[]): Moment[] {
  const byDevice = new Map<number, Sample[]>();
  for (const sample of samples) {
    const own = byDevice.get(sample.deviceId);
    if (own) own.push(sample);
    else byDevice.set(sample.deviceId, [sample]);
  }
  const moments: Moment[] = [];
  for (const [deviceId, own] of [...byDevice].sort(([a], [b]) => a - b)) {
    own.sort((a, b) => a.time - b.time);
    for (let from = 0; from < own.length;) {
      const { time } = own[from]!;
      let to = from + 1;
      while (to < own.length && own[to]!.time === time) to++;
      moments.push({ deviceId, time, samples: to === from + 1 ? [own[from]!] : own.slice(from, to) });
      from = to;
    }
  }
  return moments;
}

/**
 * Finds the blocks that hold any of `moments`, which are in order of device and time. Looks at the times of the blocks that may, and
 * reads the values of those that do: repeats and what comes out of order are mostly recent, where blocks are small.
 */
export async function findMoments<Key extends Pick<Sample, "deviceId" | "time">>(
  client: Pool | PoolClient,
  moments: readonly Key[],
): Promise<Map<Key, Holder>> {
  const found = new Map<Key, Holder>();
  if (moments.length === 0) return found;
  const wanted = new Map<string, { stretch: Stretch; keys: Map<EpochMs, Key[]> }>();
  for (const key of moments) {
    const hour = hourOf(key.time);
    const name = `${key.deviceId} ${hour}`;
    const there = wanted.get(name);
    const keys = there?.keys ?? new Map<EpochMs, Key[]>();
    const from = Math.min(there?.stretch.from ?? Infinity, key.time);
    wanted.set(name, { stretch: { device: key.deviceId, from, to: hour + HOUR }, keys });
    keys.set(key.time, [...(keys.get(key.time) ?? []), key]);
  }
  const stretches = [...wanted.values()].map(({ stretch }) => stretch);
  const holding = (await readBlockTimes(client, stretches)).filter(({ device, times }) => {
    const { keys } = wanted.get(`${device} ${hourOf(times[0]!)}`)!;
    return times.some((time) => keys.has(time));
  });
  const exact = holding.map(({ device, times }) => ({ device, from: times.at(-1)!, to: times.at(-1)! + 1 }));
  for (const block of await readBlocks(client, exact)) {
    const { keys } = wanted.get(`${block.device} ${hourOf(block.times[0]!)}`)!;
    for (const [at, time] of block.times.entries())
      for (const key of keys.get(time) ?? []) found.set(key, { block, at });
  }
  return found;
}

/** Reads what cold storage has at each of `moments`, by metric. */
export async function findColdReadings<Key extends Pick<Sample, "deviceId" | "time">>(
  client: Pool | PoolClient,
  cold: ColdReader,
  moments: readonly Key[],
): Promise<Map<Key, ReadonlyMap<number, number>>> {
  const found = new Map<Key, ReadonlyMap<number, number>>();
  const noneFrom = cold.noneFrom();
  const old = moments.filter(({ time }) => time < noneFrom);
  if (old.length === 0) return found;
  const hours = new Map<string, { stretch: Stretch; keys: Key[] }>();
  for (const key of old) {
    const hour = hourOf(key.time);
    const name = `${key.deviceId} ${hour}`;
    const there = hours.get(name);
    if (there) there.keys.push(key);
    else hours.set(name, { stretch: { device: key.deviceId, from: hour, to: hour + HOUR }, keys: [key] });
  }
  const wanted = [...hours.values()];
  const stretches = wanted.map(({ stretch }) => stretch);
  for (const [i, blocks] of (await readColdBlocks(client, cold, stretches)).entries()) {
    if (blocks.length === 0) continue;
    for (const key of wanted[i]!.keys) {
      const readings = new Map<number, number>();
      for (const block of blocks) {
        const at = block.times.indexOf(key.time);
        if (at >= 0) for (const [metric, value] of readingsAt({ block, at })) readings.set(metric, value);
      }
      if (readings.size > 0) found.set(key, readings);
    }
  }
  return found;
}

/** The values at a moment, by metric. */
export function readingsAt({ block, at }: Holder): Map<number, number> {
  const readings = new Map<number, number>();
  for (const [m, metric] of block.metrics.entries()) {
    const value = block.values[m * block.times.length + at]!;
    if (!Number.isNaN(value)) readings.set(metric, value);
  }
  return readings;
}
