import type { PoolClient } from "pg";
import type { Conflict, DeviceHistory, Sample, WrittenSamples } from "@/server/ports/commit-batch";
import { type Block, hourOf, type DeviceHour } from "./blocks";
import { blockOf } from "./block-changes";
import { replaceBlocks } from "./block-writes";
import { type ColdReader, createColdReader } from "./cold/reader";
import { markLate } from "./hours";
import { refuseRemoved } from "./retention";
import { refuseRemovedSeries } from "./series-edges";
import { findColdReadings, findMoments, type Holder, momentsOf, type Moment, readingsAt } from "./moments";

const NO_HISTORY: DeviceHistory = { latest: null, rolledUntil: null };

/**
 * Writes what is new of `samples`: one block a device and hour. The first value stored at a device, metric and event time
 * stays: the same value again is a duplicate, another one a conflict, however the samples fell into batches.
 * @param devices the samples' devices, whose rows the transaction has locked: later times than their latest can't be there yet.
 * @param cold what is stored there is judged just the same; what is new beside it is kept here until its month is moved again.
 * @throws UnavailableError when a new one is of a time whose readings were just removed: it has to be judged again whether it is taken.
 */
export async function writeSamples(
  tx: PoolClient,
  samples: readonly Sample[],
  devices: ReadonlyMap<number, DeviceHistory>,
  cold: ColdReader = createColdReader(null),
): Promise<WrittenSamples> {
  const historyOf = (device: number) => devices.get(device) ?? NO_HISTORY;
  const moments = momentsOf(samples);
  const mayBeThere = moments.filter(({ deviceId, time }) => time <= (historyOf(deviceId).latest ?? -1));
  const stored = await findMoments(tx, mayBeThere);
  const elsewhere = await findColdReadings(tx, cold, mayBeThere);
  const added: Sample[] = [];
  const inserts: Sample[] = [];
  const extended = new Map<Block, Sample[]>();
  const conflicts: Conflict[] = [];
  let duplicates = 0;
  let late = 0;
  for (const moment of moments) {
    const there = stored.get(moment);
    const fresh = freshOf(moment, there, elsewhere.get(moment), conflicts);
    duplicates += fresh.duplicates;
    if (fresh.sample.metrics.length === 0) continue;
    added.push(fresh.sample);
    if (moment.time < (historyOf(moment.deviceId).latest ?? -1)) late += fresh.sample.metrics.length;
    if (!there) inserts.push(fresh.sample);
    else if (!extended.get(there.block)?.push(fresh.sample)) extended.set(there.block, [fresh.sample]);
  }
  const blocks = [...blocksOf(inserts), ...[...extended].map(([block, more]) => extend(block, more))];
  await replaceBlocks(tx, [...extended.keys()], blocks);
  await markLate(tx, lateHours(blocks, historyOf));
  if (blocks.length > 0) await refuseRemoved(tx, Math.min(...blocks.map(({ times }) => times[0]!)));
  await refuseRemovedSeries(tx, added);
  return { added, duplicates, conflicts, late };
}

/** Returns what is new at a moment where something is stored already, perhaps; values that differ from the one that stays are added to `conflicts`. */
function freshOf(
  { deviceId, time, samples }: Moment,
  there: Holder | undefined,
  elsewhere: ReadonlyMap<number, number> | undefined,
  conflicts: Conflict[],
): { sample: Sample; duplicates: number } {
  if (!there && !elsewhere && samples.length === 1) return { sample: ascending(samples[0]!), duplicates: 0 };
  const kept = new Map([...(there ? readingsAt(there) : []), ...(elsewhere ?? [])]);
  const metrics: number[] = [];
  const values: number[] = [];
  let duplicates = 0;
  for (const sample of samples) {
    for (const [i, metric] of sample.metrics.entries()) {
      const value = sample.values[i]!;
      const before = kept.get(metric);
      if (before === undefined) {
        kept.set(metric, value);
        metrics.push(metric);
        values.push(value);
      } else if (before === value) duplicates++;
      else conflicts.push({ deviceId, metric, time, kept: before, refused: value });
    }
  }
  return { sample: ascending({ deviceId, time, metrics, values }), duplicates };
}

function ascending(sample: Sample): Sample {
  const { metrics, values } = sample;
  let sorted = true;
  for (let i = 1; i < metrics.length && sorted; i++) sorted = metrics[i - 1]! < metrics[i]!;
  if (sorted) return sample;
  const order = metrics.map((_, i) => i).sort((a, b) => metrics[a]! - metrics[b]!);
  const { deviceId, time } = sample;
  return { deviceId, time, metrics: order.map((i) => metrics[i]!), values: order.map((i) => values[i]!) };
}

/** One block for each device and hour of samples that are in order of device and time. */
function blocksOf(samples: readonly Sample[]): Block[] {
  const blocks: Block[] = [];
  for (let from = 0; from < samples.length;) {
    const { deviceId, time } = samples[from]!;
    const hour = hourOf(time);
    let to = from + 1;
    while (to < samples.length && samples[to]!.deviceId === deviceId && hourOf(samples[to]!.time) === hour) to++;
    blocks.push(blockOf(deviceId, samples, from, to));
    from = to;
  }
  return blocks;
}

/** A block with more metrics at some of its moments. */
function extend(block: Block, more: readonly Sample[]): Block {
  const { device, times, metrics, values } = block;
  const all = [...new Set([...metrics, ...more.flatMap((sample) => sample.metrics)])].sort((a, b) => a - b);
  const wider = new Float64Array(all.length * times.length).fill(NaN);
  for (const [m, metric] of metrics.entries())
    wider.set(values.subarray(m * times.length, (m + 1) * times.length), all.indexOf(metric) * times.length);
  for (const sample of more) {
    const at = times.indexOf(sample.time);
    for (const [i, metric] of sample.metrics.entries())
      wider[all.indexOf(metric) * times.length + at] = sample.values[i]!;
  }
  return { device, times, metrics: all, values: wider };
}

/** The hours of blocks that had their rollups. */
function lateHours(blocks: readonly Block[], historyOf: (device: number) => DeviceHistory): DeviceHour[] {
  const late = new Map<string, DeviceHour>();
  for (const { device, times } of blocks) {
    const { rolledUntil } = historyOf(device);
    if (rolledUntil === null || times[0]! >= rolledUntil) continue;
    const hour = hourOf(times[0]!);
    late.set(`${device} ${hour}`, { device, hour });
  }
  return [...late.values()];
}
