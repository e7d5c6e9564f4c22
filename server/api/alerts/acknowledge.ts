import { z } from "zod";
import type { PoolClient } from "pg";
import { acknowledge, readAlerts, unacknowledge } from "@/server/alerting/alerts";
import { acknowledgement, alert, alertPath } from "@/server/contracts/alerts";
import { signatureOf, type Sites } from "@/server/domain/access";
import { BODY_PROBLEMS, parseJsonBody } from "../json-body";
import { invalid } from "../parse";
import { ProblemError } from "../problem";
import { NO_PARAMETERS, writingVerb } from "../verb";
import { noAlert, toAlert } from "./view";

const { $schema: _, ...BODY_SCHEMA } = z.toJSONSchema(acknowledgement, { io: "input" });

export const acknowledgeAlert = writingVerb(
  {
    method: "POST",
    path: "/api/v1/alerts/{alert}/acknowledge",
    access: "operate",
    bySite: true,
    summary: "Says that somebody looks after an alert; nobody is reminded of it meanwhile",
    params: alertPath,
    query: NO_PARAMETERS,
    answer: alert,
    status: 200,
    problems: ["not-found", "wrong-status", ...BODY_PROBLEMS],
    bodies: { "application/json": BODY_SCHEMA },
  },
  () =>
    async ({ tx, sites, caller, now }, { params, request, note: keep }) => {
      const { note, until } = await parseJsonBody(acknowledgement, request);
      const ends = until === null ? null : Date.parse(until);
      if (ends !== null && ends <= now) throw invalid([{ at: "until", message: "must be in the future" }]);
      await find(tx, sites, params.alert);
      const by = signatureOf(caller).text;
      if (!(await acknowledge(tx, params.alert, { by, note, until: ends })))
        throw new ProblemError("wrong-status", "The alert is over.");
      keep({ target: params.alert, detail: { after: { note, until } } });
      return toAlert(await find(tx, sites, params.alert));
    },
);

export const unacknowledgeAlert = writingVerb(
  {
    method: "POST",
    path: "/api/v1/alerts/{alert}/unacknowledge",
    access: "operate",
    bySite: true,
    summary: "Takes back that somebody looks after an alert",
    params: alertPath,
    query: NO_PARAMETERS,
    answer: alert,
    status: 200,
    problems: ["not-found", "wrong-status"],
  },
  () =>
    async ({ tx, sites, caller }, { params, note }) => {
      await find(tx, sites, params.alert);
      if (!(await unacknowledge(tx, params.alert, signatureOf(caller).text)))
        throw new ProblemError("wrong-status", "Nobody has acknowledged the alert, or it is over.");
      note({ target: params.alert });
      return toAlert(await find(tx, sites, params.alert));
    },
);

async function find(tx: PoolClient, sites: Sites, id: string) {
  const [row] = await readAlerts(tx, { sites, id, limit: 1 });
  if (!row) throw noAlert(id);
  return row;
}
