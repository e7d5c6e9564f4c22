import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import type { DeviceQuality, QualityAnswer, QualityLimitsAnswer, QualityLimitsBody } from "@/server/contracts/quality";
import type { EpochMs } from "@/server/domain/terms";
import { toSegment } from "@/server/domain/segment";
import { serverNow } from "../ui/server-time";
import { postJson, queryString, readJson } from "./request";

/** The filter of the list of series by quality; null: any. */
export interface QualityFilter {
  readonly site: string | null;
  readonly device: string | null;
  readonly check: string | null;
}

/** Series by how good their latest day is, worst first. */
export const worstQuery = ({ site, device, check }: QualityFilter, cursor: string | null) =>
  queryOptions({
    queryKey: ["quality", site, device, check, cursor],
    queryFn: ({ signal }) =>
      readJson<QualityAnswer>(
        `/api/v1/quality${queryString({ limit: 50, site: site ?? "", device: device ?? "", check: check ?? "", cursor: cursor ?? "" })}`,
        signal,
      ),
    placeholderData: keepPreviousData,
    refetchInterval: 60_000,
  });

/** What is flagged of a device's readings between two moments. */
export const deviceQualityQuery = (device: string, from: EpochMs, to: EpochMs) =>
  queryOptions({
    queryKey: ["device quality", device, from, to],
    queryFn: ({ signal }) =>
      readJson<DeviceQuality>(
        `/api/v1/devices/${toSegment(device)}/quality${queryString({ from: new Date(from).toISOString(), to: new Date(to).toISOString() })}`,
        signal,
      ),
    placeholderData: keepPreviousData,
    refetchInterval: 30_000,
  });

const DAY_MS = 86_400_000;

/** How good a device's readings are, with the counts of the last 24 hours. */
export const deviceDayQuery = (device: string) =>
  queryOptions({
    queryKey: ["device quality", device, "day"],
    queryFn: ({ signal }) =>
      readJson<DeviceQuality>(
        `/api/v1/devices/${toSegment(device)}/quality${queryString({ from: new Date(serverNow() - DAY_MS).toISOString() })}`,
        signal,
      ),
    refetchInterval: 60_000,
  });

/** The first part of the key of the limits. */
export const QUALITY_LIMITS = "quality limits";

/** What the checks of quality go by: the defaults, and what people set instead. */
export const limitsQuery = () =>
  queryOptions({
    queryKey: [QUALITY_LIMITS],
    queryFn: ({ signal }) => readJson<QualityLimitsAnswer>("/api/v1/quality/limits", signal),
  });

/** Sets all limits of a metric, or of it on one device. @throws RequestError: 400 with what is wrong with which */
export function saveLimits(body: QualityLimitsBody): Promise<QualityLimitsAnswer> {
  return postJson("/api/v1/quality/limits", body);
}
