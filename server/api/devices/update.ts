import { z } from "zod";
import { deviceChanges, type DeviceDetail, deviceDetail } from "@/server/contracts/devices";
import { DEVICE_LABELS } from "@/server/domain/device-labels";
import { ownMember } from "@/server/domain/own-member";
import { writeProperties } from "@/server/catalog/device-properties";
import { prismaIn } from "@/server/postgres/prisma";
import { Personal } from "@/server/access/audit/personal";
import { BODY_PROBLEMS, parseJsonBody } from "../json-body";
import { invalid } from "../parse";
import { ProblemError } from "../problem";
import { NO_PARAMETERS, writingVerb } from "../verb";
import { deviceParams, noDevice } from "./id";
import { atSite, EVERYWHERE, NotHereError, within } from "../within";
import { type DetailDeps, readDetail } from "./view";

const { $schema: _, ...CHANGES_SCHEMA } = z.toJSONSchema(deviceChanges, { io: "input" });

export const updateDevice = writingVerb(
  {
    method: "PATCH",
    path: "/api/v1/devices/{id}",
    access: "edit",
    bySite: true,
    summary: "Changes what people say about a device: site, type, notes, labels; retires it, or undoes that",
    description:
      "What is left out stays; null is nothing; a site that isn't there yet is added. From then on messages no longer fill that site, type or label in; " +
      "a label of null is the messages' again. " +
      "Send `If-Match` with the device's updatedAt in double quotes to change only what you have read: if it was changed meanwhile, nothing is " +
      "written and the answer is 412 with what is there now. Without If-Match the last one wins. To move a device takes the permission at both sites.",
    params: deviceParams,
    query: NO_PARAMETERS,
    answer: deviceDetail,
    status: 200,
    problems: ["not-found", "changed-meanwhile", ...BODY_PROBLEMS],
    bodies: { "application/json": CHANGES_SCHEMA },
  },
  ({ twins, staleSeconds }: Omit<DetailDeps, "prisma">) =>
    async (ctx, { params: { id }, request, note }) => {
      const expected = versionIn(request.headers.get("if-match"));
      const changes = await parseJsonBody(deviceChanges, request);
      const result = await writeProperties(ctx, id, tidied(changes), expected);
      if (result === "elsewhere") throw new NotHereError(changes.site ? atSite(changes.site) : EVERYWHERE);
      if (result === "full")
        throw invalid([{ at: "labels", message: `are too many: a device has ${DEVICE_LABELS.most} at most` }]);
      const deps = { prisma: prismaIn(ctx.tx), twins, staleSeconds };
      const detail = await within(
        ctx,
        (sites) => readDetail(ctx.tx, deps, ctx.now, id, sites),
        () => noDevice(id),
        () => id,
      );
      if (result === "missing") throw noDevice(id);
      if (result === "changed") {
        const { site, type, notes, updatedAt } = detail;
        throw new ProblemError("changed-meanwhile", "Nothing was written. Read the device again, and change that.", {
          members: { current: { site, type, notes, updatedAt } },
        });
      }
      const keys = Object.keys(changes.labels ?? {});
      const before = {
        ...result,
        labels: Object.fromEntries([...result.labels].map(([key, { value }]) => [key, value])),
      };
      const wasRetired = result.isRetired;
      const isRetired = detail.retiredAt !== null;
      const retired = (is: boolean) => (wasRetired === isRetired ? {} : { retired: is });
      note({
        detail: {
          before: { ...written(before, keys), ...retired(wasRetired) },
          after: { ...written(detail, keys), ...retired(isRetired) },
        },
      });
      return detail;
    },
);

/** What people write about a device, and these of its labels. */
function written(
  { site, type, notes, labels }: Pick<DeviceDetail, "site" | "type" | "notes" | "labels">,
  keys: readonly string[],
): object {
  // May say something of a person: kept apart, where an erasure of the device finds it.
  const apart = (value: string | null) => new Personal(value, null);
  const named = keys.map((key) => [key, apart(ownMember(labels, key) ?? null)] as const);
  return { site, type, notes: apart(notes), ...(keys.length > 0 && { labels: Object.fromEntries(named) }) };
}

/** The `updatedAt` in If-Match, epoch milliseconds; null without one. */
function versionIn(header: string | null): number | null {
  if (header === null || header.trim() === "*") return null;
  const time = Date.parse(/^"(.+)"$/.exec(header.trim())?.[1] ?? "");
  if (Number.isNaN(time))
    throw invalid([{ at: "If-Match", message: "must be the device's updatedAt in double quotes" }]);
  return time;
}

/** Notes of nothing but white space are no notes. */
function tidied(changes: z.output<typeof deviceChanges>): z.output<typeof deviceChanges> {
  return typeof changes.notes === "string" ? { ...changes, notes: changes.notes.trim() || null } : changes;
}
