import type { Pool } from "pg";
import type { Sample } from "@/server/ports/commit-batch";
import { lockDevices, noteActivity } from "@/server/catalog/catalog-writes";
import { withTransaction } from "@/server/postgres/transaction";
import { mergeJobs } from "@/server/readings/merge";
import { writeSamples } from "@/server/readings/samples";
import { jobContext } from "./job-context";

/** Stores a batch of readings of devices that are in the catalog, as a worker's commit does. */
export async function storeSamples(pool: Pool, samples: readonly Sample[]): Promise<void> {
  const lasts = new Map<number, number>();
  for (const { deviceId, time } of samples) lasts.set(deviceId, Math.max(time, lasts.get(deviceId) ?? 0));
  await withTransaction(pool, async (tx) => {
    await writeSamples(tx, samples, await lockDevices(tx, [...lasts.keys()]));
    const activity = { messages: 1, lastSeen: Date.now() };
    await noteActivity(
      tx,
      [...lasts].map(([id, lastEventTime]) => ({ ...activity, id, lastEventTime })),
    );
  });
}

/** Merges all hours that are complete. */
export async function mergeAll(pool: Pool): Promise<void> {
  await mergeJobs()
    .find(({ name }) => name === "readings-merge")!
    .run(jobContext(pool));
}
