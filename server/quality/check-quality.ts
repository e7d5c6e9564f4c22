import type { PoolClient } from "pg";
import { newDevice } from "@/server/domain/quality/device-checks";
import type { EpochMs } from "@/server/domain/terms";
import type { CommitBatch } from "@/server/ports/commit-batch";
import { comingOf, type ReadingBlock, samplesOf } from "@/server/ports/reading-blocks";
import { CheckedDevice } from "./checked";
import { addCounts } from "./counts";
import { readOpenFlags, writeFlags } from "./flags";
import { type Limits, readLimits } from "./limits";
import { readStates, writeStates } from "./states";

/** Reads readings: blocks whose last moment is within one of the stretches [from, to), by stretch and time. */
type ReadBlocks = (
  tx: PoolClient,
  stretches: readonly { readonly device: number; readonly from: EpochMs; readonly to: EpochMs }[],
) => Promise<readonly ReadingBlock[]>;

/** Devices that are remembered, at some kilobytes each; above that all are forgotten. */
const MOST_CHECKED = 200_000;
/** States are stored this often; what came since is taken again from the readings. */
const STORE_EVERY_MS = 900_000;
/** States of new devices are stored for the first time within this time, not all at once. */
const FIRST_STORE_MS = 180_000;
/** Readings are taken again as far back as this. */
const REPLAY_MS = 3_600_000;
/** Devices whose readings are read together. */
const TOGETHER = 50;

/**
 * Makes what checks a batch's new readings, in the transaction that writes them and in the order of arrival: what is flagged is flagged once. It remembers
 * devices as the judge of alert rules does: as long as their mark is what it left.
 */
export function createCheckQuality(readBlocks: ReadBlocks) {
  let limits: { readonly epoch: number; readonly all: Limits } | null = null;
  const remembered = new Map<number, CheckedDevice>();

  return async (tx: PoolClient, batch: CommitBatch): Promise<void> => {
    const { rulesEpoch, devices, mark, messages, processedTime } = batch;
    if (messages.length === 0) return;
    if (limits?.epoch !== rulesEpoch) {
      limits = { epoch: rulesEpoch, all: await readLimits(tx) };
      for (const device of remembered.values()) device.limit(limits.all);
    }
    if (remembered.size > MOST_CHECKED) remembered.clear();
    const cold: number[] = [];
    for (const [id, { judged }] of devices) if (remembered.get(id)?.mark !== judged) cold.push(id);
    await load(tx, cold, batch, limits.all);

    const fresh = freshOf(batch);
    for (const { deviceId, record, message, metrics, values } of messages) {
      if (metrics.length === 0) continue;
      const { eventTime } = message;
      const left = fresh.get(deviceId);
      if (!left) {
        remembered.get(deviceId)!.take(eventTime, record.ingestTime, metrics, values);
        continue;
      }
      // The first of several that say the same is the one that counts.
      const only = left.get(eventTime)?.filter((metric) => metrics.includes(metric)) ?? [];
      if (only.length === 0) continue;
      left.set(
        eventTime,
        left.get(eventTime)!.filter((metric) => !only.includes(metric)),
      );
      remembered.get(deviceId)!.take(eventTime, record.ingestTime, metrics, values, only);
    }

    const checked = [...devices.keys()].map((id) => remembered.get(id)!);
    await writeFlags(
      tx,
      checked.filter(({ told }) => told !== null).flatMap(({ told }) => [...told!]),
    );
    await addCounts(tx, batch, checked);
    const due = checked.filter(({ storedAt }) => processedTime - storedAt >= STORE_EVERY_MS);
    await writeStates(
      tx,
      due.map((device) => ({ id: device.id, until: device.until, writtenAt: processedTime, ...device.states() })),
    );
    // Should the transaction fail, nobody has this mark, and all of it is read again.
    for (const device of due) device.storedAt = processedTime;
    for (const device of checked) device.settle(mark);
  };

  async function load(tx: PoolClient, ids: readonly number[], batch: CommitBatch, all: Limits): Promise<void> {
    if (ids.length === 0) return;
    const states = await readStates(tx, ids);
    const flags = await readOpenFlags(tx, ids);
    const units = await readOwnUnits(tx, ids);
    const coming = comingOf(batch.written, new Set(ids));
    const stretches = ids.flatMap((id) => {
      const latest = batch.devices.get(id)!.latest ?? null;
      const stored = states.get(id);
      const own = new CheckedDevice(
        id,
        stored?.device ?? newDevice(),
        stored?.series ?? new Map(),
        flags.get(id) ?? new Map(),
        units.get(id) ?? new Set(),
        all,
        { until: latest ?? 0, storedAt: stored?.writtenAt ?? firstStored(id, batch.processedTime) },
      );
      remembered.set(id, own);
      if (latest === null) return [];
      const from = Math.max((stored?.until ?? -1) + 1, latest - REPLAY_MS);
      return from <= latest ? [{ device: id, from, to: latest + 1 }] : [];
    });
    for (let i = 0; i < stretches.length; i += TOGETHER) {
      const some = stretches.slice(i, i + TOGETHER);
      const samples = samplesOf(await readBlocks(tx, some), coming);
      for (const { device, from, to } of some) {
        const own = remembered.get(device)!;
        for (const { time, metrics, values } of samples.get(device) ?? [])
          if (time >= from && time < to) own.replay(time, metrics, values);
      }
    }
  }
}

/** As if it had been stored so long ago that it is due within the time of the first. */
function firstStored(id: number, now: EpochMs): EpochMs {
  return now - STORE_EVERY_MS + 30_000 + ((id * 7919) % FIRST_STORE_MS);
}

/** The readings of the batch that are new, of devices that sent others too: metrics by time. */
function freshOf({ messages, written }: CommitBatch): Map<number, Map<EpochMs, readonly number[]>> {
  const fresh = new Map<number, Map<EpochMs, readonly number[]>>();
  if (written.duplicates + written.conflicts.length === 0) return fresh;
  const surplus = new Map<number, number>();
  const add = (device: number, readings: number) => surplus.set(device, (surplus.get(device) ?? 0) + readings);
  for (const { deviceId, metrics } of messages) add(deviceId, metrics.length);
  for (const { deviceId, metrics } of written.added) add(deviceId, -metrics.length);
  for (const [device, readings] of surplus) if (readings > 0) fresh.set(device, new Map());
  for (const { deviceId, time, metrics } of written.added) fresh.get(deviceId)?.set(time, metrics);
  return fresh;
}

/** The metrics for which devices have a unit of their own. */
async function readOwnUnits(tx: PoolClient, ids: readonly number[]): Promise<Map<number, Set<number>>> {
  const { rows } = await tx.query<{ id: number; metrics: number[] }>(
    `SELECT device_id AS id, array_agg(metric_id) AS metrics FROM device_unit WHERE device_id = ANY ($1::integer[]) GROUP BY 1`,
    [ids],
  );
  return new Map(rows.map(({ id, metrics }) => [id, new Set(metrics)]));
}
