import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import type { DeviceOddness, OddAnswer } from "@/server/contracts/odd";
import { toSegment } from "@/server/domain/segment";
import { postJson, queryString, readJson } from "./request";

const ROOT = "/api/v1/odd";

/** The first part of the keys of all that tells of odd stretches. */
export const ODD = "odd";

/** The filter of the list of odd stretches; null: any. */
export interface OddFilter {
  readonly state: "now" | "day" | "week";
  readonly site: string | null;
  readonly device: string | null;
}

/** Odd stretches, ranked. */
export const oddQuery = ({ state, site, device }: OddFilter, cursor: string | null) =>
  queryOptions({
    queryKey: [ODD, state, site, device, cursor],
    queryFn: ({ signal }) =>
      readJson<OddAnswer>(
        `${ROOT}${queryString({ state, site: site ?? "", device: device ?? "", cursor: cursor ?? "" })}`,
        signal,
      ),
    placeholderData: keepPreviousData,
    refetchInterval: 30_000,
  });

/** What was usual of a device's series at each step of 5 minutes. Times in epoch ms. */
export const usualQuery = (device: string, metric: string, from: number, to: number) =>
  queryOptions({
    queryKey: ["usual", device, metric, from, to],
    queryFn: ({ signal }) =>
      readJson<DeviceOddness>(
        `/api/v1/devices/${toSegment(device)}/oddness${queryString({
          metric,
          from: new Date(from).toISOString(),
          to: new Date(to).toISOString(),
        })}`,
        signal,
      ),
    placeholderData: keepPreviousData,
    staleTime: 60_000,
  });

/** Says of a stretch that it was normal or real; null takes that back. */
export function labelOdd(stretch: string, said: "normal" | "real" | null): Promise<unknown> {
  return postJson(`${ROOT}/${encodeURIComponent(stretch)}/label`, { said });
}
