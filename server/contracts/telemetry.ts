import { z } from "zod";
import { reasonSchema } from "./common";

/** The refusal of one item of a request. */
export const rejectedItem = z
  .object({
    index: z
      .int()
      .min(0)
      .describe("Place of the item in the request, from 0; for NDJSON the line, blank lines not counted"),
    reason: reasonSchema,
    detail: z.string(),
  })
  .meta({ id: "RejectedItem" });

/** Rejected items past those that are named one by one. */
export const rejectedMore = z
  .partialRecord(reasonSchema, z.int().min(1))
  .describe("How many more were not taken, by reason; left out when all are named");

/** Answer to POST /api/v1/telemetry: the accepted messages are durably in the event log. */
export const telemetryAnswer = z
  .object({
    accepted: z.int().min(0),
    rejected: z.array(rejectedItem).describe("The first 100 that were not taken"),
    rejectedMore: rejectedMore.optional(),
  })
  .meta({ id: "TelemetryAnswer" });

export type RejectedItem = z.infer<typeof rejectedItem>;
export type TelemetryAnswer = z.infer<typeof telemetryAnswer>;
