import type { Pool } from "pg";
import { detectorOf, usualBand } from "@/server/domain/oddness/detector";
import type { EpochMs } from "@/server/domain/terms";
import { type ReadSteps, SEED_MS, STEP_MS, takeSeries } from "./follow";
import { readLabels } from "./stretches";

/** A step of a series, with what was usual then. */
export interface BandPoint {
  readonly time: EpochMs;
  readonly mean: number;
  /** Null: too little was known. */
  readonly low: number | null;
  readonly high: number | null;
  readonly score: number;
}

/** Says of each step of a series within [from, to) what was usual, by the 30 days before: nothing of it is stored. */
export async function readBand(
  pool: Pool,
  read: ReadSteps["device"],
  {
    device,
    metric,
    from,
    to,
  }: { readonly device: number; readonly metric: number; readonly from: EpochMs; readonly to: EpochMs },
): Promise<BandPoint[]> {
  const begin = from - (from % STEP_MS) - SEED_MS;
  const steps = (await read(pool, { device, metrics: [metric], from: begin, to }, STEP_MS)).get(metric) ?? [];
  const labels = (await readLabels(pool, [device], begin)).filter((label) => label.metric === metric);
  const state = detectorOf();
  const points: BandPoint[] = [];
  for (const step of steps) {
    const { time, mean } = step;
    const band = time < from ? null : usualBand(state, time);
    const { score } = takeSeries(state, [step], labels, () => undefined)!;
    if (time >= from) points.push({ time, mean, low: band?.[0] ?? null, high: band?.[1] ?? null, score });
  }
  return points;
}
