import type { Pool, PoolClient } from "pg";
import { z } from "zod";
import { DISCOVERY_LOCK } from "@/server/catalog/catalog-writes";
import { type DeviceType, readTypes, renameType, setStaleAfter } from "@/server/catalog/types";
import { namingEffects, namingQuery } from "@/server/contracts/names";
import { deviceTypeAnswer, typeChanges, typePath } from "@/server/contracts/types";
import { BODY_PROBLEMS, parseJsonBody } from "../json-body";
import { ProblemError } from "../problem";
import { effectsOfName, renameWhereNamed, takenWords } from "../sites/naming";
import { NO_PARAMETERS, verb, writingVerb } from "../verb";

const { $schema: _, ...CHANGES_SCHEMA } = z.toJSONSchema(typeChanges, { io: "input" });

export const updateType = writingVerb(
  {
    method: "PATCH",
    path: "/api/v1/types/{type}",
    access: "edit",
    summary: "Gives a type of devices another name, or says at which age its devices are stale",
    description:
      "A renamed type is the same one, with its devices and its id; alert rules, routes, silences and retention rules that name it go by the new name. The old name stays another " +
      "name of it: new devices whose messages say it, views and filters that ask for it mean this type. The age goes before what is learned of a device: it is silent, in lists, events and alerts of silence, at ten times as much, " +
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
      const before = await find(ctx.tx, params.type);
      if (name !== undefined && name !== before.name) {
        // Rules before devices, as those who judge alerts lock them.
        await ctx.tx.query(DISCOVERY_LOCK);
        await renameWhereNamed(ctx.tx, "type", before.name, name);
        if (!(await renameType(ctx.tx, before, name))) throw new ProblemError("wrong-status", takenWords("type", name));
      }
      if (staleSeconds !== undefined)
        await setStaleAfter(ctx.tx, { ...before, name: name ?? before.name }, staleSeconds);
      const after = await find(ctx.tx, params.type);
      note({ target: before.name, detail: { before: noteOfType(before), after: noteOfType(after) } });
      return after;
    },
);

export const getTypeEffects = verb(
  {
    method: "GET",
    path: "/api/v1/types/{type}/effects",
    access: "edit",
    summary: "What another name for a type of devices would do; nothing is changed",
    params: typePath,
    query: namingQuery,
    answer: namingEffects,
    status: 200,
    problems: ["not-found"],
  },
  () =>
    async ({ tx, caller }, { params, query: { to } }) =>
      effectsOfName(tx, caller, "type", await find(tx, params.type), to),
);

async function find(db: Pool | PoolClient, id: number): Promise<DeviceType> {
  const [type] = await readTypes(db, "all", id);
  if (!type) throw new ProblemError("not-found", `There is no type of devices with the id ${id}.`);
  return type;
}

function noteOfType({ name, staleSeconds }: DeviceType): object {
  return { name, staleSeconds };
}
