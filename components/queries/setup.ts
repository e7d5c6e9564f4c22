import { queryOptions } from "@tanstack/react-query";
import type { SetupAnswer } from "@/server/contracts/setup";
import { readJson } from "./request";

/** Every recorded start, newest first. */
export const setupQuery = () =>
  queryOptions({
    queryKey: ["setup"],
    queryFn: ({ signal }) => readJson<SetupAnswer>("/api/v1/setup", signal),
    refetchInterval: 15_000,
  });
