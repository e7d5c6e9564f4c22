import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import type { DevicesAnswer } from "@/server/contracts/devices";
import { parseFilter } from "@/server/domain/device-filter";
import { isName } from "@/server/domain/terms";
import { queryString, readJson } from "./request";
import type { WantedDevices } from "./wanted-devices";

/** How often what is pinned is asked for again, in milliseconds. */
export const PINNED_EVERY_MS = 15_000;

/** The first devices of a list. */
export const firstDevicesQuery = (wanted: WantedDevices, limit: number) =>
  queryOptions({
    queryKey: ["first devices", wanted, limit],
    queryFn: async ({ signal }) =>
      (await readJson<DevicesAnswer>(`/api/v1/devices${queryString({ ...wanted, limit })}`, signal)).items,
    placeholderData: keepPreviousData,
    refetchInterval: PINNED_EVERY_MS,
  });

/** These devices, those that are there. */
export const namedDevicesQuery = (ids: readonly string[]) =>
  queryOptions({
    queryKey: ["named devices", ids],
    queryFn: async ({ signal }) =>
      (
        await readJson<DevicesAnswer>(
          `/api/v1/devices${queryString({ ids: ids.join(","), limit: ids.length })}`,
          signal,
        )
      ).items,
    enabled: ids.length > 0,
    placeholderData: keepPreviousData,
    refetchInterval: PINNED_EVERY_MS,
  });

/** The metric that a list of devices is about: the one it is sorted by, else narrowed by, else the first of its columns; null for none. */
export function metricOfList(address: URLSearchParams): string | null {
  const filter = parseFilter(address.get("where") ?? "");
  const conditions = "conditions" in filter ? filter.conditions : [];
  const names = [
    /^-?value:(.+)$/.exec(address.get("sort") ?? "")?.[1],
    ...conditions.map((condition) => (condition.of === "metric" ? condition.metric : undefined)),
    ...(address.get("columns") ?? "").split(",").map((column) => /^value:(.+)$/.exec(column)?.[1]),
  ];
  return names.find(isName) ?? null;
}
