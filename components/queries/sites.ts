import { queryOptions } from "@tanstack/react-query";
import type { NamingEffects } from "@/server/contracts/names";
import type { SiteChanges, SitesAnswer } from "@/server/contracts/sites";
import { patchJson, readJson } from "./request";

/** The sites there are, with the names they had before. */
export const allSitesQuery = () =>
  queryOptions({
    queryKey: ["sites", "all"],
    queryFn: ({ signal }) => readJson<SitesAnswer>("/api/v1/sites", signal),
    staleTime: 30_000,
  });

/** What another name for a site or type would do. */
export const namingEffectsQuery = (of: "sites" | "types", id: number, to: string) =>
  queryOptions({
    queryKey: [of, "effects", id, to],
    queryFn: ({ signal }) => {
      const query = new URLSearchParams({ to });
      return of === "sites"
        ? readJson<NamingEffects>(`/api/v1/sites/${id}/effects?${query}`, signal)
        : readJson<NamingEffects>(`/api/v1/types/${id}/effects?${query}`, signal);
    },
  });

/** Gives a site another name or person. @throws RequestError: 404 when it is gone, 409 when another has, or had, the name. */
export async function saveSite(id: number, changes: SiteChanges): Promise<void> {
  await patchJson(`/api/v1/sites/${id}`, changes);
}
