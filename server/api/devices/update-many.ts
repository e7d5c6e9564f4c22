import { z } from "zod";
import { writePropertiesOfMany } from "@/server/catalog/device-properties";
import { deviceChangesAnswer, deviceChangesOfMany } from "@/server/contracts/devices";
import { ownMember } from "@/server/domain/own-member";
import { BODY_PROBLEMS, parseJsonBody } from "../json-body";
import { NO_PARAMETERS, writingVerb } from "../verb";

const { $schema: _, ...BODY_SCHEMA } = z.toJSONSchema(deviceChangesOfMany, { io: "input" });

export const changeDevices = writingVerb(
  {
    method: "POST",
    path: "/api/v1/device-changes",
    access: "edit",
    bySite: true,
    summary: "Changes site, type, labels of several devices, or retires them, in one go",
    description:
      "Each device is changed or not by itself, and its outcome is told; the record of who did what holds all of them, with what was there before.",
    params: NO_PARAMETERS,
    query: NO_PARAMETERS,
    answer: deviceChangesAnswer,
    status: 200,
    problems: [...BODY_PROBLEMS],
    bodies: { "application/json": BODY_SCHEMA },
  },
  () =>
    async (ctx, { request, note }) => {
      const { devices, changes } = await parseJsonBody(deviceChangesOfMany, request);
      const names = [...new Set(devices)];
      const outcomes = await writePropertiesOfMany(ctx, names, changes);
      const before = names.flatMap((id) => {
        const was = outcomes.get(id)?.before;
        if (!was) return [];
        const labels = changes.labels && {
          labels: Object.fromEntries(
            Object.keys(changes.labels).map((key) => [key, was.labels.get(key)?.value ?? null]),
          ),
        };
        const known = { site: was.site, type: was.type, retired: was.isRetired };
        const changed = Object.keys(changes).flatMap((key) => {
          const value = ownMember<string | boolean | null>(known, key);
          return value === undefined ? [] : [[key, value] as const];
        });
        return [[id, { ...Object.fromEntries(changed), ...labels }] as const];
      });
      const failed = names.flatMap((id) => {
        const outcome = outcomes.get(id)!.outcome;
        return outcome === "changed" ? [] : [[id, outcome] as const];
      });
      note({
        target: names.length === 1 ? names[0]! : `${names.length} devices`,
        detail: { before: Object.fromEntries(before), after: changes, notChanged: Object.fromEntries(failed) },
      });
      return { items: names.map((id) => ({ id, outcome: outcomes.get(id)!.outcome })) };
    },
);
