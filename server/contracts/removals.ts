import { z } from "zod";
import { instant } from "./common";
import { job } from "./jobs";

/** A metric or a device that is out of the catalog, and whose readings a job still removes or moves. */
const removal = z
  .object({
    id: z.int(),
    kind: z.enum(["metric", "device"]),
    name: z.string(),
    into: z.string().nullable().describe("The metric that gets its readings; null: they are removed"),
    since: instant,
    share: z.number().min(0).max(1).nullable().describe("How much of it is done; null when that can't be told"),
  })
  .meta({ id: "Removal" });

export const removalsAnswer = z
  .object({
    items: z.array(removal).describe("In the order in which the job takes them"),
    job: job.nullable().describe("The job that does it; null before any worker has run"),
  })
  .meta({ id: "Removals" });

export type RemovalView = z.infer<typeof removal>;
export type RemovalsAnswer = z.infer<typeof removalsAnswer>;
