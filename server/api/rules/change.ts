import type { PoolClient } from "pg";
import { z } from "zod";
import { countMatches } from "@/server/alerting/matches";
import { addRule, changeRule, readRules, removeRule } from "@/server/alerting/rules";
import { readNamesNow } from "@/server/catalog/other-names";
import { alertRuleChanges, deletedRule, newAlertRule, rulePath, savedRule } from "@/server/contracts/rules";
import { signatureOf } from "@/server/domain/access";
import type { RuleSpec } from "@/server/domain/alerts/rule";
import { warningsOf } from "@/server/domain/alerts/warnings";
import { formatDuration } from "@/server/domain/duration";
import { BODY_PROBLEMS, parseJsonBody } from "../json-body";
import { ProblemError } from "../problem";
import { specNow } from "../sites/names-now";
import { NO_PARAMETERS, writingVerb } from "../verb";
import { nameTaken, noRule, noteOfRule, toRule } from "./view";

const schemaOf = (body: z.ZodType) => {
  const { $schema: _, ...schema } = z.toJSONSchema(body, { io: "input" });
  return { "application/json": schema };
};

/** What should be known of a rule. It is looked for before anything is changed: from then on the pipeline waits for the end of the transaction. */
async function warningsAbout(tx: PoolClient, spec: RuleSpec): Promise<string[]> {
  return warningsOf(await countMatches(tx, spec, "all"), formatDuration("forMs" in spec ? spec.forMs : 0));
}

export const addRuleVerb = writingVerb(
  {
    method: "POST",
    path: "/api/v1/rules",
    access: "edit",
    summary: "Adds an alert rule; it judges new readings at once, and what is there already a moment later",
    params: NO_PARAMETERS,
    query: NO_PARAMETERS,
    answer: savedRule,
    status: 200,
    problems: ["taken", ...BODY_PROBLEMS],
    bodies: schemaOf(newAlertRule),
  },
  () =>
    async ({ tx, caller }, { request, note }) => {
      const said = await parseJsonBody(newAlertRule, request);
      const settings = { ...said, spec: specNow(said.spec, await readNamesNow(tx)) };
      const warnings = await warningsAbout(tx, settings.spec);
      const id = await addRule(tx, settings, signatureOf(caller).text);
      if (id === null) throw nameTaken(settings.name);
      note({ target: settings.name, detail: { after: noteOfRule(settings) } });
      return { ...toRule((await readRules(tx, "all", id))[0]!), warnings };
    },
);

export const updateRule = writingVerb(
  {
    method: "PATCH",
    path: "/api/v1/rules/{rule}",
    access: "edit",
    summary: "Changes an alert rule; what is left out stays",
    description:
      "Alerts that are ones under the changed rule too go on; the others are closed, with the reason, and never told as over. A change of name, note or runbook changes none.",
    params: rulePath,
    query: NO_PARAMETERS,
    answer: savedRule,
    status: 200,
    problems: ["not-found", "taken", "changed-meanwhile", ...BODY_PROBLEMS],
    bodies: schemaOf(alertRuleChanges),
  },
  () =>
    async ({ tx, caller }, { params, request, note }) => {
      const { version, ...changes } = await parseJsonBody(alertRuleChanges, request);
      const [before] = await readRules(tx, "all", params.rule);
      if (!before) throw noRule(params.rule);
      if (version !== undefined && version !== before.version)
        throw new ProblemError("changed-meanwhile", `The rule has version ${before.version} by now: look at it again.`);
      const said = Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
      const wanted = { ...noteOfRule(before), ...said };
      const after = { ...wanted, spec: specNow(wanted.spec, await readNamesNow(tx)) };
      const warnings = await warningsAbout(tx, after.spec);
      if (!(await changeRule(tx, before, after, signatureOf(caller).text))) throw nameTaken(after.name);
      note({ target: before.name, detail: { before: noteOfRule(before), after } });
      return { ...toRule((await readRules(tx, "all", params.rule))[0]!), warnings };
    },
);

export const deleteRule = writingVerb(
  {
    method: "DELETE",
    path: "/api/v1/rules/{rule}",
    access: "edit",
    summary: "Removes an alert rule; its open alerts are closed, and all of them stay",
    params: rulePath,
    query: NO_PARAMETERS,
    answer: deletedRule,
    status: 200,
    problems: ["not-found"],
  },
  () =>
    async ({ tx }, { params, note }) => {
      const [before] = await readRules(tx, "all", params.rule);
      const name = await removeRule(tx, params.rule);
      if (name === null) throw noRule(params.rule);
      note({ target: name, detail: before ? { before: noteOfRule(before) } : {} });
      return { name };
    },
);
