"use client";
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { ACCOUNT_PAGE, ADMIN_PAGES, PAGES } from "@/server/contracts/pages";
import { meQuery, useMayEverywhere } from "../queries/access";

/** A page as the navigation, the palette and the keys name it. */
export interface PageLink {
  readonly href: string;
  readonly label: string;
  /** What follows `g`. */
  readonly key: string;
}

/** Those of the pages for who lets others in that who is signed in can go to. */
export function useAdminPages(): readonly PageLink[] {
  const { data } = useQuery(meQuery());
  return useMemo(
    () =>
      ADMIN_PAGES.filter(({ permission }) =>
        (permission === "administer" ? data?.everywhere : data?.permissions)?.includes(permission),
      ),
    [data],
  );
}

/** What they show is of all sites together. */
const OF_ALL_SITES: ReadonlySet<string> = new Set(["/pipeline", "/jobs", "/health"]);

/** The pages that who is signed in can go to, in order. */
export function usePageLinks(): readonly PageLink[] {
  const adminPages = useAdminPages();
  const maySeeAll = useMayEverywhere("view");
  return useMemo(
    () => [...PAGES.filter(({ href }) => maySeeAll || !OF_ALL_SITES.has(href)), ...adminPages, ACCOUNT_PAGE],
    [adminPages, maySeeAll],
  );
}
