import type { PoolClient } from "pg";
import type { EpochMs } from "@/server/domain/terms";
import type { DeviceTwins, TwinValue } from "@/server/ports/device-twins";
import type { Job, JobContext } from "@/server/postgres/job";
import { type DeviceConflict, lockDevices, noteConflicts } from "./catalog-writes";
import { beginEpoch } from "./epoch";
import { noteErasedReadings } from "./erasures";
import { eraseAll, type ErasingDeps } from "./erasing";

const MINUTE = 60_000;
/** Twins looked at together, and devices without any reading passed over in one step. */
const TWINS = 500;
const PASSED = 50;

/** The job's name, for those who ask for it. */
export const REMOVALS_JOB = "catalog-removals";

/** The operations of other rooms that removals need. */
export interface RemovalDeps {
  readonly twins: Pick<DeviceTwins, "get" | "merge" | "forget">;
  readonly takeMetric: (
    tx: PoolClient,
    device: number,
    removed: { readonly metric: number; readonly into: number | null },
  ) => Promise<{ readonly taken: number; readonly conflicts: readonly DeviceConflict[] }>;
  /** Brings a part of the metric's readings of a device whose row is locked back from cold storage; false: it has none. */
  readonly bringBack: (tx: PoolClient, device: number, metric: number) => Promise<boolean>;
  readonly erasing: ErasingDeps;
  readonly takeDevice: (tx: PoolClient, device: number) => Promise<{ rows: number; readings: number }>;
  readonly latestReadings: (
    tx: PoolClient,
    metric: number,
    devices: readonly string[],
  ) => Promise<{ device: string; time: EpochMs; value: number }[]>;
}

interface Removal {
  readonly id: number;
  readonly kind: "metric" | "device";
  readonly key: number;
  readonly name: string;
  readonly intoKey: number | null;
  readonly step: "twins" | "readings";
  readonly device: number;
}

/** Removes, or moves, what is left of metrics and devices that were taken out of the catalog, in the order in which they were. */
export function catalogJobs(deps: RemovalDeps): Job[] {
  return [
    {
      name: REMOVALS_JOB,
      title: "Removal of metrics and devices",
      about:
        "Removes the readings of deleted metrics and devices, moves those of merged metrics, and latest values to the new names of metrics. Erases devices from every store.",
      counts: { one: "reading removed or moved", many: "readings removed or moved" },
      everyMs: MINUTE,
      limitMs: null,
      async run(ctx) {
        let { done } = ctx.run;
        for (let isMore = true; isMore;) {
          ctx.signal.throwIfAborted();
          await ctx.step(async (tx) => {
            const removal = await nextRemoval(tx);
            isMore = removal !== null;
            if (removal !== null) done += await workOn(tx, deps, removal, ctx);
            return { done };
          });
        }
        await eraseAll(ctx, deps.erasing, done);
      },
    },
  ];
}

async function nextRemoval(tx: PoolClient): Promise<Removal | null> {
  const { rows } = await tx.query<Removal>(
    `SELECT id, kind, key, name, into_key AS "intoKey", step, device FROM catalog_removal ORDER BY id LIMIT 1`,
  );
  return rows[0] ?? null;
}

/** Does one part. @returns the readings it dealt with. */
async function workOn(tx: PoolClient, deps: RemovalDeps, removal: Removal, ctx: JobContext): Promise<number> {
  if (removal.kind === "device") {
    const { rows, readings } = await deps.takeDevice(tx, removal.key);
    if (readings > 0) await noteErasedReadings(tx, removal.key, readings);
    if (rows === 0) await finish(tx, removal);
    return readings;
  }
  if (removal.step === "twins") {
    await cleanTwins(tx, deps, removal);
    return 0;
  }
  // A metric that was renamed keeps its readings.
  if (removal.key === removal.intoKey) {
    await finish(tx, removal);
    return 0;
  }
  const removed = { metric: removal.key, into: removal.intoKey };
  let { device } = removal;
  for (let passed = 0; passed < PASSED; passed++) {
    ctx.signal.throwIfAborted();
    const next = await nextDevices(tx, device, 1);
    if (next.length === 0) {
      await finish(tx, removal);
      return 0;
    }
    await lockDevices(tx, [next[0]!.id]);
    if (await deps.bringBack(tx, next[0]!.id, removal.key)) {
      await goOn(tx, removal, "readings", device);
      return 0;
    }
    const { taken, conflicts } = await deps.takeMetric(tx, next[0]!.id, removed);
    if (conflicts.length > 0) await noteConflicts(tx, conflicts);
    // A part that took something comes again to the same device.
    if (taken > 0) {
      await goOn(tx, removal, "readings", device);
      return taken;
    }
    device = next[0]!.id;
  }
  await goOn(tx, removal, "readings", device);
  return 0;
}

