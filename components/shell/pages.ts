"use client";
import { useMemo } from "react";
import { ACCOUNT_PAGE, ADMIN_PAGES, PAGES } from "@/server/contracts/pages";
import { useMay } from "../queries/access";

/** A page as the navigation, the palette and the keys name it. */
export interface PageLink {
  readonly href: string;
  readonly label: string;
  /** What follows `g`. */
  readonly key: string;
}

/** The pages that who is signed in can go to, in order. */
export function usePageLinks(): readonly PageLink[] {
  const mayAdminister = useMay("administer");
  return useMemo(() => [...PAGES, ...(mayAdminister ? ADMIN_PAGES : []), ACCOUNT_PAGE], [mayAdminister]);
}
