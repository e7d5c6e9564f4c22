import type { PoolClient } from "pg";
import type { CommitBatch, Sample } from "@/server/ports/commit-batch";
import type { ColdReader } from "./cold/reader";
import { writeSamples } from "./samples";

/** Makes what writes a batch's readings, and tells those after it what of them is new. */
export function createAddReadings(cold: ColdReader) {
  return async (tx: PoolClient, batch: CommitBatch): Promise<void> => {
    const samples: Sample[] = [];
    for (const { deviceId, message, metrics, values, again } of batch.messages) {
      if (metrics.length > 0) samples.push({ deviceId, time: message.eventTime, metrics, values });
      if (again) samples.push({ deviceId, time: message.eventTime, ...again });
    }
    batch.written = await writeSamples(tx, samples, batch.devices, cold);
  };
}
