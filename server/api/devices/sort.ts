import type { DeviceSort } from "@/server/contracts/fleet";
import type { DeviceOrder } from "@/server/catalog/device-list";

/** The order a `sort` parameter asks for. */
export function readSort(sort: DeviceSort): { order: DeviceOrder; descending: boolean } {
  return { order: sort.replace("-", "") as DeviceOrder, descending: sort.startsWith("-") };
}
