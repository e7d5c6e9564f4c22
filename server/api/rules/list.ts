import { readRules } from "@/server/alerting/rules";
import { alertRule, alertRules, alertRulesFile, rulePath } from "@/server/contracts/rules";
import { NO_PARAMETERS, verb } from "../verb";
import { noRule, noteOfRule, toRule } from "./view";

export const listRules = verb(
  {
    method: "GET",
    path: "/api/v1/rules",
    access: "view",
    bySite: true,
    summary: "Alert rules, each as a sentence too",
    params: NO_PARAMETERS,
    query: NO_PARAMETERS,
    answer: alertRules,
    status: 200,
    problems: [],
  },
  () =>
    async ({ tx, sites }) => ({ items: (await readRules(tx, sites)).map(toRule) }),
);

export const getRule = verb(
  {
    method: "GET",
    path: "/api/v1/rules/{rule}",
    access: "view",
    bySite: true,
    summary: "One alert rule",
    params: rulePath,
    query: NO_PARAMETERS,
    answer: alertRule,
    status: 200,
    problems: ["not-found"],
  },
  () =>
    async ({ tx, sites }, { params }) => {
      const [row] = await readRules(tx, sites, params.rule);
      if (!row) throw noRule(params.rule);
      return toRule(row);
    },
);

export const exportRules = verb(
  {
    method: "GET",
    path: "/api/v1/rules-file",
    access: "view",
    summary: "All alert rules as one file, to be kept or taken elsewhere",
    params: NO_PARAMETERS,
    query: NO_PARAMETERS,
    answer: alertRulesFile,
    status: 200,
    problems: [],
  },
  () =>
    async ({ tx }) => ({ rules: (await readRules(tx, "all")).map(noteOfRule) }),
);
