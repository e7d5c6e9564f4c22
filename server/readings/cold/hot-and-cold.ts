import type { Pool, PoolClient } from "pg";
import type { EpochMs } from "@/server/domain/terms";
import { ColdFileMissingError, missingFile } from "@/server/ports/cold-store";
import { type Block, type Column, readBlocks, readColumnsOf, type Stretch } from "../blocks";
import { type ColdRows, findColdRows } from "./manifest";
import type { ColdReader } from "./reader";

/** Times that readings are looked for again after they moved while they were read. */
const ATTEMPTS = 5;

/** Reads all there is of stretches, wherever it lies: one block each, or null. Stretches end with an hour, and are of bounded length. */
export async function readAllBlocks(
  client: Pool | PoolClient,
  cold: ColdReader,
  stretches: readonly Stretch[],
): Promise<(Block | null)[]> {
  const [hot, blocks] = await readBoth(client, cold, stretches, () => readBlocks(client, stretches));
  const byDevice = new Map<number, Block[]>();
  for (const block of hot) {
    const own = byDevice.get(block.device);
    if (own) own.push(block);
    else byDevice.set(block.device, [block]);
  }
  return stretches.map(({ device, from, to }, i) => {
    const own = (byDevice.get(device) ?? []).filter(({ times }) => times.at(-1)! >= from && times.at(-1)! < to);
    return union([...blocks[i]!, ...own]);
  });
}

/** As readColumnsOf, wherever the readings lie. `isCold` tells which stretches are from cold storage, in part at least. */
export async function readAllColumnsOf(
  client: Pool | PoolClient,
  cold: ColdReader,
  metrics: readonly number[],
  stretches: readonly Stretch[],
): Promise<{ columns: ReadonlyMap<number, Column>[]; isCold: boolean[] }> {
  const [hot, blocks] = await readBoth(
    client,
    cold,
    stretches,
    () => readColumnsOf(client, metrics, stretches),
    metrics,
  );
  const isCold = blocks.map((of) => of.length > 0);
  const columns = hot.map((of, i) =>
    isCold[i] ? new Map([...of].map(([metric, column]) => [metric, joined(column, blocks[i]!, metric)])) : of,
  );
  return { columns, isCold };
}

/** Reads what cold storage alone has of stretches. */
export async function readColdBlocks(
  client: Pool | PoolClient,
  cold: ColdReader,
  stretches: readonly Stretch[],
): Promise<Block[][]> {
  const [, blocks] = await readBoth(client, cold, stretches, async () => null);
  return blocks;
}

/**
 * Reads both sides so that nothing is missed that moves from one to the other meanwhile: what cold storage has is looked for before and
 * after. What is found on both sides is the same.
 */
async function readBoth<T>(
  client: Pool | PoolClient,
  cold: ColdReader,
  stretches: readonly Stretch[],
  readHot: () => Promise<T>,
  metrics?: readonly number[],
): Promise<[hot: T, cold: Block[][]]> {
  if (stretches.every(({ from }) => from >= cold.noneFrom())) return [await readHot(), stretches.map(() => [])];
  let before = await findColdRows(client, stretches);
  for (let attempt = 1; ; attempt++) {
    const hot = await readHot();
    const after = await findColdRows(client, stretches);
    const isSame = namesOf(before) === namesOf(after);
    before = after;
    if (!isSame && attempt < ATTEMPTS) continue;
    try {
      return [hot, await Promise.all(stretches.map((stretch, i) => cold.read(after[i]!, stretch, metrics)))];
    } catch (error) {
      if (!(error instanceof ColdFileMissingError)) throw error;
      if (attempt >= ATTEMPTS) throw missingFile(error);
    }
  }
}

function namesOf(found: readonly (readonly ColdRows[])[]): string {
  return found.map((rows) => rows.map(({ file, rows: n }) => `${file.id}:${n}`).join()).join(";");
}

/** The readings of a metric on both sides, each moment once. */
function joined(hot: Column, blocks: readonly Block[], metric: number): Column {
  const readings = new Map<EpochMs, number>();
  let isAscending = true;
  let last = -Infinity;
  const add = (time: EpochMs, value: number) => {
    if (Number.isNaN(value) || readings.has(time)) return;
    if (time < last) isAscending = false;
    last = time;
    readings.set(time, value);
  };
  for (const { times, metrics, values } of blocks) {
    const start = metrics.indexOf(metric) * times.length;
    if (start >= 0) for (let i = 0; i < times.length; i++) add(times[i]!, values[start + i]!);
  }
  for (let i = 0; i < hot.times.length; i++) add(hot.times[i]!, hot.values[i]!);
  const times = Float64Array.from(readings.keys());
  if (!isAscending) times.sort();
  return { times, values: Float64Array.from(times, (time) => readings.get(time)!) };
}

/** Makes one block of several of a device, a moment that is in more than one of them once; the first has precedence. Null: there is none. */
export function union(blocks: readonly Block[]): Block | null {
  const [only] = blocks;
  if (only === undefined || blocks.length === 1) return only ?? null;
  const metrics = [...new Set(blocks.flatMap((block) => block.metrics))].sort((a, b) => a - b);
  const times = Float64Array.from(new Set(blocks.flatMap((block) => [...block.times]))).sort();
  const placeOf = new Map<EpochMs, number>();
  for (const [i, time] of times.entries()) placeOf.set(time, i);
  const values = new Float64Array(metrics.length * times.length).fill(NaN);
  for (const block of blocks) {
    const places = Array.from(block.times, (time) => placeOf.get(time)!);
    for (const [m, metric] of block.metrics.entries()) {
      const start = metrics.indexOf(metric) * times.length;
      for (const [i, place] of places.entries()) {
        const value = block.values[m * places.length + i]!;
        if (Number.isNaN(values[start + place]!)) values[start + place] = value;
      }
    }
  }
  return { device: only.device, times, metrics, values };
}
