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
    request: z
      .int()
      .nullable()
      .describe(
        "The number that erasures have in common which were asked for together; null: it was one device by itself",
      ),
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
  request: z.coerce
    .number()
    .int()
    .min(1)
    .max(2 ** 31 - 1)
    .optional()
    .describe("Only those that were asked for together under this number"),
});

export const erasuresAnswer = z
  .object({ items: z.array(erasure).describe("Newest first, the last 100") })
  .meta({ id: "Erasures" });

/** Most devices that are erased by one request. */
export const MOST_ERASED_AT_ONCE = 500;

const person = text(512).min(1);

export const personErasureQuery = z.object({ person });

/** Body of POST /api/v1/erasures. */
export const personErasureBody = z.strictObject({
  person: person.describe("As labels of devices or sites have it, to the letter"),
  devices: z.array(text(512).min(1)).min(1).max(MOST_ERASED_AT_ONCE).describe("Every device of the person, by name"),
});

export const personErasure = z
  .object({
    devices: z.array(
      z.object({
        name: z.string(),
        site: z.string().nullable(),
        messages: z.number(),
        by: z.enum(["label", "site"]).describe("Why it is the person's: a label of its own, or the person of its site"),
      }),
    ),
    sites: z.array(z.string()).describe("Sites that lose the person's name"),
    readings: z.number().nullable().describe("Readings of all these devices; null when counting took too long"),
  })
  .meta({ id: "PersonErasure" });

export type PersonErasure = z.infer<typeof personErasure>;
export type PersonErasureBody = z.input<typeof personErasureBody>;
export type ErasureView = z.infer<typeof erasure>;
export type ErasuresAnswer = z.infer<typeof erasuresAnswer>;
export type RemovalView = z.infer<typeof removal>;
export type RemovalsAnswer = z.infer<typeof removalsAnswer>;
