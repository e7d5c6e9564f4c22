import type { Pool } from "pg";
import type { Sample } from "@/server/ports/commit-batch";
import { lockDevices } from "@/server/catalog/catalog-writes";
import { withTransaction } from "@/server/postgres/transaction";
import { mergeJobs } from "@/server/readings/merge";
import { writeSamples } from "@/server/readings/samples";
import { jobContext } from "./job-context";

/** Stores a batch of readings of devices that are in the catalog, as a worker's commit does. */
export async function storeSamples(pool: Pool, samples: readonly Sample[]): Promise<void> {
  const latest = new Map<number, number>();
  for (const { deviceId, time } of samples) latest.set(deviceId, Math.max(time, latest.get(deviceId) ?? 0));
  await withTransaction(pool, async (tx) => {
    await writeSamples(tx, samples, await lockDevices(tx, [...latest.keys()]));
    await tx.query(
      `UPDATE device d SET last_event_time = greatest(last_event_time, k.time), last_seen = now()
       FROM unnest($1::integer[], $2::timestamptz[]) AS k (id, time) WHERE d.id = k.id`,
      [[...latest.keys()], [...latest.values()].map((time) => new Date(time).toISOString())],
    );
  });
}

/** Merges all hours that are complete. */
export async function mergeAll(pool: Pool): Promise<void> {
  await mergeJobs()
    .find(({ name }) => name === "readings-merge")!
    .run(jobContext(pool));
}
