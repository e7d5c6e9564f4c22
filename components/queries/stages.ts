import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import type { StagesAnswer } from "@/server/contracts/stages";
import { queryString, readJson } from "./request";

/** Asks what each stage of the pipeline did over the last `minutes`, again about as often as a bucket ends. */
export const stagesQuery = (minutes: number) =>
  queryOptions({
    queryKey: ["stages", minutes],
    queryFn: ({ signal }) => readJson<StagesAnswer>(`/api/v1/pipeline/stages${queryString({ minutes })}`, signal),
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) => Math.min(30_000, state.data?.bucketMs ?? 5000),
  });
