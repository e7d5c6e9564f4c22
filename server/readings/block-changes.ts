import type { Sample } from "@/server/ports/commit-batch";
import type { Block } from "./blocks";

/** Makes a block of samples[from…to - 1]: of one device and hour, by time, metrics ascending. */
export function blockOf(device: number, samples: readonly Sample[], from: number, to: number): Block {
  const first = samples[from]!.metrics;
  const count = to - from;
  const times = new Float64Array(count);
  let isUniform = true;
  for (let i = 0; i < count; i++) {
    const { time, metrics } = samples[from + i]!;
    times[i] = time;
    if (isUniform && metrics !== first) isUniform = areSame(metrics, first);
  }
  let metrics = first;
  if (!isUniform) {
    const all = new Set<number>();
    for (let i = from; i < to; i++) for (const metric of samples[i]!.metrics) all.add(metric);
    metrics = [...all].sort((a, b) => a - b);
  }
  const values = new Float64Array(metrics.length * count);
  if (!isUniform) values.fill(NaN);
  const places = new Map(metrics.map((metric, m) => [metric, m]));
  for (let i = 0; i < count; i++) {
    const sample = samples[from + i]!;
    for (let j = 0; j < sample.metrics.length; j++)
      values[(isUniform ? j : places.get(sample.metrics[j]!)!) * count + i] = sample.values[j]!;
  }
  return { device, times, metrics, values };
}

function areSame(a: readonly number[], b: readonly number[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Makes one block of several of one device and hour. @throws RangeError for a moment that is in two of them. */
export function mergeBlocks(blocks: readonly Block[]): Block {
  const [only] = blocks;
  if (blocks.length === 1) return only!;
  const metrics = [...new Set(blocks.flatMap((block) => block.metrics))].sort((a, b) => a - b);
  const places = new Map(metrics.map((metric, m) => [metric, m]));
  const count = blocks.reduce((sum, { times }) => sum + times.length, 0);
  const unsorted = new Float64Array(count);
  for (let b = 0, at = 0; b < blocks.length; at += blocks[b++]!.times.length) unsorted.set(blocks[b]!.times, at);
  const times = unsorted.slice().sort();
  for (let i = 1; i < count; i++) if (times[i] === times[i - 1]) throw new RangeError("a moment is in two blocks");
  const values = new Float64Array(metrics.length * count).fill(NaN);
  for (const block of blocks) {
    const length = block.times.length;
    const at = placesIn(times, block.times);
    for (const [m, metric] of block.metrics.entries()) {
      const start = places.get(metric)! * count;
      for (let i = 0; i < length; i++) values[start + at[i]!] = block.values[m * length + i]!;
    }
  }
  return { device: only!.device, times, metrics, values };
}

/** Where moments stand among others that have all of them; both ascend. */
function placesIn(all: Float64Array, times: Float64Array): Int32Array {
  const places = new Int32Array(times.length);
  for (let i = 0, place = 0; i < times.length; i++) {
    while (all[place] !== times[i]) place++;
    places[i] = place;
  }
  return places;
}

/**
 * The part of a block with the moments `stays` tells, in order, without metrics that have no value there. Null: nothing is left.
 */
export function partOf({ device, times, metrics, values }: Block, stays: (i: number) => boolean): Block | null {
  const length = times.length;
  const kept: number[] = [];
  for (let i = 0; i < length; i++) if (stays(i)) kept.push(i);
  const columns: { metric: number; values: Float64Array }[] = [];
  for (const [m, metric] of metrics.entries()) {
    const column = Float64Array.from(kept, (i) => values[m * length + i]!);
    if (column.some((value) => !Number.isNaN(value))) columns.push({ metric, values: column });
  }
  if (columns.length === 0) return null;
  const left = new Float64Array(columns.length * kept.length);
  for (const [m, column] of columns.entries()) left.set(column.values, m * kept.length);
  return {
    device,
    times: Float64Array.from(kept, (i) => times[i]!),
    metrics: columns.map(({ metric }) => metric),
    values: left,
  };
}

/** A block without some metrics, and without the moments that had no others. Null: nothing is left. */
export function withoutMetrics(block: Block, gone: readonly number[]): Block | null {
  const { device, times, metrics, values } = block;
  const length = times.length;
  const left = metrics.flatMap((metric, m) => (gone.includes(metric) ? [] : [m]));
  const rest = new Float64Array(left.length * length);
  for (const [at, m] of left.entries()) rest.set(values.subarray(m * length, (m + 1) * length), at * length);
  return withoutEmpty({ device, times, metrics: left.map((m) => metrics[m]!), values: rest });
}

/** A block without the moments that have no value at all; the same if there are none. Null: nothing is left. */
export function withoutEmpty(block: Block): Block | null {
  const { times, metrics, values } = block;
  const length = times.length;
  const isThere = (i: number) => {
    for (let m = 0; m < metrics.length; m++) if (!Number.isNaN(values[m * length + i]!)) return true;
    return false;
  };
  return times.every((_, i) => isThere(i)) ? block : partOf(block, isThere);
}
