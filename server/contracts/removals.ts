import { z } from "zod";
import { instant, text } from "./common";
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

export const eraseQuery = z.object({
  erase: z
    .enum(["true", "false"])
    .default("false")
    .describe("true: out of every store, with a proof; messages that still come under its name are dropped"),
});

/** The erasure of a device from every store. */
const erasure = z
  .object({
    id: z.int(),
    name: z
      .string()
      .nullable()
      .describe("The device; null once the proof found nothing: then it is known by its mark alone"),
    mark: z.string().describe("SHA-256 of a secret of this installation and the name, in hex"),
    since: instant,
    state: z
      .enum(["erasing", "waiting", "proven"])
      .describe("waiting: a look found something, which is tried again · proven: a look found nothing in any store"),
    readings: z.number().describe("Readings taken out"),
    stores: z.array(
      z.object({
        store: z.string(),
        erased: z.number().describe("Rows, messages or files taken out"),
        left: z.number().nullable().describe("What the last look found; null: nobody has looked yet"),
      }),
    ),
    lookedAt: instant.nullable(),
    looks: z.int(),
    provenAt: instant.nullable(),
    remains: z
      .array(
        z.object({
          what: z.string(),
          until: instant.nullable().describe("When it is gone; null: that is not for Fieldwatch to say"),
          why: z.string(),
        }),
      )
      .describe("What has data of it still, as of the last look"),
    dropped: z.number().describe("Messages under its name that came since"),
    droppedAt: instant.nullable(),
    allowedAt: instant
      .nullable()
      .describe("From then on they are taken, and make a new device; null: they are dropped"),
  })
  .meta({ id: "Erasure" });

export const erasuresQuery = z.object({
  device: text(512).min(1).optional().describe("Only erasures of the device of this name, also proven ones"),
});

export const erasuresAnswer = z
  .object({ items: z.array(erasure).describe("Newest first, the last 100") })
  .meta({ id: "Erasures" });

export type ErasureView = z.infer<typeof erasure>;
export type ErasuresAnswer = z.infer<typeof erasuresAnswer>;
export type RemovalView = z.infer<typeof removal>;
export type RemovalsAnswer = z.infer<typeof removalsAnswer>;
