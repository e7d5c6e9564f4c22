import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import type { OddAnswer } from "@/server/contracts/odd";
import { postJson, queryString, readJson } from "./request";

const ROOT = "/api/v1/odd";

/** The first part of the keys of all that tells of odd stretches. */
export const ODD = "odd";

/** The filter of the list of odd stretches; null: any. */
export interface OddFilter {
  readonly state: "now" | "day" | "week";
  readonly site: string | null;
  readonly device: string | null;
}

/** Odd stretches, ranked. */
export const oddQuery = ({ state, site, device }: OddFilter, cursor: string | null) =>
  queryOptions({
    queryKey: [ODD, state, site, device, cursor],
    queryFn: ({ signal }) =>
      readJson<OddAnswer>(
        `${ROOT}${queryString({ state, site: site ?? "", device: device ?? "", cursor: cursor ?? "" })}`,
        signal,
      ),
    placeholderData: keepPreviousData,
    refetchInterval: 30_000,
  });

/** Says of a stretch that it was normal or real; null takes that back. */
export function labelOdd(stretch: string, said: "normal" | "real" | null): Promise<unknown> {
  return postJson(`${ROOT}/${encodeURIComponent(stretch)}/label`, { said });
}
