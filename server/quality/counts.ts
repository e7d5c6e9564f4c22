import type { PoolClient } from "pg";
import type { EpochMs } from "@/server/domain/terms";
import type { CommitBatch } from "@/server/ports/commit-batch";
import type { CheckedDevice } from "./checked";

const HOUR = 3_600_000;

interface Count {
  readonly device: number;
  readonly hour: EpochMs;
  repeats: number;
  late: number;
  conflicts: number;
}

/** Counts the batch's repeats, late readings and conflicts by device and hour of event time. A clean batch costs nothing. @param checked its devices, which know what was late */
export async function addCounts(
  tx: PoolClient,
  { messages, written: { added, duplicates, conflicts } }: CommitBatch,
  checked: readonly Pick<CheckedDevice, "id" | "late">[],
): Promise<void> {
  const late = checked.filter((device) => device.late !== null);
  if (duplicates + late.length + conflicts.length === 0) return;
  const counts = new Map<string, Count>();
  const at = (device: number, time: EpochMs): Count => {
    const hour = time - (time % HOUR);
    const key = `${device} ${hour}`;
    let count = counts.get(key);
    if (!count) counts.set(key, (count = { device, hour, repeats: 0, late: 0, conflicts: 0 }));
    return count;
  };
  for (const device of late) for (const [hour, readings] of device.late!) at(device.id, hour).late += readings;
  // What was given and is neither new nor refused was there already.
  for (const { deviceId, message, metrics } of messages) at(deviceId, message.eventTime).repeats += metrics.length;
  for (const { deviceId, time, metrics } of added) {
    at(deviceId, time).repeats -= metrics.length;
  }
  for (const { deviceId, time } of conflicts) {
    const count = at(deviceId, time);
    count.repeats--;
    count.conflicts++;
  }
  await write(
    tx,
    [...counts.values()].filter((count) => count.repeats + count.late + count.conflicts > 0),
  );
}

async function write(tx: PoolClient, counts: readonly Count[]): Promise<void> {
  await tx.query(
    `INSERT INTO quality_count AS c (device_id, bucket, repeats, late, conflicts)
     SELECT device, to_timestamp(hour / 1000), repeats, late, conflicts
     FROM unnest($1::integer[], $2::float8[], $3::integer[], $4::integer[], $5::integer[]) AS n (device, hour, repeats, late, conflicts)
     ORDER BY device, hour
     ON CONFLICT (device_id, bucket) DO UPDATE
       SET repeats = c.repeats + excluded.repeats, late = c.late + excluded.late, conflicts = c.conflicts + excluded.conflicts`,
    [
      counts.map(({ device }) => device),
      counts.map(({ hour }) => hour),
      counts.map(({ repeats }) => repeats),
      counts.map(({ late }) => late),
      counts.map(({ conflicts }) => conflicts),
    ],
  );
}
