import { z } from "zod";
import { readAlerts, readEvents } from "@/server/alerting/alerts";
import { alertPath, alertsAnswer, alertsQuery, alertWithEvents } from "@/server/contracts/alerts";
import { sentenceOf } from "@/server/domain/alerts/sentence";
import { openCursor, sealCursor } from "../cursor";
import { NO_PARAMETERS, verb } from "../verb";
import { noAlert, toAlert, toEvent } from "./view";

const ORDER = "alerts";
const place = z.string().regex(/^\d{1,18}$/);

export const listAlerts = verb(
  {
    method: "GET",
    path: "/api/v1/alerts",
    access: "view",
    bySite: true,
    summary: "Alerts, those decided last first",
    params: NO_PARAMETERS,
    query: alertsQuery,
    answer: alertsAnswer,
    status: 200,
    problems: [],
  },
  () =>
    async ({ tx, sites }, { query: { cursor, limit, ...filter } }) => {
      const after = openCursor(ORDER, place, cursor) ?? undefined;
      const found = await readAlerts(tx, { ...filter, sites, after, limit: limit + 1 });
      const page = found.slice(0, limit);
      return { items: page.map(toAlert), next: found.length > limit ? sealCursor(ORDER, page.at(-1)!.id) : null };
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
      return { ...toAlert(row), events, sentence: row.spec === null ? null : sentenceOf(row.spec) };
    },
);
