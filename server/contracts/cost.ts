import { z } from "zod";
import { LEVERS, STORES } from "@/server/domain/cost";
import { instant } from "./common";

const price = z.number().min(0).max(1e6);

/** A table of prices, as PRICES_FILE holds one. */
export const pricesFile = z
  .object({
    date: z.iso.date().describe("The day the prices were looked up"),
    source: z.string().max(300).describe("Where they are from"),
    currency: z
      .string()
      .regex(/^[A-Z]{3}$/, "must be a currency's three letters, e.g. EUR")
      .describe("ISO 4217"),
    providers: z
      .array(
        z
          .object({
            provider: z.string().min(1).max(60),
            vcpu: price.describe("A month of one virtual processor"),
            memoryGiB: price.describe("A month of a GiB of memory"),
            diskGiB: price.describe("A month of a GiB on a disk for PostgreSQL"),
            objectGiB: price.describe("A month of a GiB in object storage"),
            spotDiscount: z
              .number()
              .min(0)
              .max(1)
              .describe("The part saved of processors and memory that may be taken back"),
          })
          .strict(),
      )
      .min(1)
      .max(12),
  })
  .strict();

const amounts = z.array(z.object({ provider: z.string(), amount: z.number() }));

/** What this installation takes, what it will take, and what that costs by a table of prices. */
export const costAnswer = z
  .object({
    time: instant,
    messages: z.int().describe("Handled since the first"),
    messagesPerDay: z
      .number()
      .nullable()
      .describe("As in the last 24 hours, or since the first message if that is less; null: not yet ten minutes"),
    readingsPerMessage: z.number().nullable().describe("On average; null: no message has come"),
    stores: z.array(
      z.object({
        store: z
          .enum(STORES)
          .describe(
            "raw, minutes, hours: readings and their rollups · messages: their archive · cold: in cold storage",
          ),
        bytes: z.number().describe("Now, indexes included"),
        free: z
          .number()
          .describe("Of these, what merging left free, estimated: it is taken again before the store grows"),
        empty: z
          .number()
          .describe(
            "Of these, what its tables and indexes take with hardly anything in them; all, if there is nothing",
          ),
        perMessage: z
          .number()
          .nullable()
          .describe(
            "Bytes a message takes there on average, without free and empty; null: too little is there to tell",
          ),
        days: z.number().nullable().describe("Days it keeps what came; null: for ever"),
        in30Days: z.number().nullable().describe("Null: perMessage or messagesPerDay isn't known"),
        in365Days: z.number().nullable().describe("The same"),
      }),
    ),
    elsewhere: z
      .array(z.enum(["messages", "deadLetters", "log"]))
      .describe("What lies in MongoDB or Kafka, and isn't counted here"),
    total: z
      .object({ bytes: z.number(), in30Days: z.number().nullable(), in365Days: z.number().nullable() })
      .describe("Stores whose perMessage isn't known count as they are now; null: messagesPerDay isn't known"),
    machine: z.object({
      vcpus: z.int(),
      memoryGiB: z.number(),
      load: z.number().describe("Processors in use, on average of the last 15 minutes, by whatever runs there"),
      neededVcpus: z.int().describe("Twice the load, and one at least; may be more than there are"),
      neededMemoryGiB: z
        .int()
        .describe("Half as much again as is in use, and two at least; may be more than there are"),
    }),
    prices: z
      .object({
        date: z.iso.date(),
        source: z.string(),
        currency: z.string(),
        isOwn: z.boolean().describe("Whether they are from PRICES_FILE, not the examples that come along"),
      })
      .nullable()
      .describe("Null: PRICES_FILE can't be read; see trouble"),
    trouble: z.string().nullable().describe("What is wrong with PRICES_FILE"),
    estimates: z
      .array(
        z.object({
          provider: z.string(),
          now: z.number().describe("A month with what there is now"),
          in365Days: z.number().nullable().describe("A month a year from now; null: messagesPerDay isn't known"),
          machine: z.number(),
          disk: z.number().nullable().describe("A year from now, with free room to work; null as in365Days"),
          objects: z.number().nullable().describe("A year from now; null as in365Days"),
        }),
      )
      .describe("Each a month, for one machine like this one"),
    levers: z.array(
      z.object({
        lever: z
          .enum(LEVERS)
          .describe(
            "rawRetention: readings for 90 days · messageRetention: messages for 7 days · coldTier: readings to cold storage after 30 days · rightSize: the machine that is needed, unless it is larger than this one · spot: a machine that may be taken back for a worker",
          ),
        bytesSaved: z.number().describe("A year from now"),
        saved: amounts.describe("A month, a year from now"),
      }),
    ),
  })
  .meta({ id: "Cost" });

export type CostAnswer = z.infer<typeof costAnswer>;
export type PricesFile = z.infer<typeof pricesFile>;
