import { queryOptions } from "@tanstack/react-query";
import type { LineageAnswer } from "@/server/contracts/lineage";
import { readJson } from "./request";

/** What data there is, and what went which way. */
export const lineageQuery = () =>
  queryOptions({
    queryKey: ["lineage"],
    queryFn: ({ signal }) => readJson<LineageAnswer>("/api/v1/lineage", signal),
    refetchInterval: 5000,
  });
