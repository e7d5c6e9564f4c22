import { z } from "zod";
import { ruleSpec } from "@/server/domain/alerts/rule";
import { REASONS } from "@/server/domain/alerts/why";
import { instant, moment, text } from "./common";

export const whyQuery = z.object({
  rule: z.coerce
    .number()
    .int()
    .min(1)
    .max(2 ** 31 - 1)
    .describe("A rule's id"),
  device: text(128)
    .min(1)
    .optional()
    .describe("Its name. A rule about the pipeline is about none; every other takes one"),
  metric: text(128).min(1).optional().describe("Of a rule that watches several series of a device, this one"),
  at: moment.optional().describe("The moment that is asked about, instead of from and to"),
  from: moment.optional().describe("An hour before `to` if left out"),
  to: moment.optional().describe("Now if left out; at most 24 h after `from`"),
  zone: text(64).default("UTC").describe("The zone of the times in the sentence: an IANA name"),
});

/** Why a rule told of a device, or didn't. */
export const whyAnswer = z
  .object({
    sentence: z.string().describe("One sentence, with the number"),
    reason: z
      .object({
        kind: z.enum(REASONS),
        at: instant.nullable().describe("The moment that decided it"),
        numbers: z.record(z.string(), z.number()).describe("By name; durations in milliseconds"),
        times: z.record(z.string(), instant),
        words: z.record(z.string(), z.string()),
      })
      .describe("The same for a program"),
    rule: z.object({ id: z.int(), name: z.string(), version: z.int(), sentence: z.string(), spec: ruleSpec }),
    device: z.string().nullable().describe("Null: the rule is about the pipeline"),
    metric: z.string().nullable().describe("The series it is about; null: of none, or of several"),
    alert: z.string().nullable().describe("The alert it is about"),
    from: instant,
    to: instant,
    figures: z
      .array(
        z.object({
          subject: z.string().describe("The engine or the source; empty for the whole pipeline"),
          value: z.number(),
          phase: z.enum(["normal", "pending", "firing", "recovering"]),
          since: instant.nullable().describe("Since when it is beyond the limit; null: it isn't"),
          firesAt: instant.nullable().describe("When it fires if that goes on; null: nothing says that it will"),
        }),
      )
      .nullable()
      .describe(
        "Of a rule about the pipeline: what it goes by as it is now; null: of another, of the past, or it can't be measured",
      ),
    steps: z.array(z.object({ at: instant, words: z.string() })).describe("What happened, in its order"),
  })
  .meta({ id: "Why" });

export type WhyAnswer = z.infer<typeof whyAnswer>;
