import type { Pool } from "pg";
import type { z } from "zod";
import { type AuditSearch, listDeeds } from "@/server/access/audit/deeds";
import { Personal } from "@/server/access/audit/personal";
import { auditAnswer, auditFilter, auditQuery } from "@/server/contracts/access";
import { csvLines } from "../csv";
import { toInstant } from "../instant";
import { fileAnswer, NO_PARAMETERS, verb } from "../verb";

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
    async ({ tx }, { query: { limit, before = null, ...filter } }) => {
      const rows = await listDeeds(tx, { ...toSearch(filter), before, limit: limit + 1 });
      const items = rows.slice(0, limit).map((row) => ({ ...row, time: toInstant(row.time) }));
      return { items, next: rows.length > limit ? items.at(-1)!.id : null };
    },
);

/** Rows read, and held in memory, at a time. */
const CHUNK = 1000;

export const exportAudit = verb(
  {
    method: "GET",
    path: "/api/v1/audit.csv",
    access: "administer",
    audited: "seen",
    summary: "The rows of the audit record that match, newest first, as CSV",
    description: "RFC 4180 with a header line; times are RFC 3339 in UTC; `detail` is JSON.",
    params: NO_PARAMETERS,
    query: auditFilter,
    answer: fileAnswer,
    status: 200,
    problems: [],
    file: { contentType: "text/csv; charset=utf-8; header=present", schema: { type: "string" } },
  },
  ({ pool }: { readonly pool: Pool }) =>
    async ({ now }, { query, note }) => {
      const { actor = null, target = null, ...others } = query;
      note({ detail: { asked: { actor: new Personal(actor, null), target: new Personal(target, null), ...others } } });
      return {
        name: `audit-${toInstant(now).slice(0, 19).replaceAll(":", "")}Z.csv`,
        text: linesOf(pool, toSearch(query)),
      };
    },
);

async function* linesOf(pool: Pool, search: Omit<AuditSearch, "before" | "limit">): AsyncGenerator<string> {
  yield csvLines([
    [
      "id",
      "time",
      "actorKind",
      "actorId",
      "actor",
      "verb",
      "target",
      "outcome",
      "address",
      "detail",
      "attempt",
      "sealed",
    ],
  ]);
  for (let before: number | null = null; ;) {
    const rows = await listDeeds(pool, { ...search, before, limit: CHUNK });
    yield csvLines(
      rows.map(({ id, time, actorKind, actorId, actor, verb, target, outcome, address, detail, attempt, sealed }) => [
        ...[id, toInstant(time), actorKind, actorId, actor, verb, target, outcome, address],
        ...[detail === null ? null : JSON.stringify(detail), attempt, sealed],
      ]),
    );
    if (rows.length < CHUNK) return;
    before = rows.at(-1)!.id;
  }
}

function toSearch(filter: z.output<typeof auditFilter>): Omit<AuditSearch, "before" | "limit"> {
  const { actor = null, verb = null, target = null, outcome = null, from = null, to = null } = filter;
  return { actor, verb, target, outcome, from, to };
}
