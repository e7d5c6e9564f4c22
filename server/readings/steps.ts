import type { Pool } from "pg";
import type { EpochMs } from "@/server/domain/terms";
import { withTransaction } from "@/server/postgres/transaction";
import { HOUR, readBlocks, type Stretch } from "./blocks";
import { createBuckets, type SeriesPoint } from "./buckets";
import { createColdReader, type ColdReader } from "./cold/reader";
import { extentOf, findHeldDevice } from "./held-hours";
import { ONE_MOMENT, readBuckets } from "./reading-queries";

/**
 * Reads what devices' series were in steps of `widthMs` within short stretches of recent time, from the readings themselves: of each stretch the points
 * by metric, ascending. Stretches begin and end with a step.
 */
export async function readRecentSteps(
  pool: Pool,
  stretches: readonly Stretch[],
  widthMs: number,
): Promise<ReadonlyMap<number, readonly SeriesPoint[]>[]> {
  // The blocks that begin before the end of a stretch end within its hour.
  const blocks = await readBlocks(
    pool,
    stretches.map((stretch) => ({ ...stretch, to: Math.ceil(stretch.to / HOUR) * HOUR })),
  );
  const byDevice = new Map<number, typeof blocks>();
  for (const block of blocks) {
    const own = byDevice.get(block.device);
    if (own) own.push(block);
    else byDevice.set(block.device, [block]);
  }
  return stretches.map(({ device, from, to }) => {
    const series = new Map<number, ReturnType<typeof createBuckets>>();
    for (const { times, metrics, values } of byDevice.get(device) ?? [])
      for (const [m, metric] of metrics.entries()) {
        let buckets = series.get(metric);
        if (!buckets) series.set(metric, (buckets = createBuckets(widthMs)));
        buckets.addReadings(within(times, values.subarray(m * times.length, (m + 1) * times.length), from, to));
      }
    return new Map([...series].map(([metric, buckets]) => [metric, buckets.points().points]));
  });
}

/** Leaves out absent values, and what is outside of [from, to). */
function within(times: Float64Array, values: Float64Array, from: EpochMs, to: EpochMs) {
  const isThere = (i: number) => !Number.isNaN(values[i]!) && times[i]! >= from && times[i]! < to;
  return { times: times.filter((_, i) => isThere(i)), values: values.filter((_, i) => isThere(i)) };
}

/** Reads the same of a device's series over any time, from minute rollups where they are kept; not from cold storage. */
export async function readDeviceSteps(
  pool: Pool,
  { device: key, metrics, from, to }: Stretch & { readonly metrics: readonly number[] },
  widthMs: number,
): Promise<ReadonlyMap<number, readonly SeriesPoint[]>> {
  return withTransaction(
    pool,
    async (client) => {
      const series = new Map<number, readonly SeriesPoint[]>();
      const device = await findHeldDevice(client, key, "all");
      const held = device && (await extentOf(client, device, from, to));
      if (!held) return series;
      const within = { from: Math.max(from, held.from), to: Math.min(to, held.to) };
      const cold = { reader: NO_COLD, isRead: false };
      for (const metric of metrics)
        series.set(metric, (await readBuckets(client, { device, metric, ...within, cold }, widthMs)).points);
      return series;
    },
    ONE_MOMENT,
  );
}

const NO_COLD: ColdReader = createColdReader(null);
