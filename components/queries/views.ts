import { queryOptions } from "@tanstack/react-query";
import type { NewView, SavedView, ViewChanges, ViewsAnswer } from "@/server/contracts/views";
import { deleteJson, patchJson, postJson, readJson } from "./request";

/** The first part of the key of all saved views. */
export const VIEWS = "saved views";

/** Everyone's views and one's own, in order. */
export const viewsQuery = () =>
  queryOptions({
    queryKey: [VIEWS],
    queryFn: async ({ signal }) => (await readJson<ViewsAnswer>("/api/v1/views", signal)).items,
    staleTime: 10_000,
    // Others share, pin and arrange, too: a wall follows without being touched.
    refetchInterval: 30_000,
  });

/** Saves a view. @throws RequestError: 409 when there is one of that name, or too many. */
export function addView(view: NewView): Promise<SavedView> {
  return postJson("/api/v1/views", view);
}

/** Changes a view. @throws RequestError: 404 when it is gone, 409 when there is one of that name. */
export function changeView(id: number, changes: ViewChanges): Promise<SavedView> {
  return patchJson(`/api/v1/views/${id}`, changes);
}

/** Removes a view. @throws RequestError: 404 when it is gone. */
export function removeView(id: number): Promise<SavedView> {
  return deleteJson(`/api/v1/views/${id}`);
}
