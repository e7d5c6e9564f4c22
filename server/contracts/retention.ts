import { z } from "zod";
import { KEPT } from "@/server/domain/retention";
import { instant } from "./common";

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
    leastDays: z.int().describe("The fewest days readings can be kept"),
  })
  .meta({ id: "Retention" });

/** What is left out stays. */
export const retentionChanges = z
  .object({ raw: days.optional(), minutes: days.optional(), hours: days.optional() })
  .strict()
  .refine((changes) => Object.keys(changes).length > 0, "names nothing to change");

export const retentionPath = z.object({ keeps: kept });

export type RetentionAnswer = z.infer<typeof retentionAnswer>;
export type RetentionChanges = z.infer<typeof retentionChanges>;
