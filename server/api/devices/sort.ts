import type { DeviceSort } from "@/server/contracts/fleet";
import type { DeviceOrder } from "@/server/catalog/device-list";

/** The order a `sort` parameter asks for: by a column, or by the latest value of a metric. */
export function readSort(
  sort: DeviceSort,
): { order: DeviceOrder; descending: boolean } | { metric: string; descending: boolean } {
  const descending = sort.startsWith("-");
  const by = descending ? sort.slice(1) : sort;
  return by.startsWith("value:")
    ? { metric: by.slice("value:".length), descending }
    : { order: by as DeviceOrder, descending };
}
