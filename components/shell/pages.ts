"use client";
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import type { Me } from "@/server/contracts/access";
import { ACCOUNT_PAGE, ADMIN_PAGES, PAGES } from "@/server/contracts/pages";
import { meQuery } from "../queries/access";

/** A page as the navigation, the palette and the keys name it. */
export interface PageLink {
  readonly href: string;
  readonly label: string;
  /** What follows `g`. */
  readonly key: string;
}

/** The pages that somebody can go to, in order. */
interface OpenPages {
  readonly pages: readonly PageLink[];
  /** Those for who lets others in. */
  readonly adminPages: readonly PageLink[];
  /** All of them, with the one of the account. */
  readonly all: readonly PageLink[];
}

/** The pages that who is signed in can go to. The navigation, the palette and the keys offer these, and no others. */
export function useOpenPages(): OpenPages {
  const { data } = useQuery(meQuery());
  return useMemo(() => openPages(data), [data]);
}

/** @param me undefined until it is known: then the pages that most people have are offered, so that nothing moves. */
export function openPages(me: Pick<Me, "permissions" | "everywhere"> | undefined): OpenPages {
  const pages = PAGES.filter(({ ofAllSites }) => !ofAllSites || me === undefined || me.everywhere.includes("view"));
  const adminPages = ADMIN_PAGES.filter(({ permission }) =>
    (permission === "administer" ? me?.everywhere : me?.permissions)?.includes(permission),
  );
  return { pages, adminPages, all: [...pages, ...adminPages, ACCOUNT_PAGE] };
}
