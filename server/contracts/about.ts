import { z } from "zod";

const release = z
  .object({
    version: z.string(),
    date: z.iso.date().nullable().describe("The day it came out; null: not yet"),
    sections: z.array(
      z.object({ title: z.string().describe("Added, Changed, Breaking …"), changes: z.array(z.string()) }),
    ),
  })
  .meta({ id: "Release" });

/** Which Fieldwatch this is, and what changed from version to version. */
export const aboutAnswer = z
  .object({
    version: z.string(),
    node: z.string().describe("The version of Node.js it runs on"),
    releases: z.array(release).describe("As CHANGELOG.md tells them, newest first"),
    breaking: z
      .array(z.object({ migration: z.string(), changes: z.string() }))
      .describe("Migrations of the database beside which processes of the version before can't work, newest first"),
  })
  .meta({ id: "About" });

export type ReleaseView = z.infer<typeof release>;
export type About = z.infer<typeof aboutAnswer>;
