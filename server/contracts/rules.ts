import { z } from "zod";
import { ruleSpec } from "@/server/domain/alerts/rule";
import { instant, text } from "./common";

const name = text(128).min(1).describe("What the rule is called; no other has the name");
const note = text(2000).nullable();
const runbook = text(2000).nullable().describe("What to do, or where that is written");

export const alertRule = z
  .object({
    id: z.int(),
    name,
    enabled: z.boolean(),
    version: z.int().describe("Grows with each change of what it decides"),
    sentence: z.string().describe("The rule in words"),
    spec: ruleSpec,
    note,
    runbook,
    inForce: z.boolean().describe("False while what is there already is judged by it; new readings are from the start"),
    firing: z.int().describe("Alerts of it that aren't over, at sites you may see"),
    createdAt: instant,
    createdBy: z.string(),
    updatedAt: instant,
    updatedBy: z.string(),
  })
  .meta({ id: "AlertRule" });

export const savedRule = alertRule.extend({
  warnings: z
    .array(z.string())
    .describe(
      "What should be known of it, as rule-matches finds it: metrics of another kind than it asks for, in several units, or sent too seldom",
    ),
});

export const alertRules = z.object({ items: z.array(alertRule) });

export const newAlertRule = z
  .object({
    name,
    enabled: z.boolean().default(true),
    spec: ruleSpec,
    note: note.default(null),
    runbook: runbook.default(null),
  })
  .strict();

export const alertRuleChanges = z
  .object({
    ...{ name: name.optional(), enabled: z.boolean().optional(), spec: ruleSpec.optional() },
    ...{ note: note.optional(), runbook: runbook.optional() },
    version: z.int().optional().describe("The version that was seen: refused if there is another by now"),
  })
  .strict()
  .refine((changes) => Object.keys(changes).some((key) => key !== "version"), "names nothing to change");

/** All rules as one file. */
export const alertRulesFile = z
  .object({ rules: z.array(newAlertRule).max(1000) })
  .strict()
  .superRefine(({ rules }, context) => {
    const first = new Map<string, number>();
    for (const [i, { name: called }] of rules.entries()) {
      const before = first.get(called);
      if (before === undefined) first.set(called, i);
      else
        context.addIssue({
          ...{ code: "custom", path: ["rules", i, "name"] },
          message: `rules.${before} has this name, too: give each rule a name of its own`,
        });
    }
  });

export const importQuery = z.object({
  dryRun: z.stringbool().default(false).describe("true: says what would be done, and does nothing"),
  others: z.enum(["keep", "remove"]).default("keep").describe("What becomes of the rules that the file doesn't name"),
});

/** What became of rules by a file, or would. */
export const importedRules = z
  .object({
    dryRun: z.boolean(),
    added: z.array(z.string()),
    changed: z.array(z.string()),
    changes: z
      .array(
        z.object({
          name: z.string(),
          what: z.array(z.enum(["enabled", "spec", "note", "runbook"])),
          firing: z.int().describe("Its open alerts: a new spec goes on with those that are ones under it too"),
        }),
      )
      .describe("What changes of the changed"),
    same: z.array(z.string()),
    removed: z.array(z.string()),
    closes: z.int().describe("Open alerts of the removed, which are closed"),
    kept: z.array(z.string()).describe("Rules that the file doesn't name, and that stay"),
  })
  .meta({ id: "ImportedRules" });
export type ImportedRules = z.infer<typeof importedRules>;

export const rulePath = z.object({
  rule: z.coerce
    .number()
    .int()
    .min(1)
    .max(2 ** 31 - 1)
    .describe("The rule's id"),
});

export const deletedRule = z.object({ name: z.string() });

/** What of the fleet a rule would watch. */
export const ruleMatchesBody = z.strictObject({ spec: ruleSpec });
export const ruleMatches = z
  .object({
    devices: z.int(),
    series: z.int().describe("Of a rule of silence, as many as devices"),
    sample: z
      .object({ device: z.string(), metric: z.string().nullable() })
      .nullable()
      .describe("One of the devices, heard of in the last hour if any was, and a metric of it that is watched"),
    slow: z.int().describe("Devices that usually send less often than the rule has to be true for"),
    units: z
      .array(z.object({ metric: z.string(), units: z.array(z.string()) }))
      .describe("Watched metrics whose unit isn't the same on all of them; an empty text is no unit"),
    otherKinds: z
      .array(z.object({ metric: z.string(), kind: z.enum(["number", "boolean", "text"]) }))
      .describe(
        "Metrics of a kind that the rule doesn't ask for: numbers for true or false, the other way round, or what is said in words alone, which no rule judges",
      ),
  })
  .meta({ id: "RuleMatches" });

export const ruleVersions = z
  .object({
    items: z
      .array(
        z.object({
          version: z.int(),
          name: z.string(),
          enabled: z.boolean(),
          sentence: z.string(),
          at: instant,
          by: z.string(),
        }),
      )
      .describe("Newest first, at most 100"),
  })
  .meta({ id: "RuleVersions" });

export type RuleMatches = z.infer<typeof ruleMatches>;
export type RuleVersions = z.infer<typeof ruleVersions>;
export type AlertRule = z.infer<typeof alertRule>;

export const ruleEpisodes = z
  .object({
    items: z
      .array(
        z.object({
          rule: z.int().describe("The rule's id"),
          days: z.array(z.int()).describe("Alerts that began on each of the last 30 days in UTC, today last"),
        }),
      )
      .describe("Rules that never fired are left out"),
  })
  .meta({ id: "RuleEpisodes" });
export type RuleEpisodes = z.infer<typeof ruleEpisodes>;
