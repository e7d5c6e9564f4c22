import { z } from "zod";
import { readAlerts, readEvents } from "@/server/alerting/alerts";
import { summarizeFiring } from "@/server/alerting/summary";
import { alertPath, alertsAnswer, alertsQuery, alertSummary, alertWithEvents } from "@/server/contracts/alerts";
import { sentenceOf } from "@/server/domain/alerts/sentence";
import { channelsAway } from "@/server/notifications/channels";
import { toldOf } from "@/server/notifications/messages";
import { summarizeTelling, untoldNow } from "@/server/notifications/untold-now";
import { openCursor, sealCursor } from "../cursor";
import { toInstant } from "../instant";
import { NO_PARAMETERS, verb } from "../verb";
import { noAlert, toAlert, toEvent } from "./view";

const place = z.string().regex(/^\d{1,18}$/);

export const listAlerts = verb(
  {
    method: "GET",
    path: "/api/v1/alerts",
    access: "view",
    bySite: true,
    summary: "Alerts, with whom they were told to",
    params: NO_PARAMETERS,
    query: alertsQuery,
    answer: alertsAnswer,
    status: 200,
    problems: [],
  },
  () =>
    async ({ tx, sites, now }, { query: { cursor, limit, from, to, ...filter } }) => {
      const order = `alerts ${filter.order}`;
      const times = { from: from === undefined ? from : Date.parse(from), to: to === undefined ? to : Date.parse(to) };
      const after = openCursor(order, place, cursor) ?? undefined;
      const found = await readAlerts(tx, { ...filter, ...times, sites, after, limit: limit + 1 });
      const page = found.slice(0, limit);
      const told = await toldOf(
        tx,
        page.map(({ id }) => id),
      );
      const untold = await untoldNow(
        tx,
        page.filter(({ endedAt }) => endedAt === null).map(({ id }) => Number(id)),
        now,
      );
      return {
        items: page.map((row) => ({
          ...{ ...toAlert(row), children: row.children, told: [...(told.get(row.id) ?? [])] },
          untold: untold.get(Number(row.id)) ?? null,
        })),
        next: found.length > limit ? sealCursor(order, page.at(-1)!.id) : null,
      };
    },
);

export const summarizeAlerts = verb(
  {
    method: "GET",
    path: "/api/v1/alert-summary",
    access: "view",
    bySite: true,
    summary: "What fires, in figures, and which channels can't be used",
    params: NO_PARAMETERS,
    query: NO_PARAMETERS,
    answer: alertSummary,
    status: 200,
    problems: [],
  },
  () =>
    async ({ tx, sites, now }) => {
      const channels = sites === "all" ? await channelsAway(tx) : [];
      return {
        ...(await summarizeFiring(tx, sites)),
        ...(await summarizeTelling(tx, sites, now)),
        channels: channels.map(({ since, ...channel }) => ({ ...channel, since: toInstant(since) })),
      };
    },
);

export const getAlert = verb(
  {
    method: "GET",
    path: "/api/v1/alerts/{alert}",
    access: "view",
    bySite: true,
    summary: "One alert, with what happened to it and the rule that decided it in words",
    params: alertPath,
    query: NO_PARAMETERS,
    answer: alertWithEvents,
    status: 200,
    problems: ["not-found"],
  },
  () =>
    async ({ tx, sites }, { params }) => {
      const [row] = await readAlerts(tx, { sites, id: params.alert, limit: 1 });
      if (!row) throw noAlert(params.alert);
      const events = (await readEvents(tx, params.alert)).map(toEvent);
      const { spec, runbook, children } = row;
      return { ...toAlert(row), events, sentence: spec === null ? null : sentenceOf(spec), runbook, children };
    },
);
