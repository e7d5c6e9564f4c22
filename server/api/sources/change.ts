import type { PoolClient } from "pg";
import { z } from "zod";
import { findSite, findSiteNames } from "@/server/catalog/catalog-writes";
import { deletedSource, newSourceBody, source, sourceChanges } from "@/server/contracts/sources";
import { signatureOf, type Sites } from "@/server/domain/access";
import { type KeptSecrets, KeptSecretError } from "@/server/config/kept-secrets";
import { noSuchSite } from "@/server/domain/near-names";
import type { Pool } from "pg";
import { readTotals } from "@/server/sources/counts";
import {
  deleteSource,
  findSource,
  insertSource,
  secretHolder,
  type SourceRow,
  type SourceSettings,
  updateSource,
} from "@/server/sources/rows";
import { templateOf } from "@/server/sources/known-senders";
import { KNOWN_SENDERS } from "@/server/sources/templates/templates";
import { BODY_PROBLEMS, parseJsonBody } from "../json-body";
import { ProblemError } from "../problem";
import { NO_PARAMETERS, writingVerb } from "../verb";
import { atSite, EVERYWHERE, NotHereError } from "../within";
import { mustBeOwn, noteOfSource, sourceAt, sourceParams, toSource } from "./view";

const { $schema: _, ...NEW_SCHEMA } = z.toJSONSchema(newSourceBody, { io: "input" });
const { $schema: __, ...CHANGES_SCHEMA } = z.toJSONSchema(sourceChanges, { io: "input" });
/** Mappings are larger than other changes. */
export const MOST_MAPPING_BYTES = 256 * 1024;

export interface ChangeSourceDeps {
  readonly pool: Pool;
  readonly keptSecrets: KeptSecrets;
}

export const addSource = writingVerb(
  {
    method: "POST",
    path: "/api/v1/sources",
    access: "edit",
    bySite: true,
    summary: "Adds a source: who sends, and how it is read",
    params: NO_PARAMETERS,
    query: NO_PARAMETERS,
    answer: source,
    status: 200,
    problems: ["not-found", "taken", "wrong-status", ...BODY_PROBLEMS],
    bodies: { "application/json": NEW_SCHEMA },
  },
  ({ pool, keptSecrets }: ChangeSourceDeps) =>
    async ({ tx, sites, caller }, { request, note }) => {
      const { name, kind, site, secret, ...said } = await parseJsonBody(newSourceBody, request, MOST_MAPPING_BYTES);
      const template = templateOf(KNOWN_SENDERS, kind);
      const { mapping = template.mapping, answer = template.answer, ...plain } = said;
      note({ target: name });
      const settings = {
        ...{ ...plain, answer },
        doorSecret: sealed(keptSecrets, secret, name),
        siteId: await siteIn(tx, sites, site),
      };
      const id = await insertSource(tx, name, kind, settings, mapping, signatureOf(caller));
      if (id === null) throw new ProblemError("taken", `There is a source ${name} already: choose another name.`);
      const row = (await findSource(tx, name))!;
      note({ target: name, detail: { after: { ...noteOfSource(row), mapping } } });
      return told(pool, row);
    },
);

export const updateSourceVerb = writingVerb(
  {
    method: "PATCH",
    path: "/api/v1/sources/{source}",
    access: "edit",
    bySite: true,
    summary: "Changes a source's settings; what is left out stays",
    description:
      "To move it to another site takes the permission at both. Its mapping is changed by a new version of it.",
    params: sourceParams,
    query: NO_PARAMETERS,
    answer: source,
    status: 200,
    problems: ["not-found", "wrong-status", "changed-meanwhile", ...BODY_PROBLEMS],
    bodies: { "application/json": CHANGES_SCHEMA },
  },
  ({ pool, keptSecrets }: ChangeSourceDeps) =>
    async (ctx, { params, request, note }) => {
      const { revision, site, secret, ...changes } = await parseJsonBody(sourceChanges, request);
      const before = await sourceAt(ctx, params.source, true);
      mustBeOwn(before);
      mustBeAt(before, revision);
      const settings: SourceSettings = {
        ...before,
        ...defined(changes),
        doorSecret: secret === undefined ? before.doorSecret : sealed(keptSecrets, secret, before.name),
        siteId: site === undefined ? (before.site?.id ?? null) : await siteIn(ctx.tx, ctx.sites, site),
      };
      await updateSource(ctx.tx, before.id, settings);
      const after = (await findSource(ctx.tx, before.name))!;
      note({ detail: { before: noteOfSource(before), after: noteOfSource(after) } });
      return told(pool, after);
    },
);

export const deleteSourceVerb = writingVerb(
  {
    method: "DELETE",
    path: "/api/v1/sources/{source}",
    access: "edit",
    bySite: true,
    stepUp: true,
    summary: "Removes a source with its keys, its mappings and its counts",
    description:
      "Messages and readings that came from it stay, and so do its dead letters, which only a source of the same name can resend.",
    params: sourceParams,
    query: NO_PARAMETERS,
    answer: deletedSource,
    status: 200,
    problems: ["not-found", "wrong-status"],
  },
  () =>
    async (ctx, { params, note }) => {
      const before = await sourceAt(ctx, params.source, true);
      mustBeOwn(before);
      await deleteSource(ctx.tx, before.id);
      note({ detail: { before: noteOfSource(before) } });
      return { name: before.name };
    },
);

/** @throws ProblemError when the source was changed since it was read. */
function mustBeAt(row: SourceRow, revision: number): void {
  if (row.revision !== revision)
    throw new ProblemError("changed-meanwhile", "Nothing was written. Read the source again, and change that.", {
      members: { current: { revision: row.revision, mappingVersion: row.mappingVersion } },
    });
}

async function told(pool: Pool, row: SourceRow): Promise<z.input<typeof source>> {
  // Counts are of what was committed; a new source has none.
  const totals = (await readTotals(pool, [row.id])).get(row.id);
  return toSource(row, totals ?? NO_TOTALS);
}

const NO_TOTALS = {
  ...{ received: 0, bytes: 0, accepted: 0, ignored: 0, kept: 0, ignoredBy: {}, refused: {} },
  ...{ firstSeen: null, lastSeen: null, lastError: null, clients: null, longestPauseMs: null, behind: [], ahead: [] },
  ...{ messages: 0, readings: 0, duplicates: 0, conflicts: 0, deadLetters: 0 },
} as const;

/** The secret as it is kept. @throws ProblemError when there is no key to encrypt it with. */
function sealed(secrets: KeptSecrets, secret: string | null, name: string): string | null {
  if (secret === null) return null;
  try {
    return secrets.seal(secret, secretHolder(name));
  } catch (error) {
    if (error instanceof KeptSecretError) throw new ProblemError("wrong-status", `${error.message} ${error.fix}`);
    throw error;
  }
}

/** The number of the site a source is to be at. @throws NotHereError, ProblemError */
async function siteIn(tx: PoolClient, sites: Sites, site: string | null): Promise<number | null> {
  if (site === null) {
    if (sites !== "all") throw new NotHereError(EVERYWHERE);
    return null;
  }
  const id = await findSite(tx, site);
  if (id === null) throw new ProblemError("not-found", noSuchSite(site, await findSiteNames(tx, sites)));
  if (sites !== "all" && !sites.includes(id)) throw new NotHereError(atSite(site));
  return id;
}

/** Without the members that were left out. */
function defined<T extends object>(changes: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined)) as never;
}
