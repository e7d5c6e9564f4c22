import { z } from "zod";
import { KEPT } from "@/server/domain/retention";
import { SELECTORS } from "@/server/domain/series-rules";
import { instant, text } from "./common";

const kept = z.enum(KEPT).describe("raw: readings themselves · minutes, hours: their rollups");
const days = z.int().min(1).max(36500).nullable().describe("Days of event time; null: for ever");

export const retentionAnswer = z
  .object({
    time: instant,
    items: z.array(
      z.object({
        keeps: kept,
        days,
        changedAt: instant.nullable().describe("When somebody set it; null: it goes by READINGS_RETENTION_DAYS"),
        appliesAt: instant.nullable().describe("When a rule that was changed begins to remove; null: it does"),
        oldest: instant.nullable().describe("Event time of the oldest there is"),
        bytes: z.number().describe("What it takes in PostgreSQL, indexes included"),
        goneBefore: instant.nullable().describe("Everything before was removed, and nothing is taken for it any more"),
        nextMonth: instant.nullable().describe("The oldest month there is goes then; null: none does"),
      }),
    ),
    others: z
      .array(
        z.object({
          what: z.enum(["messages", "deadLetters", "log"]),
          days: z.number(),
          setting: z.string().describe("The variable that sets it"),
          bytes: z.number(),
        }),
      )
      .describe("What else PostgreSQL keeps"),
    cold: z
      .object({ months: z.int(), bytes: z.number() })
      .describe("Readings in cold storage, beside those in PostgreSQL"),
    rules: z
      .array(
        z.object({
          id: z.int(),
          selects: z.enum(SELECTORS),
          pattern: z.string(),
          ...{ raw: days, minutes: days, hours: days },
          setAt: instant,
        }),
      )
      .describe("For some series, instead of the general times; the first that matches holds"),
    rulesApplyAt: instant
      .nullable()
      .describe("When rules begin to remove after the last change of them; null: they do"),
    leastDays: z.int().describe("The fewest days readings can be kept"),
  })
  .meta({ id: "Retention" });

/** What is left out stays. */
export const retentionChanges = z
  .object({ raw: days.optional(), minutes: days.optional(), hours: days.optional() })
  .strict()
  .refine((changes) => Object.keys(changes).length > 0, "names nothing to change");

export const retentionRule = z
  .object({
    selects: z
      .enum(SELECTORS)
      .describe("What the pattern is compared with: names of metrics, or types or sites of devices"),
    pattern: text(128).min(1).describe("A name; * in it stands for any characters"),
    ...{ raw: days, minutes: days, hours: days },
  })
  .strict();

export const retentionRulePath = z.object({
  id: z.coerce
    .number()
    .int()
    .min(1)
    .max(2 ** 31 - 1),
});

const queryDays = z.coerce.number().int().min(1).max(36500).optional().describe("Days; left out: for ever");

export const retentionRuleQuery = z.object({
  ...{ selects: z.enum(SELECTORS), pattern: text(128).min(1) },
  ...{ raw: queryDays, minutes: queryDays, hours: queryDays },
});

export const retentionEstimate = z
  .object({
    devices: z.int(),
    series: z.int().describe("Pairs of device and metric it would hold for"),
    before: z
      .object({ raw: instant.nullable(), minutes: instant.nullable(), hours: instant.nullable() })
      .describe("Everything of the series before is removed; null: nothing is"),
    readings: z
      .number()
      .nullable()
      .describe("Readings stored that are older; null: too many to be counted in a moment"),
  })
  .meta({ id: "RetentionEstimate" });

export const retentionPath = z.object({ keeps: kept });

export type RetentionAnswer = z.infer<typeof retentionAnswer>;
export type RetentionChanges = z.infer<typeof retentionChanges>;
export type RetentionRuleBody = z.infer<typeof retentionRule>;
export type RetentionEstimate = z.infer<typeof retentionEstimate>;
