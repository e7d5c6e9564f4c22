import type { Pool } from "pg";
import { lockDevices, noteActivity, noteConflicts, type DeviceActivity } from "@/server/catalog/catalog-writes";
import type { Partitions } from "@/server/readings/partitions";
import { advancePosition, lockPosition } from "../positions";
import { addRate, addRefused } from "../rates";
import { writeRollups } from "@/server/readings/rollups";
import { KEYED_ACCESS, writeSamples } from "@/server/readings/samples";
import { withTransaction } from "@/server/postgres/transaction";
import { FencedError, type Committed, type EnrichedBatch, type EnrichedMessage } from "../batch";
import type { Catalog } from "@/server/catalog/catalog";

export interface CommitDeps {
  readonly pool: Pool;
  readonly partitions: Partitions;
  readonly catalog: Pick<Catalog, "forget">;
}

/**
 * Writes new readings, their rollups, the devices' activity, the totals and the next offset in one transaction: all of
 * it or nothing. @throws FencedError if another worker has moved the position.
 */
export function createCommitReadings({ pool, partitions, catalog }: CommitDeps) {
  return async (batch: EnrichedBatch, signal: AbortSignal): Promise<Committed> => {
    const { position, messages } = batch;
    const samples = messages.flatMap(({ deviceId, message, metrics, values }) =>
      metrics.length > 0 ? [{ deviceId, time: message.eventTime, metrics, values }] : [],
    );
    await partitions.ensure(samples.map((sample) => sample.time));
    const activity = activityOf(messages);
    signal.throwIfAborted();

    return withTransaction(
      pool,
      async (client) => {
        const fenced = () =>
          new FencedError(`${position.topic}/${position.partition} is not at ${position.next} any more`);
        if (!(await lockPosition(client, position))) throw fenced();

        // A device has one writer at a time even while its key moves between partitions.
        const latest = await lockDevices(
          client,
          activity.map((device) => device.id),
        );
        if (latest.size !== activity.length) {
          catalog.forget();
          throw new FencedError("a device of the batch was removed from the catalog");
        }
        const { added, duplicates, conflicts, late } = await writeSamples(client, samples, latest);
        await writeRollups(client, added, latest);
        if (activity.length > 0) await noteActivity(client, activity);
        if (conflicts.length > 0) await noteConflicts(client, conflicts);

        const totals = {
          messages: batch.records.length,
          readings: added.reduce((sum, sample) => sum + sample.metrics.length, 0),
          duplicates,
          conflicts: conflicts.length,
          deadLetters: batch.letters.length,
          late,
          skipped: batch.to - position.next - batch.records.length,
        };
        const now = Date.now();
        await addRate(client, position, now, totals, ingestTimesOf(batch));
        if (batch.letters.length > 0) await addRefused(client, position, now, batch.letters);
        if (!(await advancePosition(client, position, batch.to, totals))) throw fenced();
        return { messages, added, totals };
      },
      KEYED_ACCESS,
    );
  };
}

function activityOf(messages: readonly EnrichedMessage[]): DeviceActivity[] {
  const byDevice = new Map<number, { id: number; messages: number; lastSeen: number; lastEventTime: number }>();
  for (const { deviceId, record, message } of messages) {
    const device = byDevice.get(deviceId);
    if (!device) {
      byDevice.set(deviceId, {
        id: deviceId,
        messages: 1,
        lastSeen: record.ingestTime,
        lastEventTime: message.eventTime,
      });
      continue;
    }
    device.messages++;
    device.lastSeen = Math.max(device.lastSeen, record.ingestTime);
    device.lastEventTime = Math.max(device.lastEventTime, message.eventTime);
  }
  return [...byDevice.values()];
}

function* ingestTimesOf(batch: EnrichedBatch): Iterable<number> {
  for (const record of batch.records) yield record.ingestTime;
}
