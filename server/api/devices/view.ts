import type { Pool, PoolClient } from "pg";
import type { Sites } from "@/server/domain/access";
import type { EpochMs } from "@/server/domain/terms";
import type { DeviceDetail, DeviceView } from "@/server/contracts/devices";
import { findProperties } from "@/server/catalog/device-properties";
import { type CatalogDevice, findDevice } from "@/server/catalog/devices";
import type { PrismaClient } from "@/server/postgres/prisma";
import { deviceStateOf } from "@/server/domain/device-state";
import type { DeviceTwins, Twin } from "@/server/ports/device-twins";
import { findClockFault } from "@/server/readings/clock-fault";
import { readDeviceScores } from "@/server/quality/device-quality";
import { toInstant, toInstantOrNull } from "../instant";

/** A device of the catalog with its twin, as answered. `now` in epoch milliseconds. */
export function toDeviceView(
  device: CatalogDevice,
  twin: Twin | undefined,
  now: number,
  staleSeconds: number,
): DeviceView {
  const values = [...(twin?.values ?? [])].map(
    ([metric, { value, eventTime }]) => [metric, { value, time: toInstant(eventTime) }] as const,
  );
  return {
    id: device.name,
    site: device.site,
    type: device.type,
    state: deviceStateOf(device, now, staleSeconds),
    staleSeconds: device.staleSeconds ?? staleSeconds,
    firstSeen: toInstant(device.firstSeen),
    lastSeen: toInstantOrNull(device.lastSeen),
    lastEventTime: toInstantOrNull(device.lastEventTime),
    goneAt: toInstantOrNull(device.goneAt),
    retiredAt: toInstantOrNull(device.retiredAt),
    returnedAt: toInstantOrNull(device.returnedAt),
    messages: device.messages,
    conflicts: device.conflicts,
    units: Object.fromEntries(device.units),
    labels: Object.fromEntries(device.labels),
    values: Object.fromEntries(values),
  };
}

/** One device with its values and what people wrote about it; null if there is none of this name at these sites. */
export async function readDetail(
  tx: Pool | PoolClient,
  { prisma, twins, staleSeconds }: DetailDeps,
  now: EpochMs,
  name: string,
  sites: Sites,
): Promise<DeviceDetail | null> {
  const [device, properties, known] = await Promise.all([
    findDevice(prisma, name, sites),
    findProperties(prisma, name, sites),
    twins.get([name]),
  ]);
  if (device === null || properties === null) return null;
  const { site, type, notes, byPerson, labels, updatedAt } = properties;
  const view = toDeviceView({ ...device, site, type }, known.get(name), now, staleSeconds);
  const conflict = device.lastConflict;
  const lastConflict = conflict && { ...conflict, time: toInstant(conflict.time) };
  const rounded = Object.fromEntries([...device.rounded].map(([metric, time]) => [metric, toInstant(time)]));
  const fault = await findClockFault(tx, device.key);
  const clockFault = fault && { ...fault, from: toInstant(fault.from), to: toInstant(fault.to) };
  return {
    ...view,
    notes,
    setByPerson: [...byPerson],
    labels: Object.fromEntries([...labels].map(([key, { value }]) => [key, value])),
    labelsByPerson: [...labels].flatMap(([key, { byPerson }]) => (byPerson ? [key] : [])),
    lastConflict,
    rounded,
    clockFault,
    quality: (await readDeviceScores(tx, device.key)).score,
    updatedAt: toInstant(updatedAt),
  };
}

/** The dependencies of reading one device. */
export interface DetailDeps {
  readonly prisma: PrismaClient;
  readonly twins: Pick<DeviceTwins, "get">;
  readonly staleSeconds: number;
}
