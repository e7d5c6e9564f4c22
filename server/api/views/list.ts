import type { z } from "zod";
import { VIEW_PAGES, type ViewPage } from "@/server/contracts/view-pages";
import { type savedView, viewsAnswer } from "@/server/contracts/views";
import type { Caller } from "@/server/domain/access";
import { ownMember } from "@/server/domain/own-member";
import { type KeptView, listViews } from "@/server/views/views";
import { NO_PARAMETERS, verb } from "../verb";

/** Whose own views a caller has: a person's; null for keys, which have none. */
export function accountOf(caller: Caller): number | null {
  return caller.kind === "user" ? caller.accountId : null;
}

/** A view as it is answered; null when its page is no longer there. */
export function toView({ accountId, page, ...view }: KeptView): z.input<typeof savedView> | null {
  if (ownMember(VIEW_PAGES, page) === undefined) return null;
  return { ...view, page: page as ViewPage, shared: accountId === null };
}

export const listSavedViews = verb(
  {
    method: "GET",
    path: "/api/v1/views",
    access: "view",
    bySite: true,
    summary: "What pages are asked for, kept under names: everyone's and the caller's own, in order",
    description: "A view holds a page's query alone: what it shows is what whoever opens it may see.",
    params: NO_PARAMETERS,
    query: NO_PARAMETERS,
    answer: viewsAnswer,
    status: 200,
    problems: [],
  },
  () =>
    async ({ tx, caller }) => ({
      items: (await listViews(tx, accountOf(caller))).map(toView).filter((view) => view !== null),
    }),
);
