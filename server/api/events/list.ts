import { z } from "zod";
import { YEAR_1 } from "@/server/contracts/common";
import { eventsAnswer, eventsQuery, lagAnswer, lagQuery } from "@/server/contracts/events";
import { laneOf, sentenceOf } from "@/server/domain/events/event";
import type { EpochMs } from "@/server/domain/terms";
import { readLag } from "@/server/events/lag";
import { readEvents, type StoredEvent } from "@/server/events/list";
import { momentPlace, openCursor, sealCursor } from "../cursor";
import { toInstant } from "../instant";
import { invalid } from "../parse";
import { NO_PARAMETERS, verb } from "../verb";

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
/** Points of a chart of lag at most. */
const POINTS = 300;

const place = z.tuple([momentPlace, z.string().regex(/^[aeju][\w-]{1,64}$/)]);

export const listEvents = verb(
  {
    method: "GET",
    path: "/api/v1/events",
    access: "view",
    bySite: true,
    summary:
      "What happened, the latest first: stale and silent devices, troubles, starts, lag, alerts, jobs, edits, deployments and notes",
    description: "What is of no site is told to who sees all sites alone.",
    params: NO_PARAMETERS,
    query: eventsQuery,
    answer: eventsAnswer,
    status: 200,
    problems: [],
  },
  () =>
    async ({ tx, sites, now }, { query }) => {
      const { cursor, limit, grouped, kinds, ...filter } = query;
      const { from, to } = rangeOf(query, now, 7 * DAY_MS);
      const order = `events ${grouped}`;
      const [time, id] = openCursor(order, place, cursor) ?? [];
      const found = await readEvents(tx, {
        ...filter,
        ...{ kinds, from, to, sites, isGrouped: grouped === "yes", limit: limit + 1 },
        after: time === undefined ? undefined : { from: time, id: id! },
      });
      const page = found.slice(0, limit);
      const last = page.at(-1);
      return {
        items: page.map((event) => toView(event, now)),
        next: found.length > limit && last ? sealCursor(order, [last.from, last.id]) : null,
      };
    },
);

function toView({ data, key, from, to, open, silent, ...event }: StoredEvent, now: EpochMs) {
  const told = { ...event, silent, key, data, isOver: to !== null, durationMs: (to ?? now) - from };
  const text = (name: string) => (typeof data[name] === "string" ? data[name] : "");
  return {
    ...event,
    ...{ open, lane: laneOf(told), sentence: sentenceOf(told) },
    ...{ from: toInstant(from), to: to === null ? null : toInstant(to) },
    alert: event.kind === "alert" ? key : null,
    note: event.kind === "note" ? { id: event.id.slice(1), text: text("text"), by: text("by") } : null,
    devices: [...event.devices],
  };
}

export const listLag = verb(
  {
    method: "GET",
    path: "/api/v1/lag",
    access: "view",
    summary: "How long messages waited, over time",
    params: NO_PARAMETERS,
    query: lagQuery,
    answer: lagAnswer,
    status: 200,
    problems: [],
  },
  () =>
    async ({ tx, now }, { query }) => {
      const { from, to } = rangeOf(query, now, DAY_MS);
      const stepMs = Math.max(1, Math.ceil((to - from) / POINTS / MINUTE_MS)) * MINUTE_MS;
      const points = await readLag(tx, from, to, stepMs);
      return { stepMs, points: points.map(({ time, ...most }) => ({ time: toInstant(time), ...most })) };
    },
);

function rangeOf(
  query: { readonly from?: string | undefined; readonly to?: string | undefined },
  now: EpochMs,
  spanMs: number,
) {
  const to = query.to === undefined ? now : Date.parse(query.to);
  const from = query.from === undefined ? Math.max(YEAR_1, to - spanMs) : Date.parse(query.from);
  if (from > to) throw invalid([{ at: "from", message: "must not be after `to`" }]);
  return { from, to };
}
