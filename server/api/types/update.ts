import { z } from "zod";
import { renameInRules } from "@/server/alerting/renames";
import { DISCOVERY_LOCK } from "@/server/catalog/catalog-writes";
import { type DeviceType, readTypes, renameType, setStaleAfter } from "@/server/catalog/types";
import { deviceTypeAnswer, typeChanges, typePath } from "@/server/contracts/types";
import { renameInMatchers } from "@/server/notifications/renames";
import { renameSeriesRule } from "@/server/readings/series-rules";
import { BODY_PROBLEMS, parseJsonBody } from "../json-body";
import { ProblemError } from "../problem";
import { NO_PARAMETERS, writingVerb } from "../verb";

const { $schema: _, ...CHANGES_SCHEMA } = z.toJSONSchema(typeChanges, { io: "input" });

export const updateType = writingVerb(
  {
    method: "PATCH",
    path: "/api/v1/types/{type}",
    access: "edit",
    summary: "Gives a type of devices another name, or says at which age its devices are stale",
    description:
      "A renamed type is the same one, with its devices and its id; alert rules, routes, silences and retention rules that name it go by the new name. Devices keep it whatever their messages say; a new " +
      "device whose messages say the old name makes a type of that name again. The age goes before what is learned of a device: it is silent, in lists, events and alerts of silence, at ten times as much, " +
      "in alerts and events after a minute at the earliest.",
    params: typePath,
    query: NO_PARAMETERS,
    answer: deviceTypeAnswer,
    status: 200,
    problems: ["not-found", "wrong-status", ...BODY_PROBLEMS],
    bodies: { "application/json": CHANGES_SCHEMA },
  },
  () =>
    async (ctx, { params, request, note }) => {
      const { name, staleSeconds } = await parseJsonBody(typeChanges, request);
      const [before] = await readTypes(ctx.tx, "all", params.type);
      if (!before) throw new ProblemError("not-found", `There is no type of devices with the id ${params.type}.`);
      if (name !== undefined && name !== before.name) {
        // Rules before devices, as those who judge alerts lock them.
        await ctx.tx.query(DISCOVERY_LOCK);
        await renameInRules(ctx.tx, "types", before.name, name);
        if (!(await renameType(ctx.tx, before, name)))
          throw new ProblemError("wrong-status", `There is a type ${name}: give its devices that type instead.`);
        await renameSeriesRule(ctx.tx, "type", before.name, name);
        await renameInMatchers(ctx.tx, "type", before.name, name);
      }
      if (staleSeconds !== undefined)
        await setStaleAfter(ctx.tx, { ...before, name: name ?? before.name }, staleSeconds);
      const [after] = await readTypes(ctx.tx, "all", params.type);
      note({ target: before.name, detail: { before: noteOfType(before), after: noteOfType(after!) } });
      return after!;
    },
);

function noteOfType({ name, staleSeconds }: DeviceType): object {
  return { name, staleSeconds };
}
