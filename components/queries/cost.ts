import { queryOptions } from "@tanstack/react-query";
import type { CostAnswer } from "@/server/contracts/cost";
import { readJson } from "./request";

/** What is stored takes, will take, and costs. */
export const costQuery = () =>
  queryOptions({
    queryKey: ["cost"],
    queryFn: ({ signal }) => readJson<CostAnswer>("/api/v1/cost", signal),
    refetchInterval: 60_000,
  });
