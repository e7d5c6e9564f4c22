import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import type { ReadingsAnswer, StripsAnswer } from "@/server/contracts/devices";
import type { EpochMs } from "@/server/domain/terms";
import { toSegment } from "@/server/domain/segment";
import { applyToAll, type Series, toSeries, WANTED_POINTS } from "../live/series";
import { applyToStrips, type DeviceStrips, toDeviceStrips } from "../live/texts";
import type { LiveClient } from "../live/client";
import { serverNow } from "../ui/server-time";
import { queryString, readJson } from "./request";

/** The parameters of a chart's request. */
export interface WantedHistory {
  readonly device: string;
  /** One metric at least. */
  readonly metrics: readonly string[];
  /** A range by its length (ms; null is everything there is from `begin` on) and where it ends (null: now), or by both its ends. */
  readonly range:
    | { readonly spanMs: number | null; readonly end: number | null; readonly begin: EpochMs }
    | { readonly from: number; readonly to: number };
  /** True if readings still come in: the device's room keeps it up to date. */
  readonly isLive: boolean;
}

/** The history of metrics of a device, a series each. */
export const historyQuery = (live: LiveClient, { device, metrics, range, isLive }: WantedHistory) =>
  queryOptions({
    queryKey: ["history", device, metrics, range, isLive],
    queryFn: async ({ signal }): Promise<readonly Series[]> => {
      const load = () => {
        const to = "to" in range ? range.to : (range.end ?? serverNow());
        return Promise.all(
          metrics.map(async (metric) => {
            const read = (from: number, until: number) => readRange(device, metric, from, until, signal);
            if ("from" in range) return toSeries(await read(range.from, to));
            return toSeries(
              range.spanMs === null ? await readAll(read, range.begin, to) : await read(to - range.spanMs, to),
            );
          }),
        );
      };
      return isLive ? live.snapshot<readonly Series[]>(`device:${device}`, load, applyToAll) : load();
    },
    placeholderData: keepPreviousData,
    staleTime: isLive ? 5000 : Infinity,
  });

/** All metrics of a device in few points, a series each, and its texts; the range as for historyQuery. */
export const stripsQuery = (live: LiveClient, { device, range, isLive }: Omit<WantedHistory, "metrics">) =>
  queryOptions({
    queryKey: ["strips", device, range, isLive],
    queryFn: async ({ signal }): Promise<DeviceStrips> => {
      const load = async () => {
        const to = "to" in range ? range.to : (range.end ?? serverNow());
        const from = "from" in range ? range.from : range.spanMs === null ? range.begin : to - range.spanMs;
        const query = queryString({
          from: new Date(Math.max(0, from)).toISOString(),
          to: new Date(to).toISOString(),
        });
        return toDeviceStrips(
          await readJson<StripsAnswer>(`/api/v1/devices/${toSegment(device)}/strips${query}`, signal),
        );
      };
      return isLive ? live.snapshot<DeviceStrips>(`device:${device}`, load, applyToStrips) : load();
    },
    placeholderData: keepPreviousData,
    staleTime: isLive ? 5000 : Infinity,
  });

/** When a device sent anything in the 24 hours before `now`, as its strips: asked for once in a while. */
export const daySeenQuery = (device: string) =>
  queryOptions({
    queryKey: ["day seen", device],
    queryFn: async ({ signal }) => {
      const now = serverNow();
      const query = queryString({
        from: new Date(now - 86_400_000).toISOString(),
        to: new Date(now).toISOString(),
        maxPoints: 146,
      });
      return { now, ...(await readJson<StripsAnswer>(`/api/v1/devices/${toSegment(device)}/strips${query}`, signal)) };
    },
    refetchInterval: 60_000,
  });

function readRange(device: string, metric: string, from: number, to: number, signal: AbortSignal) {
  const query = queryString({
    metric,
    from: new Date(Math.max(0, from)).toISOString(),
    to: new Date(to).toISOString(),
    maxPoints: WANTED_POINTS,
  });
  return readJson<ReadingsAnswer>(`/api/v1/devices/${toSegment(device)}/readings${query}`, signal);
}

/** Reads a whole series. Nothing says where it begins, so this asks for all of time, then closer and closer around what there is. */
async function readAll(
  read: (from: number, to: number) => Promise<ReadingsAnswer>,
  begin: EpochMs,
  to: EpochMs,
): Promise<ReadingsAnswer> {
  let answer = await read(begin, to);
  for (let round = 0; round < 3; round++) {
    const first = answer.points[0];
    const last = answer.points.at(-1);
    if (!first || !last) return answer;
    const until = Math.min(to, last.time + Math.max(1, answer.bucketMs));
    const isClose = until - first.time > (Date.parse(answer.to) - Date.parse(answer.from)) / 2;
    if (isClose) return answer;
    answer = await read(first.time, until);
  }
  return answer;
}

/** Returns the address of a download of what a device said in words. Times in epoch ms. */
export function textsAddress(device: string, { from, to }: { readonly from: number; readonly to: number }): string {
  const [first, end] = [from, to].map((time) => new Date(Math.max(0, time)).toISOString());
  return `/api/v1/devices/${toSegment(device)}/texts.csv${queryString({ from: first, to: end })}`;
}

/** Returns the address of a download of readings: what is shown (auto), or every reading (raw). Times in epoch ms. */
export function downloadAddress(
  format: "csv" | "json",
  device: string,
  metrics: readonly string[],
  { from, to }: { readonly from: number; readonly to: number },
  resolution: "auto" | "raw",
): string {
  const query = queryString({
    metric: metrics.join(","),
    from: new Date(Math.max(0, from)).toISOString(),
    to: new Date(to).toISOString(),
    resolution,
    ...(resolution === "auto" ? { maxPoints: WANTED_POINTS } : {}),
  });
  return `/api/v1/devices/${toSegment(device)}/readings.${format}${query}`;
}
