import type { Pool, PoolClient } from "pg";
import { z } from "zod";
import { Personal } from "@/server/access/audit/personal";
import { setSitePerson } from "@/server/catalog/persons";
import { readSites, renameSite as rename, type Site } from "@/server/catalog/sites";
import { namingEffects, namingQuery } from "@/server/contracts/names";
import { siteAnswer, siteChanges, sitePath } from "@/server/contracts/sites";
import { BODY_PROBLEMS, parseJsonBody } from "../json-body";
import { ProblemError } from "../problem";
import { NO_PARAMETERS, verb, writingVerb } from "../verb";
import { effectsOfName, renameWhereNamed, takenWords } from "./naming";

const { $schema: _, ...CHANGES_SCHEMA } = z.toJSONSchema(siteChanges, { io: "input" });

export const renameSite = writingVerb(
  {
    method: "PATCH",
    path: "/api/v1/sites/{site}",
    access: "edit",
    summary: "Gives a site another name, or says whose it is",
    description:
      "With `person` what devices at it tell counts as data of that person, unless a label person of theirs names another: the export of all about a person, and their erasure, find them. " +
      "Renamed, it is the same site, with its devices, its keys and who may see it. Alert rules, routes, silences, maintenance times and retention rules that name it go by the new name. The old name stays " +
      "another name of it: messages that say it, views and addresses that ask for it mean this site. Renaming it back undoes it. Messages in the archive and dead letters stay as they were received.",
    params: sitePath,
    query: NO_PARAMETERS,
    answer: siteAnswer,
    status: 200,
    problems: ["not-found", "wrong-status", ...BODY_PROBLEMS],
    bodies: { "application/json": CHANGES_SCHEMA },
  },
  () =>
    async (ctx, { params, request, note }) => {
      const changes = await parseJsonBody(siteChanges, request);
      const before = await find(ctx.tx, params.site);
      const { name = before.name, person = before.person } = changes;
      if (name !== before.name) {
        if (!(await rename(ctx.tx, before, name))) throw new ProblemError("wrong-status", takenWords("site", name));
        await renameWhereNamed(ctx.tx, "site", before.name, name);
      }
      if (person !== before.person) await setSitePerson(ctx.tx, before.id, person);
      const told = (site: Pick<Site, "name" | "person">) => ({
        name: site.name,
        ...(person !== before.person && { person: new Personal(site.person, null) }),
      });
      note({ target: before.name, detail: { before: told(before), after: told({ name, person }) } });
      return find(ctx.tx, params.site);
    },
);

export const getSiteEffects = verb(
  {
    method: "GET",
    path: "/api/v1/sites/{site}/effects",
    access: "edit",
    summary: "What another name for a site would do; nothing is changed",
    params: sitePath,
    query: namingQuery,
    answer: namingEffects,
    status: 200,
    problems: ["not-found"],
  },
  () =>
    async ({ tx, caller }, { params, query: { to } }) =>
      effectsOfName(tx, caller, "site", await find(tx, params.site), to),
);

async function find(db: Pool | PoolClient, id: number): Promise<Site> {
  const [site] = await readSites(db, "all", id);
  if (!site) throw new ProblemError("not-found", `There is no site with the id ${id}.`);
  return site;
}
