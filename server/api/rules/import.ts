import { z } from "zod";
import { addRule, changeRule, readRules, removeRule, type RuleRow, type RuleSettings } from "@/server/alerting/rules";
import { readNamesNow } from "@/server/catalog/other-names";
import { alertRulesFile, importedRules, importQuery } from "@/server/contracts/rules";
import { signatureOf } from "@/server/domain/access";
import { BODY_PROBLEMS, parseJsonBody } from "../json-body";
import { specNow } from "../sites/names-now";
import { NO_PARAMETERS, writingVerb } from "../verb";
import { noteOfRule } from "./view";

const MOST_FILE_BYTES = 1024 * 1024;
const { $schema: _, ...FILE_SCHEMA } = z.toJSONSchema(alertRulesFile, { io: "input" });

export const importRules = writingVerb(
  {
    method: "POST",
    path: "/api/v1/rules-file",
    access: "edit",
    summary: "Takes a file of alert rules: those of known names are changed, the others added",
    description:
      "Sites, types and metrics may go by names they had before. Rules that it doesn't name stay, unless `others` is remove: then they are removed, and their open alerts closed. With `dryRun` the answer says what would be done, and " +
      "nothing is.",
    params: NO_PARAMETERS,
    query: importQuery,
    answer: importedRules,
    status: 200,
    problems: [...BODY_PROBLEMS],
    bodies: { "application/json": FILE_SCHEMA },
  },
  () =>
    async ({ tx, caller }, { request, query: { dryRun, others }, note }) => {
      const file = await parseJsonBody(alertRulesFile, request, MOST_FILE_BYTES);
      const nameNow = await readNamesNow(tx);
      const rules = file.rules.map((rule) => ({ ...rule, spec: specNow(rule.spec, nameNow) }));
      const known = await readRules(tx, "all");
      const { added, changed, same, left } = compareRules(known, rules);
      const removed = others === "remove" ? left : [];
      if (!dryRun) {
        const by = signatureOf(caller).text;
        for (const { before, after } of changed) await changeRule(tx, before, after, by);
        for (const settings of added) await addRule(tx, settings, by);
        for (const { id } of removed) await removeRule(tx, id);
      }
      const there = known.filter(({ name }) => rules.some((rule) => rule.name === name));
      // In one order: what is the same before and after changed nothing.
      const byName = (some: readonly RuleSettings[]) =>
        some.map(noteOfRule).toSorted((a, b) => (a.name < b.name ? -1 : 1));
      note({
        detail: dryRun
          ? { dryRun, others }
          : { before: { rules: byName([...there, ...removed]) }, after: { rules: byName(rules) } },
      });
      return {
        dryRun,
        added: added.map(({ name }) => name),
        changed: changed.map(({ after }) => after.name),
        changes: changed.map(({ before, after }) => ({
          name: after.name,
          what: FIELDS.filter((field) => !isSame(before[field], after[field])),
          firing: before.firing,
        })),
        same: same.map(({ name }) => name),
        removed: removed.map(({ name }) => name),
        closes: removed.reduce((sum, { firing }) => sum + firing, 0),
        kept: others === "remove" ? [] : left.map(({ name }) => name),
      };
    },
);

const FIELDS = ["enabled", "spec", "note", "runbook"] as const;

/** What a file would make of the rules there are. */
function compareRules(known: readonly RuleRow[], rules: readonly RuleSettings[]) {
  const before = new Map(known.map((row) => [row.name, row]));
  const there = rules.flatMap((after) => {
    const row = before.get(after.name);
    return row === undefined ? [] : [{ before: row, after }];
  });
  const changed = there.filter((pair) => FIELDS.some((field) => !isSame(pair.before[field], pair.after[field])));
  const names = new Set(rules.map(({ name }) => name));
  return {
    added: rules.filter(({ name }) => !before.has(name)),
    changed,
    same: there.filter((pair) => !changed.includes(pair)).map(({ after }) => after),
    left: known.filter(({ name }) => !names.has(name)),
  };
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
