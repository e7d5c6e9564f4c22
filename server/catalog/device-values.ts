import type { Pool } from "pg";
import { keptByKey } from "@/server/async/kept-for";
import { compares, type Condition } from "@/server/domain/device-filter";
import type { EpochMs } from "@/server/domain/terms";
import type { DeviceTwins } from "@/server/ports/device-twins";
import { readOwnName } from "./aliases";
import { type DeviceFilter, findDeviceIds, findDeviceOrder, type OrderedFilter } from "./device-list";

/** The latest value of one metric, by device; booleans are 0 and 1. */
type LatestValues = ReadonlyMap<string, number>;

/** Reads the latest values of a metric, at most every two seconds. */
export type ReadLatest = (metric: string, now: EpochMs) => Promise<LatestValues>;

const NO_VALUES: LatestValues = new Map();

/** How long values are kept, in milliseconds: every open list asks for its order again and again. */
const SHARED_MS = 2000;

/** Creates the reader of latest values that lists, counts and files of devices share. A metric is found by its other names, too. */
export function createReadLatest(twins: Pick<DeviceTwins, "latest">, pool: Pool): ReadLatest {
  return keptByKey(SHARED_MS, async (metric: string) => twins.latest(await readOwnName(pool, metric)));
}

/** An order by a column of the device, or by a metric's latest value. */
export type ValueOrder = OrderedFilter | (DeviceFilter & { readonly metric: string; readonly descending: boolean });

/** The filter with the devices that its conditions of metrics hold of; the catalog answers the rest. A device without a value matches `!=` alone. */
export async function narrowByValues<F extends DeviceFilter>(latest: ReadLatest, filter: F): Promise<F> {
  const conditions = (filter.where ?? []).filter((one) => one.of === "metric");
  if (conditions.length === 0) return filter;
  const rest = filter.where!.filter((one) => one.of !== "metric");
  const columns = await Promise.all(conditions.map(({ metric }) => latest(metric, filter.now)));
  // Only "isn't" holds of devices without a value: the catalog knows them all, the values don't.
  const first = conditions.findIndex(({ operator }) => operator !== "!=");
  if (first === -1) {
    const others = columns.flatMap((values, i) =>
      [...values].flatMap(([device, value]) => (value === conditions[i]!.value ? [device] : [])),
    );
    return { ...filter, where: rest, notAmong: others };
  }
  const among = [...columns[first]!.keys()].filter((device) =>
    conditions.every((condition, i) => holds(condition, columns[i]!.get(device))),
  );
  return { ...filter, where: rest, among };
}

function holds({ operator, value }: Extract<Condition, { of: "metric" }>, latest: number | undefined): boolean {
  return latest === undefined ? operator === "!=" : compares(latest, operator, value);
}

/** The ids of all devices that match, in order; ordered by a metric, with its values. */
export async function findOrder(
  pool: Pool,
  latest: ReadLatest,
  order: ValueOrder,
): Promise<{ ids: readonly string[]; values: LatestValues }> {
  const wanted = await narrowByValues(latest, order);
  if (!("metric" in wanted)) return { ids: await findDeviceOrder(pool, wanted), values: NO_VALUES };
  const [values, ids] = await Promise.all([latest(wanted.metric, wanted.now), findDeviceIds(pool, wanted)]);
  return { ids: byValue(ids, values, wanted.descending), values };
}

/** Sorts ids, which come sorted by name, by value, and like equals by name; those without a value come last either way. */
function byValue(ids: readonly string[], values: LatestValues, descending: boolean): string[] {
  const [some, none]: [string[], string[]] = [[], []];
  const keys = new Float64Array(ids.length);
  for (const id of ids) {
    const value = values.get(id);
    if (value === undefined) none.push(id);
    else keys[some.push(id) - 1] = descending ? -value : value;
  }
  // Numbers alone are sorted natively, in a tenth of the time: then each id goes to the next place of its number.
  const places = new Map<number, number>();
  for (const [i, key] of keys.slice(0, some.length).sort().entries()) if (!places.has(key)) places.set(key, i);
  const sorted = new Array<string>(some.length);
  for (const [i, id] of some.entries()) {
    const place = places.get(keys[i]!)!;
    sorted[place] = id;
    places.set(keys[i]!, place + 1);
  }
  return sorted.concat(none);
}

/** The number of ids, ordered by value, up to a place in that order: those after it follow it. */
export function upTo(
  { ids, values }: { readonly ids: readonly string[]; readonly values: LatestValues },
  { at, id }: { readonly at: number | null; readonly id: string },
  descending: boolean,
): number {
  const next = ids.findIndex((one) => {
    const value = values.get(one);
    if (value === undefined || at === null) return value === undefined && (at !== null || one > id);
    return value === at ? one > id : descending ? value < at : value > at;
  });
  return next === -1 ? ids.length : next;
}
