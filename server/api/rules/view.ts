import type { z } from "zod";
import type { RuleRow, RuleSettings } from "@/server/alerting/rules";
import type { alertRule } from "@/server/contracts/rules";
import { sentenceOf } from "@/server/domain/alerts/sentence";
import { toInstant } from "../instant";
import { ProblemError } from "../problem";

export function toRule({ createdAt, updatedAt, ...row }: RuleRow): z.input<typeof alertRule> {
  return {
    ...{ ...row, sentence: sentenceOf(row.spec) },
    ...{ createdAt: toInstant(createdAt), updatedAt: toInstant(updatedAt) },
  };
}

/** What the audit record keeps of a rule. */
export function noteOfRule({ name, enabled, spec, note, runbook }: RuleSettings): RuleSettings {
  return { name, enabled, spec, note, runbook };
}

export function noRule(id: number): ProblemError {
  return new ProblemError("not-found", `There is no alert rule ${id}.`);
}

export function nameTaken(name: string): ProblemError {
  return new ProblemError("taken", `There is a rule ${JSON.stringify(name)} already: choose another name.`);
}