/** Takes the metric's value out of the next twins, or gives it to the other metric. */
async function cleanTwins(tx: PoolClient, { twins, latestReadings }: RemovalDeps, removal: Removal): Promise<void> {
  const { name, intoKey } = removal;
  const devices = await nextDevices(tx, removal.device, TWINS);
  const names = devices.map((device) => device.name);
  const isReading = (value: TwinValue | undefined) => value !== undefined && typeof value.value !== "string";
  const found = [...(await twins.get(names)).values()].filter(({ values }) => isReading(values.get(name)));
  if (found.length > 0) {
    const those = found.map(({ device }) => device);
    // What was merged by batches that aren't committed yet is merged again, after this.
    await beginEpoch(tx);
    const again = await findMetric(tx, "name", name);
    const target = await targetOf(tx, intoKey);
    // Where the name came again, its value may be the new metric's: readings alone tell then.
    if (target !== null && again === null)
      await twins.merge(
        found.map(({ device, values }) => ({ device, values: new Map([[target.name, values.get(name)!]]) })),
      );
    await twins.forget(those, name);
    if (again !== null) {
      const restored = async (metric: number, as: Metric) =>
        twins.merge(
          (await latestReadings(tx, metric, those)).map(({ device, time, value }) => ({
            device,
            values: new Map([[as.name, { value: as.kind === "boolean" ? value !== 0 : value, eventTime: time }]]),
          })),
        );
      await restored(again.id, again);
      if (target !== null) await restored(removal.key, target);
    }
  }
  if (devices.length < TWINS) await goOn(tx, removal, "readings", 0);
  else await goOn(tx, removal, "twins", devices.at(-1)!.id);
}

interface Metric {
  readonly id: number;
  readonly name: string;
  readonly kind: string;
}

async function findMetric(tx: PoolClient, by: "id" | "name", value: number | string): Promise<Metric | null> {
  const { rows } = await tx.query<Metric>(`SELECT id, name, kind FROM metric WHERE ${by} = $1`, [value]);
  return rows[0] ?? null;
}

/** The metric that the readings come to in the end: the one they go to may have been merged itself since. */
async function targetOf(tx: PoolClient, key: number | null): Promise<Metric | null> {
  if (key === null) return null;
  const metric = await findMetric(tx, "id", key);
  if (metric !== null) return metric;
  const { rows } = await tx.query<{ into: number | null }>(
    // Not that of a rename, by which it came to itself.
    `SELECT into_key AS into FROM catalog_removal WHERE kind = 'metric' AND key = $1 AND into_key IS DISTINCT FROM key`,
    [key],
  );
  return targetOf(tx, rows[0]?.into ?? null);
}

async function nextDevices(tx: PoolClient, after: number, limit: number): Promise<{ id: number; name: string }[]> {
  const { rows } = await tx.query<{ id: number; name: string }>(
    `SELECT id, name FROM device WHERE id > $1 ORDER BY id LIMIT $2`,
    [after, limit],
  );
  return rows;
}

async function goOn(tx: PoolClient, { id }: Removal, step: Removal["step"], device: number): Promise<void> {
  await tx.query(`UPDATE catalog_removal SET step = $2, device = $3 WHERE id = $1`, [id, step, device]);
}

async function finish(tx: PoolClient, { id }: Removal): Promise<void> {
  await tx.query(`DELETE FROM catalog_removal WHERE id = $1`, [id]);
}
