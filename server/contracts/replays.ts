import { z } from "zod";
import { reasonSchema } from "./common";

/** Counts of what the pipeline has made of a replay's messages so far; exact, whoever else sends meanwhile. */
export const replayRun = z
  .object({
    run: z.string(),
    messages: z.int().describe("Messages handled; one that came twice counts twice"),
    faulty: z.int().describe("Of them, those of which something was refused: a dead letter or a conflict"),
    readings: z.int().describe("Readings stored"),
    repeats: z.int().describe("Readings that were there already with the same value"),
    conflicts: z.int().describe("Readings where another value was there already: the first stays"),
    texts: z.int().describe("Strings kept in messages and twins"),
    refused: z
      .array(z.object({ reason: reasonSchema, count: z.int(), example: z.string().nullable() }))
      .describe("Dead letters by reason, the most first, with a first example; without one for callers of some sites"),
    workers: z.int().nullable().describe("Workers alive to handle the rest; null when unknown"),
  })
  .meta({ id: "ReplayRun" });

export type ReplayRun = z.infer<typeof replayRun>;
