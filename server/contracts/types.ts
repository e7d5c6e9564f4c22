import { z } from "zod";
import { LABEL_LENGTH } from "@/server/domain/label";
import { givenName, otherNames } from "./names";

/** Longest age at which devices of a type are stale, in seconds: 31 days. */
export const MOST_STALE_SECONDS = 2_678_400;

const deviceType = z
  .object({
    id: z.int().describe("Stays when it is renamed"),
    name: z.string(),
    others: otherNames,
    staleSeconds: z
      .int()
      .nullable()
      .describe("Age at which its devices are stale, silent at ten times as much; null: as any device"),
    devices: z.int().min(0).describe("That aren't retired"),
  })
  .meta({ id: "DeviceType" });

export const deviceTypes = z
  .object({
    items: z.array(deviceType).describe("By name"),
    usualSeconds: z.int().describe("Age at which a device is stale whose type has none: DEVICE_STALE_SECONDS"),
  })
  .meta({ id: "DeviceTypes" });

export const deviceTypeAnswer = deviceType;

/** Changes of a type; an absent one stays as it is. */
export const typeChanges = z
  .strictObject({
    name: givenName.optional().describe(`Free text of at most ${LABEL_LENGTH} characters`),
    staleSeconds: z.int().min(1).max(MOST_STALE_SECONDS).nullable().optional(),
  })
  .refine(({ name, staleSeconds }) => name !== undefined || staleSeconds !== undefined, {
    message: "must change one of name and staleSeconds",
  });

export const typePath = z.object({
  type: z.coerce
    .number()
    .int()
    .min(1)
    .max(2 ** 31 - 1)
    .describe("The type's id"),
});

export type DeviceTypeView = z.infer<typeof deviceType>;
export type DeviceTypesAnswer = z.infer<typeof deviceTypes>;
export type TypeChanges = z.input<typeof typeChanges>;
