import { z } from "zod";
import { cursor, instant, pageOf, reasonSchema, text } from "./common";

/**
 * open: waits for a decision · resending: sent to the event log again, not handled yet · resent: handled again, see `history` for
 * what came of it · discarded: given up, kept until its retention ends.
 */
const deadLetterStatus = z.enum(["open", "resending", "resent", "discarded"]).meta({ id: "DeadLetterStatus" });

/** Something that was done to a dead letter, or its outcome. */
const deadLetterEvent = z
  .object({
    time: instant,
    kind: z.enum(["sent", "stored", "refused", "discarded", "restored"]),
    detail: z.string().describe('In words: "3 readings stored, 0 repeats", or the reason it was refused again'),
    edited: z.boolean().describe("Whether the message was changed before it was sent"),
  })
  .meta({ id: "DeadLetterEvent" });

export const deadLetter = z
  .object({
    id: z.string(),
    status: deadLetterStatus,
    reason: reasonSchema,
    title: z.string(),
    detail: z.string(),
    fix: z.string(),
    device: z.string().nullable(),
    field: z.string().nullable().describe("The metric or field at fault; null when it is the whole message"),
    log: z.string(),
    partition: z.int(),
    offset: z.int(),
    ingestTime: instant,
    processedTime: instant,
    bytes: z.int(),
    raw: z.string().describe("UTF-8 text when it is that, else base64"),
    encoding: z.enum(["utf-8", "base64"]),
    source: z.string().nullable().describe("The source it came from; null in what earlier versions kept"),
    delivery: z
      .object({
        version: z.int().describe("Of the mapping that refused it"),
        arrived: instant,
        refusals: z
          .array(z.object({ path: z.string(), reason: z.string(), detail: z.string() }))
          .describe("The first of what was refused"),
        refused: z.int().describe("How much that was"),
        contentType: z.string().nullable(),
        topic: z.string().nullable(),
        path: z.array(z.string()),
        query: z.record(z.string(), z.string()),
      })
      .nullable()
      .describe("Given where it is a whole delivery: a resend reads it by the current mapping of its source"),
    resends: z
      .int()
      .describe("How often this message was sent again, those of the dead letters it descends from included"),
    resendOf: z.string().nullable().describe("The dead letter whose resend was refused again and became this one"),
    resentAs: z.string().nullable().describe("The dead letter that its own resend became, when that was refused again"),
    history: z.array(deadLetterEvent).describe("Oldest first; begins with that of the dead letters it descends from"),
  })
  .meta({ id: "DeadLetter" });

/** A selection of dead letters; a part that is left out means any. */
export const deadLetterFilter = z.object({
  reason: reasonSchema.optional(),
  device: text(128).optional().describe("Empty: those whose device could not be read"),
  field: text(256).optional().describe("Empty: whole messages only"),
  source: text(64).optional().describe("Name of the source they came from"),
});

export const deadLettersQuery = deadLetterFilter.extend({
  status: z.enum([...deadLetterStatus.options, "all"]).default("open"),
  limit: z.coerce.number().int().min(1).max(500).default(50),
  cursor,
});

export const deadLettersAnswer = pageOf(deadLetter).meta({ id: "DeadLetters" });

/** Dead letters of one reason, device and field. */
const deadLetterGroup = z
  .object({
    reason: reasonSchema,
    title: z.string(),
    fix: z.string(),
    device: z.string().nullable(),
    field: z.string().nullable(),
    count: z.int(),
    resends: z.int().describe("Sum over its dead letters"),
    firstSeen: instant.describe("Ingest time of the oldest"),
    lastSeen: instant,
    trend: z.array(z.int()).describe("How many came in each of the last 24 hours, the running one last"),
    example: z
      .string()
      .nullable()
      .describe("The detail of the newest, which may quote its message; null for who may not see messages"),
    source: z.string().nullable().describe("The source of the newest; null in what earlier versions kept"),
    mappingVersion: z
      .int()
      .nullable()
      .describe("Of that source's mapping, where it refused the newest; null for what no mapping refused"),
  })
  .meta({ id: "DeadLetterGroup" });

export const deadLetterGroupsQuery = deadLetterFilter.extend({
  status: z.enum([...deadLetterStatus.options, "all"]).default("open"),
  limit: z.coerce.number().int().min(1).max(500).default(200),
});

