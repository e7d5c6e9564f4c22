import { z } from "zod";
import type { Pool } from "pg";
import { readNamesNow } from "@/server/catalog/other-names";
import {
  type RetentionRuleBody,
  retentionAnswer,
  retentionEstimate,
  retentionRule,
  retentionRulePath,
  retentionRuleQuery,
} from "@/server/contracts/retention";
import { faultOf, type Retention } from "@/server/domain/retention";
import type { SeriesRule } from "@/server/domain/series-rules";
import { estimateRule } from "@/server/readings/series-estimate";
import { readSeriesRules, removeSeriesRule, setSeriesRule } from "@/server/readings/series-rules";
import { toInstantOrNull } from "../instant";
import { BODY_PROBLEMS, parseJsonBody } from "../json-body";
import { invalid } from "../parse";
import { ProblemError } from "../problem";
import { NO_PARAMETERS, verb, writingVerb } from "../verb";
import { answerOf, readStored, type RetentionDeps, told } from "./retention";

/** A person waits for the count before they decide. */
const PATIENCE_MS = 3000;
/** Rules there can be: each is compared with each series. */
const MOST_RULES = 200;
const { $schema: _, ...RULE_SCHEMA } = z.toJSONSchema(retentionRule, { io: "input" });

export const setRetentionRule = writingVerb(
  {
    method: "POST",
    path: "/api/v1/retention/rules",
    access: "administer",
    stepUp: true,
    summary:
      "Sets how long the series of a metric, of a type of devices or of a site are kept, instead of the general times",
    description:
      "Another rule of the same selector and pattern is replaced. * in a pattern stands for any characters. Of several rules that match, one for metrics holds before " +
      "one for types, and that before one for sites; of the same selector a name before a pattern, and a longer pattern before a shorter one. Nothing is removed for ten " +
      "minutes; then the job series-retention takes out what is older, by whole months, also of cold storage. That can't be undone.",
    params: NO_PARAMETERS,
    query: NO_PARAMETERS,
    answer: retentionAnswer,
    status: 200,
    problems: [...BODY_PROBLEMS],
    bodies: { "application/json": RULE_SCHEMA },
  },
  (deps: RetentionDeps) =>
    async (ctx, { request, note }) => {
      const said = await parseJsonBody(retentionRule, request);
      const rule = { ...said, pattern: (await readNamesNow(ctx.tx))(said.selects, said.pattern) };
      assertSound(rule, deps);
      const before = await setSeriesRule(ctx.tx, rule);
      if ((await readSeriesRules(ctx.tx)).length > MOST_RULES)
        throw invalid([{ at: "pattern", message: `would be one more than the ${MOST_RULES} rules there can be` }]);
      note({ target: nameOf(rule), detail: { before: before && told(before), after: told(rule) } });
      return answerOf(ctx, deps, await readStored(ctx.tx, deps));
    },
);

export const removeRetentionRule = writingVerb(
  {
    method: "DELETE",
    path: "/api/v1/retention/rules/{id}",
    access: "administer",
    stepUp: true,
    summary: "Removes a rule: what it held for goes by the next rule that matches, or the general times",
    description: "As any change, it removes nothing for ten minutes.",
    params: retentionRulePath,
    query: NO_PARAMETERS,
    answer: retentionAnswer,
    status: 200,
    problems: ["not-found"],
  },
  (deps: RetentionDeps) =>
    async (ctx, { params: { id }, note }) => {
      const rule = await removeSeriesRule(ctx.tx, id);
      if (rule === null) throw new ProblemError("not-found", `There is no rule ${id}.`);
      note({ target: nameOf(rule), detail: { before: told(rule), after: null } });
      return answerOf(ctx, deps, await readStored(ctx.tx, deps));
    },
);

export const estimateRetentionRule = verb(
  {
    method: "GET",
    path: "/api/v1/retention/estimate",
    access: "administer",
    summary: "What a rule would hold for and remove, were it set",
    params: NO_PARAMETERS,
    query: retentionRuleQuery,
    answer: retentionEstimate,
    status: 200,
    problems: [],
  },
  (deps: RetentionDeps & { readonly pool: Pool }) =>
    async (ctx, { query: { selects, pattern, raw = null, minutes = null, hours = null } }) => {
      const rule = { selects, pattern: (await readNamesNow(ctx.tx))(selects, pattern), raw, minutes, hours };
      assertSound(rule, deps);
      const { before, ...found } = await estimateRule(deps.pool, rule, ctx.now, PATIENCE_MS);
      return {
        ...found,
        before: {
          raw: toInstantOrNull(before.raw),
          minutes: toInstantOrNull(before.minutes),
          hours: toInstantOrNull(before.hours),
        },
      };
    },
);

function assertSound(rule: RetentionRuleBody, { retention }: RetentionDeps): void {
  const fault = faultOf(rule satisfies Retention, retention.leastDays);
  if (fault) throw invalid([fault]);
}

/** "metric vibration.*" */
function nameOf({ selects, pattern }: SeriesRule): string {
  return `${selects} ${pattern}`;
}
