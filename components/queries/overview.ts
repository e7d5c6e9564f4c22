import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import type { DeviceState, DevicesAnswer, DeviceView } from "@/server/contracts/devices";
import type { AlertsPage } from "./alerts";
import type { StagesAnswer } from "@/server/contracts/stages";
import type { NewLetter } from "./new-letters";
import { type Quality, qualityOf } from "./quality-counts";
import { queryString, readJson } from "./request";

/** Asks what was wrong with the data of the last 15 minutes. */
export const qualityQuery = () =>
  queryOptions({
    queryKey: ["quality", 15],
    queryFn: async ({ signal }): Promise<Quality> =>
      qualityOf(
        (await readJson<StagesAnswer>(`/api/v1/pipeline/stages${queryString({ minutes: 15 })}`, signal)).buckets,
      ),
    refetchInterval: 5000,
  });

/** The dead letters that came last, newest first. */
export const newestLettersQuery = (limit: number) =>
  queryOptions({
    queryKey: ["newest dead letters", limit],
    queryFn: async ({ signal }) =>
      (await readJson<{ items: NewLetter[] }>(`/api/v1/dead-letters${queryString({ limit })}`, signal)).items,
    refetchInterval: 5000,
  });

/** A device worth a look. */
export interface WatchedDevice {
  readonly device: DeviceView;
  /** Its worst alert that is open; null for one that is pinned, stale or silent. */
  readonly alert: { readonly id: string; readonly rule: string; readonly metric: string | null } | null;
}

/**
 * Devices worth a look: those asked for, then those at which alerts fire, the worst first, then those that fell behind last.
 * One that is well and not asked for isn't among them. @param most how many of each.
 */
export const watchedDevicesQuery = (pinned: readonly string[], most: number) =>
  queryOptions({
    queryKey: ["watched devices", pinned, most],
    queryFn: async ({ signal }): Promise<readonly WatchedDevice[]> => {
      const read = async (query: Record<string, string | number>) =>
        (await readJson<DevicesAnswer>(`/api/v1/devices${queryString(query)}`, signal)).items;
      const behind = (state: DeviceState) => read({ state, sort: "-lastSeen", limit: most });
      const open = queryString({ state: "open", order: "worst", limit: 4 * most });
      const [alerts, stale, silent] = await Promise.all([
        readJson<AlertsPage>(`/api/v1/alerts${open}`, signal),
        behind("stale"),
        behind("silent"),
      ]);
      const worst = new Map<string, WatchedDevice["alert"]>();
      for (const { id, rule, device, metric } of alerts.items)
        if (device !== null && !worst.has(device)) worst.set(device, { id, rule: rule.name, metric });
      const ids = [...new Set([...pinned, ...[...worst.keys()].slice(0, most)])];
      const named = ids.length === 0 ? [] : await read({ ids: ids.join(","), limit: ids.length });
      const inOrder = ids.flatMap((id) => named.find((device) => device.id === id) ?? []);
      const rest = [...stale, ...silent].filter(({ id }) => !ids.includes(id));
      return [...inOrder, ...rest].map((device) => ({ device, alert: worst.get(device.id) ?? null }));
    },
    placeholderData: keepPreviousData,
    refetchInterval: 15_000,
  });