export const deadLetterGroupsAnswer = z
  .object({
    time: instant,
    /** Counts of dead letters by status, regardless of the filter. */
    counts: z.object({ open: z.int(), resending: z.int(), resent: z.int(), discarded: z.int() }),
    total: z.int().describe("Groups there are; `items` holds the largest of them"),
    items: z.array(deadLetterGroup),
  })
  .meta({ id: "DeadLetterGroups" });

/** Body of POST /api/v1/dead-letters/{id}/resend. */
export const resendBody = z.object({
  message: z
    .string()
    .max(256 * 1024)
    .optional()
    .describe("The message to send instead of the original bytes"),
  dryRun: z.boolean().default(false).describe("Only tell what would come of it"),
});

/** The outcome a message would have now, found by the same decoding as the worker's. */
const resendPreview = z
  .object({
    ok: z.boolean(),
    readings: z.int().describe("Readings it holds that would be stored, or count as repeats if they are there"),
    problems: z.array(
      z.object({ reason: reasonSchema, title: z.string(), field: z.string().nullable(), detail: z.string() }),
    ),
  })
  .meta({ id: "ResendPreview" });

export const resendAnswer = z.object({ preview: resendPreview, letter: deadLetter }).meta({ id: "Resend" });

/** Body of POST /api/v1/dead-letters/jobs: work on many at once. */
export const deadLetterJobBody = z.object({
  action: z.enum(["resend", "discard", "restore"]).describe("restore: discarded ones become open again"),
  filter: deadLetterFilter.default({}),
  perSecond: z.int().min(1).max(1000).default(50).describe("Most messages a second that are sent to the log"),
  dryRun: z.boolean().default(false),
});

/** The effect a job would have on the dead letters there are now. */
const deadLetterDryRun = z
  .object({
    count: z.int().describe("Dead letters it would work on"),
    checked: z.int().describe("How many of them were looked at, the newest first"),
    wouldPass: z.int().describe("Of those looked at, the ones that would be stored now"),
    wouldFail: z.array(
      z.object({ reason: reasonSchema, title: z.string(), fix: z.string(), count: z.int(), example: z.string() }),
    ),
    seconds: z.number().describe("How long it would take at this rate"),
  })
  .meta({ id: "DeadLetterDryRun" });

export const deadLetterJob = z
  .object({
    id: z.string(),
    action: z.enum(["resend", "discard", "restore"]),
    filter: deadLetterFilter,
    perSecond: z.int(),
    status: z.enum(["waiting", "running", "done", "stopped", "failed"]),
    total: z.int().describe("Letters that fitted when it was made"),
    done: z.int().describe("Letters dealt with, those skipped included"),
    skipped: z.int().describe("Letters somebody else had taken meanwhile"),
    stored: z.int().describe("Of a resend: messages that were stored by now"),
    refused: z.int().describe("Of a resend: messages that were refused again by now"),
    createdAt: instant,
    finishedAt: instant.nullable(),
    error: z.string().nullable(),
  })
  .meta({ id: "DeadLetterJob" });

export const deadLetterJobAnswer = z
  .object({ dryRun: deadLetterDryRun.nullable(), job: deadLetterJob.nullable() })
  .meta({ id: "DeadLetterJobAnswer" });

export const deadLetterJobsAnswer = z
  .object({ items: z.array(deadLetterJob).describe("Newest first, at most 20") })
  .meta({ id: "DeadLetterJobs" });

export type DeadLetterStatus = z.infer<typeof deadLetterStatus>;
export type DeadLetterView = z.infer<typeof deadLetter>;
export type DeadLetterEvent = z.infer<typeof deadLetterEvent>;
export type DeadLetterFilter = z.infer<typeof deadLetterFilter>;
export type DeadLettersAnswer = z.infer<typeof deadLettersAnswer>;
export type DeadLetterGroup = z.infer<typeof deadLetterGroup>;
export type DeadLetterGroupsAnswer = z.infer<typeof deadLetterGroupsAnswer>;
export type ResendBody = z.input<typeof resendBody>;
export type ResendAnswer = z.infer<typeof resendAnswer>;
export type ResendPreview = z.infer<typeof resendPreview>;
export type DeadLetterJobBody = z.input<typeof deadLetterJobBody>;
export type DeadLetterDryRun = z.infer<typeof deadLetterDryRun>;
export type DeadLetterJob = z.infer<typeof deadLetterJob>;
export type DeadLetterJobAnswer = z.infer<typeof deadLetterJobAnswer>;
export type DeadLetterJobsAnswer = z.infer<typeof deadLetterJobsAnswer>;
