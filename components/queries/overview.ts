import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import type { DeviceState, DevicesAnswer, DeviceView } from "@/server/contracts/devices";
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

/**
 * Devices worth a look: those asked for, then those that fell behind last, then live ones by name.
 * @param most how many of each.
 */
export const stripDevicesQuery = (pinned: readonly string[], most: number) =>
  queryOptions({
    queryKey: ["strip", pinned, most],
    queryFn: async ({ signal }): Promise<readonly DeviceView[]> => {
      const read = async (query: Record<string, string | number>) =>
        (await readJson<DevicesAnswer>(`/api/v1/devices${queryString(query)}`, signal)).items;
      const inState = (state: DeviceState, sort: string) => read({ state, sort, limit: most });
      const [wanted, stale, silent, live] = await Promise.all([
        pinned.length === 0 ? [] : read({ ids: pinned.join(","), limit: pinned.length }),
        inState("stale", "-lastSeen"),
        inState("silent", "-lastSeen"),
        inState("live", "id"),
      ]);
      const inOrder = pinned.flatMap((id) => wanted.find((device) => device.id === id) ?? []);
      return [...inOrder, ...stale, ...silent, ...live];
    },
    placeholderData: keepPreviousData,
    refetchInterval: 30_000,
  });
