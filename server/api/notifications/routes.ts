import type { PoolClient } from "pg";
import { z } from "zod";
import {
  deletedNumber,
  newRouteBody,
  numberedPath,
  routeChanges,
  routeCheck,
  routeCheckBody,
  routesAnswer,
  routeView,
} from "@/server/contracts/notifications";
import { readNamesNow } from "@/server/catalog/other-names";
import { matches } from "@/server/domain/notifications/matcher";
import { listChannels } from "@/server/notifications/channels";
import { muteOfMight } from "@/server/notifications/mutes";
import {
  deleteRoute,
  insertRoute,
  listRoutes,
  moveRoute,
  type Route,
  routeOf,
  type RouteSaid,
  updateRoute,
} from "@/server/notifications/routes";
import { BODY_PROBLEMS, parseJsonBody } from "../json-body";
import { invalid } from "../parse";
import { matchersNow } from "../sites/names-now";
import { NO_PARAMETERS, verb, writingVerb } from "../verb";
import { defined, isTaken, missing, mustBeAt, mustBeChannels, taken } from "./shared";

const { $schema: _, ...NEW_SCHEMA } = z.toJSONSchema(newRouteBody, { io: "input" });
const { $schema: __, ...CHANGES_SCHEMA } = z.toJSONSchema(routeChanges, { io: "input" });
const { $schema: ___, ...CHECK_SCHEMA } = z.toJSONSchema(routeCheckBody, { io: "input" });
/** Each is compared with each event. */
const MOST_ROUTES = 200;

export const listRoutesVerb = verb(
  {
    method: "GET",
    path: "/api/v1/routes",
    access: "view",
    summary: "Who is told of which alerts, in order",
    params: NO_PARAMETERS,
    query: NO_PARAMETERS,
    answer: routesAnswer,
    status: 200,
    problems: [],
  },
  () =>
    async ({ tx }) => ({ items: (await listRoutes(tx)).map(told) }),
);

export const addRoute = writingVerb(
  {
    method: "POST",
    path: "/api/v1/routes",
    access: "edit",
    summary: "Adds a route after all others",
    params: NO_PARAMETERS,
    query: NO_PARAMETERS,
    answer: routeView,
    status: 200,
    problems: ["taken", ...BODY_PROBLEMS],
    bodies: { "application/json": NEW_SCHEMA },
  },
  () =>
    async ({ tx }, { request, note }) => {
      const body = await parseJsonBody(newRouteBody, request);
      note({ target: body.name });
      if ((await lockedRoutes(tx)).length >= MOST_ROUTES)
        throw invalid([{ at: "name", message: `would be one more than the ${MOST_ROUTES} routes there can be` }]);
      const said = await checked(tx, saidOf(body));
      const id = await insertRoute(tx, said);
      if (id === null) throw taken("route", body.name);
      const after = told((await listRoutes(tx)).find((route) => route.id === id)!);
      note({ target: body.name, detail: { after } });
      return after;
    },
);

export const updateRouteVerb = writingVerb(
  {
    method: "PATCH",
    path: "/api/v1/routes/{id}",
    access: "edit",
    summary: "Changes a route or its place in the order; what is left out stays",
    params: numberedPath,
    query: NO_PARAMETERS,
    answer: routeView,
    status: 200,
    problems: ["not-found", "taken", "changed-meanwhile", ...BODY_PROBLEMS],
    bodies: { "application/json": CHANGES_SCHEMA },
  },
  () =>
    async ({ tx }, { params: { id }, request, note }) => {
      const { revision, place, ...changes } = await parseJsonBody(routeChanges, request);
      const before = await routeAt(tx, id);
      mustBeAt(before, revision);
      const said = await checked(tx, saidOf({ ...told(before), ...defined(changes) }));
      if (await isTaken(tx, "route", said.name, id)) throw taken("route", said.name);
      await updateRoute(tx, id, said);
      if (place !== undefined) await moveRoute(tx, id, place);
      const after = told((await listRoutes(tx)).find((route) => route.id === id)!);
      note({ target: before.name, detail: { before: told(before), after } });
      return after;
    },
);

export const deleteRouteVerb = writingVerb(
  {
    method: "DELETE",
    path: "/api/v1/routes/{id}",
    access: "edit",
    summary: "Removes a route; what it hasn't told yet isn't told",
    params: numberedPath,
    query: NO_PARAMETERS,
    answer: deletedNumber,
    status: 200,
    problems: ["not-found"],
  },
  () =>
    async ({ tx }, { params: { id }, note }) => {
      const before = await routeAt(tx, id);
      await deleteRoute(tx, id);
      note({ target: before.name, detail: { before: told(before) } });
      return { id };
    },
);

export const checkRoute = verb(
  {
    method: "POST",
    path: "/api/v1/route-check",
    access: "view",
    summary: "Tells who would be told of an alert that might be, and why nobody",
    params: NO_PARAMETERS,
    query: NO_PARAMETERS,
    answer: routeCheck,
    status: 200,
    problems: [...BODY_PROBLEMS],
    bodies: { "application/json": CHECK_SCHEMA },
  },
  () =>
    async ({ tx, now }, { request }) => {
      const alert = await parseJsonBody(routeCheckBody, request);
      const routes = await listRoutes(tx);
      const channels = await listChannels(tx);
      const route = routeOf(routes, alert) ?? null;
      const named = (ids: readonly number[]) =>
        ids.flatMap((id) =>
          channels.filter((channel) => channel.id === id).map(({ name, enabled }) => ({ id, name, enabled })),
        );
      return {
        route: route && { id: route.id, name: route.name },
        channels: named(route?.channels ?? []),
        escalatesTo: named(route?.escalateTo ?? []),
        muted: await muteOfMight(tx, alert, now),
        passed: routes
          .slice(0, route === null ? undefined : routes.indexOf(route))
          .filter(({ enabled, matchers }) => !enabled || !matches(matchers, alert))
          .map(({ name }) => name),
      };
    },
);

/** All routes, which nobody changes until the transaction ends. */
async function lockedRoutes(tx: PoolClient): Promise<Route[]> {
  await tx.query(`LOCK TABLE route IN SHARE ROW EXCLUSIVE MODE`);
  return listRoutes(tx);
}

async function routeAt(tx: PoolClient, id: number): Promise<Route> {
  const row = (await lockedRoutes(tx)).find((route) => route.id === id);
  if (row === undefined) throw missing("route", id);
  return row;
}

async function checked(tx: PoolClient, said: RouteSaid): Promise<RouteSaid> {
  await mustBeChannels(tx, "channels", said.channels);
  await mustBeChannels(tx, "escalate.channels", said.escalateTo);
  return { ...said, matchers: matchersNow(said.matchers, await readNamesNow(tx)) };
}

type Body = Omit<z.output<typeof newRouteBody>, never>;

function saidOf({
  escalate,
  name,
  enabled,
  matchers,
  channels,
  groupBy,
  waitMs,
  intervalMs,
  repeatMs,
  resolved,
  late,
}: Body): RouteSaid {
  return {
    ...{ name, enabled, matchers, channels, groupBy, waitMs, intervalMs, repeatMs, resolved, late },
    ...{ escalateMs: escalate?.afterMs ?? null, escalateTo: escalate?.channels ?? [] },
  };
}

function told({ escalateMs, escalateTo, matchers, channels, groupBy, ...rest }: Route): z.output<typeof routeView> {
  return {
    ...rest,
    ...{ matchers: [...matchers], channels: [...channels], groupBy: [...groupBy] },
    escalate: escalateMs === null ? null : { afterMs: escalateMs, channels: [...escalateTo] },
  };
}
