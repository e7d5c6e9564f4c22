import { z } from "zod";
import { countMatches } from "@/server/alerting/matches";
import { readRules, readVersions } from "@/server/alerting/rules";
import { countEpisodes } from "@/server/alerting/summary";
import {
  alertRule,
  alertRules,
  alertRulesFile,
  ruleEpisodes,
  ruleMatches,
  ruleMatchesBody,
  rulePath,
  ruleVersions,
} from "@/server/contracts/rules";
import { sentenceOf } from "@/server/domain/alerts/sentence";
import { toInstant } from "../instant";
import { parseJsonBody } from "../json-body";
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

export const listRuleVersions = verb(
  {
    method: "GET",
    path: "/api/v1/rules/{rule}/versions",
    access: "view",
    summary: "What an alert rule was before",
    params: rulePath,
    query: NO_PARAMETERS,
    answer: ruleVersions,
    status: 200,
    problems: ["not-found"],
  },
  () =>
    async ({ tx }, { params }) => {
      const versions = await readVersions(tx, params.rule);
      if (versions.length === 0) throw noRule(params.rule);
      return {
        items: versions.map(({ spec, at, ...version }) => ({
          ...version,
          sentence: sentenceOf(spec),
          at: toInstant(at),
        })),
      };
    },
);

const { $schema: _, ...MATCHES_SCHEMA } = z.toJSONSchema(ruleMatchesBody, { io: "input" });

export const countRuleMatches = verb(
  {
    method: "POST",
    path: "/api/v1/rule-matches",
    access: "view",
    bySite: true,
    summary: "Counts the devices and series that a rule watches, or would",
    params: NO_PARAMETERS,
    query: NO_PARAMETERS,
    answer: ruleMatches,
    status: 200,
    problems: ["unsupported-media-type", "unreadable-body", "body-too-large"],
    bodies: { "application/json": MATCHES_SCHEMA },
  },
  () =>
    async ({ tx, sites }, { request }) => {
      const { units, otherKinds, ...matches } = await countMatches(
        tx,
        (await parseJsonBody(ruleMatchesBody, request)).spec,
        sites,
      );
      return {
        ...{ ...matches, units: units.map(({ metric, units: of }) => ({ metric, units: [...of] })) },
        otherKinds: [...otherKinds],
      };
    },
);

export const listRuleEpisodes = verb(
  {
    method: "GET",
    path: "/api/v1/rule-episodes",
    access: "view",
    bySite: true,
    summary: "How often each alert rule fired in the last 30 days",
    params: NO_PARAMETERS,
    query: NO_PARAMETERS,
    answer: ruleEpisodes,
    status: 200,
    problems: [],
  },
  () =>
    async ({ tx, sites }) => ({ items: await countEpisodes(tx, sites) }),
);
