import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import type { DevicesAnswer, DevicesQuery } from "@/server/contracts/devices";
import { applyToDevices } from "../live/apply";
import type { LiveClient } from "../live/client";
import { queryString, readJson } from "./request";

/** One page of devices; the devices room keeps it up to date, and a reload now and then finds new and silent ones. */
export const devicesQuery = (live: LiveClient, query: Partial<DevicesQuery>) =>
  queryOptions({
    queryKey: ["devices", query],
    queryFn: ({ signal }) =>
      live.snapshot(
        "devices",
        () => readJson<DevicesAnswer>(`/api/v1/devices${queryString(query)}`, signal),
        applyToDevices,
      ),
    placeholderData: keepPreviousData,
    refetchInterval: 15_000,
  });

/** The devices heard from last. */
export const recentDevicesQuery = (limit: number) =>
  queryOptions({
    queryKey: ["recent devices", limit],
    queryFn: ({ signal }) =>
      readJson<DevicesAnswer>(`/api/v1/devices${queryString({ sort: "-lastSeen", limit })}`, signal),
    refetchInterval: 5000,
  });
