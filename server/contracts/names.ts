import { z } from "zod";
import { readLabel } from "@/server/domain/label";
import { text } from "./common";

/** A name of a site or type that somebody gives: free text in one spelling. */
export const givenName = z.string().transform((text, context) => {
  const read = readLabel(text);
  if ("label" in read && read.label !== null) return read.label;
  context.addIssue({ code: "custom", message: "label" in read ? "must not be empty" : read.problem });
  return z.NEVER;
});

/** Names that a site or type had before. */
export const otherNames = z
  .array(z.string())
  .describe("Names it had before: what is asked for by them, or sent with them, is its own");

/** Query of what another name would do. */
export const namingQuery = z.strictObject({
  to: text(256).pipe(givenName).describe("What renaming it to this would do"),
});

/** What another name for a site or type would do. */
export const namingEffects = z
  .object({
    refused: z.string().nullable().describe("Why it can't be done; null: it can"),
    devices: z.int().min(0).describe("Devices of it that aren't retired"),
    rules: z.array(z.string()).describe("Alert rules that name it: they go on by the new name, as all below"),
    matchers: z.int().min(0).describe("Routes, silences and maintenance times that name it"),
    retention: z.int().min(0).describe("Retention rules that name it"),
    views: z.array(z.string()).describe("Saved views that name it, of those the caller sees"),
  })
  .meta({ id: "NamingEffects" });

export type NamingEffects = z.infer<typeof namingEffects>;
