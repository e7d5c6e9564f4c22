import type { Pool, PoolClient } from "pg";
import type { EpochMs } from "@/server/domain/terms";
import { firstMoment, monthText, startOf } from "@/server/postgres/months";
import type { Block } from "../blocks";
import { readAllBlocks } from "./hot-and-cold";
import { coldDevices } from "./manifest";
import type { ColdReader } from "./reader";

/** A device with readings in a month. */
export interface PlannedDevice {
  readonly device: number;
  readonly name: string;
  /** Metrics it has readings of. */
  readonly metrics: readonly number[];
  /** Values stored, counted generously. */
  readonly readings: number;
}

/** Most columns of a file. A device with more has a file of its own. */
const COLUMNS = 500;
/** About the most readings of a file: 10 to 15 MB, which are held in memory. */
export const FILE_READINGS = 4_000_000;
/** Readings held in memory at once besides. */
const READ_AT_ONCE = 500_000;
/** Devices looked through in one statement. */
const DEVICES = 200;

/** The devices of a month, wherever their readings lie, in the order files have them. */
export async function planMonth(client: Pool, month: number): Promise<PlannedDevice[]> {
  const planned = new Map<number, { metrics: Set<number>; readings: number }>();
  const add = (device: number, metrics: readonly number[], readings: number) => {
    const there = planned.get(device) ?? { metrics: new Set<number>(), readings: 0 };
    for (const metric of metrics) there.metrics.add(metric);
    planned.set(device, { ...there, readings: there.readings + readings });
  };
  for (const { device, metrics, readings } of await coldDevices(client, firstDay(month)))
    add(device, metrics, readings);
  const names = new Map<number, string>();
  for (let after: number | undefined = 0; after !== undefined;) {
    const { rows }: { rows: { id: number; name: string; readings: number | null; metrics: string[] | null }[] } =
      await client.query(
        `SELECT d.id, d.name, s.readings, s.metrics FROM (SELECT id, name FROM device WHERE id > $1 ORDER BY id LIMIT ${DEVICES}) d
         CROSS JOIN LATERAL (
           SELECT sum(cardinality(metrics) * coalesce(cardinality(offsets), 1))::float8 AS readings, array_agg(DISTINCT metrics::text) AS metrics
           FROM sample WHERE device_id = d.id AND time >= $2 AND time < $3) AS s
         ORDER BY d.id`,
        [after, firstMoment(month), firstMoment(month + 1)],
      );
    for (const { id, name, readings, metrics } of rows) {
      names.set(id, name);
      const ids = (metrics ?? []).flatMap((text) => text.slice(1, -1).split(",").map(Number));
      if (readings !== null) add(id, ids, readings);
    }
    after = rows.length < DEVICES ? undefined : rows.at(-1)!.id;
  }
  // A device that is in the catalog no more is being removed: it gets no rows.
  return [...planned]
    .filter(([device]) => names.has(device))
    .map(([device, { metrics, readings }]) => ({
      ...{ device, name: names.get(device)!, readings },
      metrics: [...metrics].sort((a, b) => a - b),
    }))
    .sort((a, b) => a.device - b.device);
}

/** Parts the devices into those of one file each, by what they hold. A device of more than a file holds is alone, and its rows take several. */
export function fileGroups(devices: readonly PlannedDevice[]): PlannedDevice[][] {
  const groups: PlannedDevice[][] = [];
  let columns = new Set<number>();
  let readings = 0;
  for (const device of devices) {
    const wider = new Set([...columns, ...device.metrics]);
    if (groups.length === 0 || wider.size > COLUMNS || readings + device.readings > FILE_READINGS) {
      groups.push([]);
      columns = new Set(device.metrics);
      readings = 0;
    } else columns = wider;
    groups.at(-1)!.push(device);
    readings += device.readings;
  }
  return groups;
}

/** All readings of some devices in a month, in order of device and time. */
export async function* blocksOfMonth(
  client: Pool | PoolClient,
  cold: ColdReader,
  month: number,
  devices: readonly PlannedDevice[],
): AsyncGenerator<{ readonly name: string; readonly block: Block }> {
  const [from, to] = [startOf(month), startOf(month + 1)];
  let some: { name: string; device: number; from: EpochMs; to: EpochMs }[] = [];
  let readings = 0;
  async function* read() {
    for (const [i, block] of (await readAllBlocks(client, cold, some)).entries())
      if (block !== null) yield { name: some[i]!.name, block };
    some = [];
    readings = 0;
  }
  for (const device of devices) {
    const pieces = Math.ceil(device.readings / READ_AT_ONCE);
    const step = Math.ceil((to - from) / pieces / HOUR) * HOUR;
    for (let start = from; start < to; start += step) {
      some.push({ name: device.name, device: device.device, from: start, to: Math.min(to, start + step) });
      readings += device.readings / pieces;
      if (readings >= READ_AT_ONCE) yield* read();
    }
  }
  yield* read();
}

const HOUR = 3_600_000;

/** The month's first day, as PostgreSQL reads a date. */
export function firstDay(month: number): string {
  return `${monthText(month)}-01`;
}
