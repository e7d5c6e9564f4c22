import { listDeeds } from "@/server/access/audit";
import { auditAnswer, auditQuery } from "@/server/contracts/access";
import { toInstant } from "../instant";
import { NO_PARAMETERS, verb } from "../verb";

export const listAudit = verb(
  {
    method: "GET",
    path: "/api/v1/audit",
    access: "administer",
    audited: "seen",
    summary: "Who did what, and what was not allowed, newest first",
    description: "The record is only added to. Looking at it is recorded too.",
    params: NO_PARAMETERS,
    query: auditQuery,
    answer: auditAnswer,
    status: 200,
    problems: [],
  },
  () =>
    async (
      { tx },
      { query: { limit, actor = null, verb: name = null, target = null, outcome = null, before = null } },
    ) => {
      const rows = await listDeeds(tx, { actor, verb: name, target, outcome, before, limit: limit + 1 });
      const items = rows.slice(0, limit).map((row) => ({ ...row, time: toInstant(row.time) }));
      return { items, next: rows.length > limit ? items.at(-1)!.id : null };
    },
);
