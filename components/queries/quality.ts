import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import type { DeviceQuality, QualityAnswer } from "@/server/contracts/quality";
import type { EpochMs } from "@/server/domain/terms";
import { toSegment } from "@/server/domain/segment";
import { queryString, readJson } from "./request";

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
