import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import type { ReadingsAnswer } from "@/server/contracts/devices";
import { applyToSeries, toSeries, WANTED_POINTS } from "../devices/series";
import type { LiveClient } from "../live/client";
import { queryString, readJson } from "./request";

/** Ranges up to this long are drawn from the readings themselves. */
const RAW_UP_TO_MS = 3_600_000;

interface Wanted {
  device: string;
  metric: string;
  /** Length of the range in ms; null is everything there is. */
  spanMs: number | null;
  /** Where it ends, epoch ms; null is now, going on live. */
  end: number | null;
}

/** The history of one metric as a series; one that ends now is kept up to date by the device's room. */
export const readingsQuery = (live: LiveClient, { device, metric, spanMs, end }: Wanted) =>
  queryOptions({
    queryKey: ["readings", device, metric, spanMs, end],
    queryFn: async ({ signal }) => {
      const load = async () => {
        const to = end ?? Date.now();
        const read = (from: number, until: number) => readRange(device, metric, from, until, signal);
        return toSeries(spanMs === null ? await readAll(read, to) : await read(to - spanMs, to));
      };
      return end === null ? live.snapshot(`device:${device}`, load, applyToSeries) : load();
    },
    placeholderData: keepPreviousData,
    refetchInterval: end === null ? 60_000 : false,
    staleTime: end === null ? 5000 : Infinity,
  });

function readRange(device: string, metric: string, from: number, to: number, signal: AbortSignal) {
  const query = queryString({
    metric,
    from: new Date(Math.max(0, from)).toISOString(),
    to: new Date(to).toISOString(),
    // A rollup's minute is coarse for a range this short, and few readings lie in it.
    resolution: to - from <= RAW_UP_TO_MS ? "raw" : "auto",
    maxPoints: WANTED_POINTS,
  });
  return readJson<ReadingsAnswer>(`/api/v1/devices/${encodeURIComponent(device)}/readings${query}`, signal);
}

/** Nothing says where a series begins: asks for all of time, then closer and closer around what there is. */
async function readAll(
  read: (from: number, to: number) => Promise<ReadingsAnswer>,
  to: number,
): Promise<ReadingsAnswer> {
  let answer = await read(0, to);
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
