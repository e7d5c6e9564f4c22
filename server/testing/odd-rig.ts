import type { Pool } from "pg";
import { oddnessJobs } from "@/server/oddness/jobs";
import type { JobContext } from "@/server/postgres/job";
import { withTransaction } from "@/server/postgres/transaction";
import { readDeviceSteps, readRecentSteps } from "@/server/readings/steps";

export const ODD_STEP = 300_000;
export const ODD_DAY = 86_400_000;

/** A worker that follows odd behaviour; what it remembers is its own. */
export function createOddWorker(pool: Pool) {
  const [job] = oddnessJobs({ recent: readRecentSteps, device: readDeviceSteps });
  return (now: number) =>
    job!.run({
      ...{ tx: pool, now, sites: "all", signal: new AbortController().signal, caller: { kind: "system" } },
      run: { id: "1", params: null, cursor: null, done: 0, total: null },
      step: async (work) => void (await withTransaction(pool, work)),
      note: async () => undefined,
    } satisfies JobContext);
}

/** Stores a reading of each of a device's metrics every five minutes within [from, to), by SQL of its number n, and when it was last heard of. */
export async function addReadings(
  pool: Pool,
  device: number,
  values: readonly string[],
  { begin, from, to }: { readonly begin: number; readonly from: number; readonly to: number },
): Promise<void> {
  await pool.query(
    `INSERT INTO sample (device_id, time, metrics, values)
     SELECT $1, $2::timestamptz + n * interval '5 min', $3::integer[], ARRAY[${values.join(", ")}]::float8[] FROM generate_series($4::integer, $5::integer) n`,
    [device, new Date(begin), values.map((_, i) => i + 1), (from - begin) / ODD_STEP, (to - begin) / ODD_STEP - 1],
  );
  await pool.query(`UPDATE device SET last_event_time = $2, last_seen = $2 WHERE id = $1`, [
    device,
    new Date(to - ODD_STEP),
  ]);
}
