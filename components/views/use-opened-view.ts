"use client";
import { useQuery } from "@tanstack/react-query";
import { OPENED, type ViewPage, viewQueryOf } from "@/server/contracts/view-pages";
import type { SavedView } from "@/server/contracts/views";
import { viewsQuery } from "../queries/views";
import { useAddress } from "../ui/url";

/** The views of a page, and the one that its address says was opened. */
export interface OpenedView {
  /** In order; undefined until they are known. */
  readonly views: readonly SavedView[] | undefined;
  /** Null: none was, or not one that is seen. */
  readonly view: SavedView | null;
  /** What the page shows now, as a view would keep it. */
  readonly shown: string;
  /** True if that isn't what the view says. */
  readonly isChanged: boolean;
}

/** Which of the page's views is open, and whether what is shown is still that. */
export function useOpenedView(page: ViewPage): OpenedView {
  const { data } = useQuery(viewsQuery());
  const [address] = useAddress();
  const views = data?.filter((view) => view.page === page);
  const view = views?.find(({ id }) => String(id) === address.get(OPENED)) ?? null;
  const shown = viewQueryOf(page, address);
  const isChanged = view !== null && viewQueryOf(page, new URLSearchParams(view.query)) !== shown;
  return { views, view, shown, isChanged };
}
