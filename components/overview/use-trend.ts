"use client";
import { useMemo } from "react";
import type { PipelineAnswer } from "@/server/contracts/pipeline";
import { BUCKET_MS, trend, type TrendPoint } from "./trend";

/** The last 15 minutes of the pipeline; the same list until another bucket is finished. Nothing while the pipeline isn't known. */
export function useTrend(pipeline: PipelineAnswer | undefined): readonly TrendPoint[] {
  const end = pipeline ? Math.floor(Date.parse(pipeline.time) / BUCKET_MS) * BUCKET_MS : 0;
  const finished = pipeline?.history.findLast(({ time }) => time < end);
  // Frames come several times a second, and only the bucket that is filling changes with them: it isn't drawn.
  const version = JSON.stringify([end, pipeline?.totals.messages === 0, finished]);
  // oxlint-disable-next-line react/exhaustive-deps -- see above
  return useMemo(() => (pipeline ? trend(pipeline, end) : []), [version]);
}
