import { z } from "zod";
import { LABEL_LENGTH } from "@/server/domain/label";
import { givenName, otherNames } from "./names";

const site = z
  .object({
    id: z.int().describe("Stays when it is renamed"),
    name: z.string(),
    person: z
      .string()
      .nullable()
      .describe("Whose data that of its devices is, but for devices with a label person of their own; null: nobody's"),
    others: otherNames,
    devices: z.int().min(0).describe("That aren't retired"),
  })
  .meta({ id: "Site" });

export const sitesAnswer = z.object({ items: z.array(site).describe("By name") }).meta({ id: "Sites" });

export const siteAnswer = site;

/** Body of PATCH /api/v1/sites/{site}. */
export const siteChanges = z
  .strictObject({
    name: givenName.optional().describe(`Free text of at most ${LABEL_LENGTH} characters`),
    person: givenName
      .nullable()
      .optional()
      .describe(`Whose data that of its devices is, at most ${LABEL_LENGTH} characters; null: nobody's`),
  })
  .refine(({ name, person }) => name !== undefined || person !== undefined, { message: "must change name or person" });

export const sitePath = z.object({
  site: z.coerce
    .number()
    .int()
    .min(1)
    .max(2 ** 31 - 1)
    .describe("The site's id"),
});

export type SiteView = z.infer<typeof site>;
export type SiteChanges = z.input<typeof siteChanges>;
export type SitesAnswer = z.infer<typeof sitesAnswer>;
