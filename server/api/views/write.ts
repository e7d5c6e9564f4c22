import { z } from "zod";
import type { ViewPage } from "@/server/contracts/view-pages";
import { MOST_VIEWS, newView, savedView, viewChanges, viewPath, viewQueryProblem } from "@/server/contracts/views";
import { type Caller, sitesOf } from "@/server/domain/access";
import type { WritingContext } from "@/server/postgres/context";
import {
  countViews,
  findView,
  insertView,
  type KeptView,
  lockViews,
  placeView,
  removeView,
  updateView as writeView,
  type ViewSaid,
} from "@/server/views/views";
import { BODY_PROBLEMS, parseJsonBody } from "../json-body";
import { defined, missing, taken } from "../notifications/shared";
import { invalid } from "../parse";
import { ProblemError } from "../problem";
import { NO_PARAMETERS, writingVerb } from "../verb";
import { EVERYWHERE, NotHereError } from "../within";
import { accountOf, toView } from "./list";

const { $schema: _, ...VIEW_SCHEMA } = z.toJSONSchema(newView, { io: "input" });
const { $schema: __, ...CHANGES_SCHEMA } = z.toJSONSchema(viewChanges, { io: "input" });

export const addView = writingVerb(
  {
    method: "POST",
    path: "/api/v1/views",
    access: "view",
    bySite: true,
    summary: "Keeps what a page is asked for under a name, for the caller or for everyone",
    params: NO_PARAMETERS,
    query: NO_PARAMETERS,
    answer: savedView,
    status: 200,
    problems: ["taken", "too-many-views", ...BODY_PROBLEMS],
    bodies: { "application/json": VIEW_SCHEMA },
  },
  () =>
    async (ctx, { request, note }) => {
      const { shared, before, ...said } = await parseJsonBody(newView, request);
      mustTake(said.page, said.query);
      const accountId = ownerOf(ctx.caller, shared);
      mayWrite(ctx.caller, accountId);
      await lockViews(ctx.tx);
      await mustHaveRoom(ctx, accountId);
      const id = await insertView(ctx.tx, { ...said, accountId }, accountOf(ctx.caller));
      if (id === null) throw taken("view", said.name);
      if (before !== null) await place(ctx, id, before);
      note({ target: String(id), detail: { after: { ...said, shared } } });
      return toView(await find(ctx, id))!;
    },
);

export const updateView = writingVerb(
  {
    method: "PATCH",
    path: "/api/v1/views/{id}",
    access: "view",
    bySite: true,
    summary: "Changes a view: its name, its query, whose it is, where it is pinned, its place",
    params: viewPath,
    query: NO_PARAMETERS,
    answer: savedView,
    status: 200,
    problems: ["not-found", "taken", "too-many-views", ...BODY_PROBLEMS],
    bodies: { "application/json": CHANGES_SCHEMA },
  },
  () =>
    async (ctx, { params: { id }, request, note }) => {
      const { before, shared, ...changes } = await parseJsonBody(viewChanges, request);
      await lockViews(ctx.tx);
      const { id: _id, by: _by, ...kept } = await find(ctx, id);
      mayWrite(ctx.caller, kept.accountId);
      const said: ViewSaid = { ...kept, ...defined(changes) };
      const wanted = { ...said, accountId: shared === undefined ? kept.accountId : ownerOf(ctx.caller, shared) };
      mustTake(wanted.page as ViewPage, wanted.query);
      mayWrite(ctx.caller, wanted.accountId);
      if (wanted.accountId !== kept.accountId) await mustHaveRoom(ctx, wanted.accountId);
      if (!(await writeView(ctx.tx, id, wanted))) throw taken("view", wanted.name);
      if (before !== undefined) await place(ctx, id, before);
      note({ target: String(id), detail: { before: told(kept), after: told(wanted) } });
      return toView(await find(ctx, id))!;
    },
);

export const deleteView = writingVerb(
  {
    method: "DELETE",
    path: "/api/v1/views/{id}",
    access: "view",
    bySite: true,
    summary: "Removes a view",
    params: viewPath,
    query: NO_PARAMETERS,
    answer: savedView,
    status: 200,
    problems: ["not-found"],
  },
  () =>
    async (ctx, { params: { id }, note }) => {
      await lockViews(ctx.tx);
      const kept = await find(ctx, id);
      mayWrite(ctx.caller, kept.accountId);
      await removeView(ctx.tx, id);
      note({ target: String(id), detail: { before: told(kept) } });
      return toView(kept)!;
    },
);

function told({ accountId, page, name, query, onOverview, onWall }: ViewSaid) {
  return { page, name, query, onOverview, onWall, shared: accountId === null };
}

/** @throws when the page takes no such query */
function mustTake(page: ViewPage, query: string): void {
  const message = viewQueryProblem(page, query);
  if (message !== null) throw invalid([{ at: "query", message }]);
}

/** Whose a view is to be. @throws when it is to be the own of what has none */
function ownerOf(caller: Caller, shared: boolean): number | null {
  const account = accountOf(caller);
  if (!shared && account === null)
    throw invalid([{ at: "shared", message: "must be true: only people have views of their own" }]);
  return shared ? null : account;
}

/** Everyone's views are changed by those who may operate everywhere. @throws NotHereError */
function mayWrite(caller: Caller, accountId: number | null): void {
  if (accountId === null && sitesOf(caller, "operate") !== "all") throw new NotHereError(EVERYWHERE, "operate");
}

async function mustHaveRoom({ tx }: WritingContext, accountId: number | null): Promise<void> {
  if ((await countViews(tx, accountId)) < MOST_VIEWS) return;
  const whose = accountId === null ? "Everyone shares" : "You keep";
  throw new ProblemError(
    "too-many-views",
    `${whose} ${MOST_VIEWS} views already, which is the most: delete one first.`,
  );
}

async function find({ tx, caller }: WritingContext, id: number): Promise<KeptView> {
  const view = await findView(tx, id, accountOf(caller));
  if (view === null || toView(view) === null) throw missing("view", id);
  return view;
}

async function place({ tx, caller }: WritingContext, id: number, before: number | null): Promise<void> {
  if (!(await placeView(tx, id, before, accountOf(caller))))
    throw invalid([{ at: "before", message: `names a view that isn't there: ${before}` }]);
}
