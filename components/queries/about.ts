import { queryOptions } from "@tanstack/react-query";
import type { About } from "@/server/contracts/about";
import { readJson } from "./request";

/** Which version this is, and what changed since those before. */
export const aboutQuery = () =>
  queryOptions({
    queryKey: ["about"],
    queryFn: ({ signal }) => readJson<About>("/api/v1/about", signal),
    staleTime: Infinity,
  });
