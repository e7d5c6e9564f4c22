"use client";
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { usualQuery } from "../queries/odd";
import type { Series } from "../live/series";
import type { Expected } from "../ui/time-chart-lines";

/** Stretches are asked for in such steps, so that a live chart doesn't ask anew with each frame. */
const STEP_MS = 300_000;
/** A wider range would be steps thinner than a pixel. */
const WIDEST_MS = 7 * 86_400_000;
const NONE: readonly Expected[] = [];

/** What was usual of a series over a stretch, as far as enough was known; nothing unless `isWanted`. */
export function useExpected(
  { device, metric }: Series,
  from: number,
  to: number,
  isWanted: boolean,
): readonly Expected[] {
  const begin = Math.max(0, Math.floor(from / STEP_MS) * STEP_MS);
  const end = Math.ceil(to / STEP_MS) * STEP_MS;
  const { data } = useQuery({
    ...usualQuery(device, metric, begin, end),
    enabled: isWanted && to - from <= WIDEST_MS && end > begin,
  });
  return useMemo(
    () =>
      data?.points.flatMap(({ time, low, high }) => {
        const at = Date.parse(time);
        return low === null || high === null ? [] : [{ from: at, to: at + STEP_MS, low, high }];
      }) ?? NONE,
    [data],
  );
}
