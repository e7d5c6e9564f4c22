import { z } from "zod";
import { DEAD_LETTER_REASONS, type DeadLetterReason } from "@/server/domain/reasons";
import { parseEventTime } from "@/server/domain/time";

/**
 * Text of an address or a body, on one line. PostgreSQL takes no NUL, and no name of ours has any other control character:
 * what has one is refused before anything is asked for it.
 */
export function text(most: number) {
  return z
    .string()
    .max(most)
    .regex(/^[^\u0000-\u001f]*$/, "must not hold control characters");
}

/** Ids or names, joined by commas, none of which holds one. */
export function nameList(most: number) {
  return text(most * 129)
    .transform((names) => names.split(",").filter((name) => name !== ""))
    .pipe(z.array(z.string().max(128)).max(most));
}

/** The `next` of a page before. */
export const cursor = text(512).optional();

/** The first moment that every engine holds. */
export const YEAR_1 = -62_135_596_800_000;
const YEAR_10000 = 253_402_300_800_000;
const isoTime = z.iso.datetime({ offset: true });

/** Reads a moment of an address or a body; null: it isn't one. */
function readMoment(given: string): number | null {
  const time = parseEventTime(given);
  if (time !== null) return time;
  // Before 1970.
  const iso = given.toUpperCase().replace(" ", "T");
  return isoTime.safeParse(iso).success ? Date.parse(iso) : null;
}

/** A moment that somebody sends: any RFC 3339 time with a zone, however many digits its seconds have. Read, it is an {@link instant}. */
export const moment = z
  .string()
  .max(64)
  .meta({ format: "date-time" })
  .transform((given, context) => {
    const time = readMoment(given);
    if (time !== null && time >= YEAR_1 && time < YEAR_10000) return new Date(time).toISOString();
    const message =
      time === null
        ? "must be an RFC 3339 time with a zone, such as 2026-11-30T13:30:00Z or 2026-11-30T14:30:00+01:00"
        : "must be in the years 1 to 9999";
    context.addIssue({ code: "custom", message });
    return z.NEVER;
  });

/** Moments in answers: RFC 3339 in UTC with milliseconds. */
export const instant = z.iso.datetime({ precision: 3 }).describe("RFC 3339, UTC, milliseconds");

export const reasonSchema = z.enum(Object.keys(DEAD_LETTER_REASONS) as [DeadLetterReason, ...DeadLetterReason[]]);

/** RFC 9457 problem details. `type` is one of the closed set in server/api/problem.ts. */
export const problem = z
  .object({
    type: z.string().describe("URI reference that names the kind of problem, e.g. /problems/not-found"),
    title: z.string(),
    status: z.int(),
    detail: z.string().optional(),
    instance: z.string().optional(),
    errors: z
      .array(z.object({ at: z.string(), message: z.string() }))
      .optional()
      .describe("What is wrong where, all at once"),
  })
  .catchall(z.unknown())
  .meta({ id: "Problem" });

/** One page of a list; `next` is the cursor of the following page, null on the last. */
export function pageOf<T extends z.ZodType>(item: T) {
  return z.object({ items: z.array(item), next: z.string().nullable() });
}

/** A latest value with its own event time. */
export const currentValue = z
  .object({ value: z.union([z.number(), z.boolean(), z.string()]), time: instant })
  .meta({ id: "CurrentValue" });

export type Problem = z.infer<typeof problem>;
export type CurrentValue = z.infer<typeof currentValue>;
