"use client";
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { ACCOUNT_PAGE, ADMIN_PAGES, PAGES } from "@/server/contracts/pages";
import { meQuery } from "../queries/access";

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
  return useMemo(() => ADMIN_PAGES.filter(({ permission }) => data?.permissions.includes(permission)), [data]);
}

/** The pages that who is signed in can go to, in order. */
export function usePageLinks(): readonly PageLink[] {
  const adminPages = useAdminPages();
  return useMemo(() => [...PAGES, ...adminPages, ACCOUNT_PAGE], [adminPages]);
}
