import { z } from "zod";
import { DEAD_LETTER_REASONS, type DeadLetterReason } from "@/server/domain/reasons";

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

/** Moments on the wire: RFC 3339 in UTC with milliseconds. */
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
