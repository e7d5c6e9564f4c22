import type { Pool, PoolClient } from "pg";
import { z } from "zod";
import {
  expiryOf,
  findKey,
  type Key,
  listKeys,
  makeKey,
  revokeKey,
  sameAgain,
  type WantedKey,
  workingInLine,
} from "@/server/access/keys";
import { ensureSite, findSite, findSiteNames } from "@/server/catalog/catalog-writes";
import { keysAnswer, keyView, madeKey, newKeyBody } from "@/server/contracts/access";
import { type Caller, signatureOf, type Sites, sitesOf } from "@/server/domain/access";
import { noSuchSite } from "@/server/domain/near-names";
import { countNewNames } from "@/server/ingest/new-names";
import { prismaIn } from "@/server/postgres/prisma";
import type { PrismaClient } from "@/server/postgres/prisma";
import { BODY_PROBLEMS, parseJsonBody } from "../json-body";
import { ProblemError } from "../problem";
import { NO_PARAMETERS, verb, writingVerb } from "../verb";
import { atSite, EVERYWHERE, NotHereError } from "../within";
import { noteOfKey, toKeyView } from "./view";

const { $schema: _, ...NEW_SCHEMA } = z.toJSONSchema(newKeyBody, { io: "input" });
const keyPath = z.object({ id: z.string().regex(/^[0-9a-z]{12}$/) });

/** Keys made by rotating, one from the other, that may work at a time: the one before and the one after. */
export const MOST_WORKING = 2;

export interface KeyDeps {
  readonly prisma: PrismaClient;
  readonly pool: Pool;
  /** The most new devices and metrics that each key may name within an hour. */
  readonly newNamesLimits: { readonly devices: number; readonly metrics: number };
}

export const listAccessKeys = verb(
  {
    method: "GET",
    path: "/api/v1/keys",
    access: "make-keys",
    bySite: true,
    summary: "Every key of programs and devices, newest first",
    params: NO_PARAMETERS,
    query: NO_PARAMETERS,
    answer: keysAnswer,
    status: 200,
    problems: [],
  },
  ({ prisma, pool, newNamesLimits }: KeyDeps) =>
    async ({ sites }) => {
      const [keys, newNames] = await Promise.all([listKeys(prisma, sites), countNewNames(pool)]);
      const items = keys.map((key) => {
        const { device = 0, metric = 0 } = newNames.get(key.id) ?? {};
        return { ...toKeyView(key), newNames: { devices: device, metrics: metric } };
      });
      return { items, newNamesLimits };
    },
);

export const makeAccessKey = writingVerb(
  {
    method: "POST",
    path: "/api/v1/keys",
    access: "make-keys",
    bySite: true,
    stepUp: true,
    summary: "Makes a key",
    description:
      "A service key has a role, and takes an administrator to make; a site key sends telemetry for the devices of its site, or for any; a device key for one. " +
      "A site that isn't there is added only where `newSite` says so.",
    params: NO_PARAMETERS,
    query: NO_PARAMETERS,
    answer: madeKey,
    status: 200,
    problems: ["not-found", ...BODY_PROBLEMS],
    bodies: { "application/json": NEW_SCHEMA },
  },
  () =>
    async ({ tx, caller, sites, now }, { request, note }) => {
      const asked = await parseJsonBody(newKeyBody, request);
      const { days, role, site, newSite, ...plain } = asked;
      // For when it is refused.
      note({ target: plain.name, detail: { asked } });
      const siteId = site === null ? null : await siteFor(tx, sites, { site, newSite });
      const wanted = {
        ...plain,
        siteId: plain.kind === "service" ? null : siteId,
        grants: role === null ? [] : [{ role, siteId }],
        expiresAt: expiryOf(plain.kind, days, now),
      };
      return make(tx, caller, sites, wanted, note);
    },
);

export const rotateAccessKey = writingVerb(
  {
    method: "POST",
    path: "/api/v1/keys/{id}/rotate",
    access: "make-keys",
    bySite: true,
    stepUp: true,
    summary: "Makes a key like another one, to take its place",
    description:
      "The same name, role, site, device and addresses, for as long again. Both work until the first expires or is revoked: put the second one in place, then revoke the first. " +
      "No more than two that take each other's place work at a time.",
    params: keyPath,
    query: NO_PARAMETERS,
    answer: madeKey,
    status: 200,
    problems: ["not-found", "wrong-status"],
  },
  () =>
    async ({ tx, caller, sites, now }, { params: { id }, note }) => {
      const key = await handled(tx, caller, sites, id);
      if (key.revokedAt !== null) throw new ProblemError("wrong-status", `The key ${id} is revoked: make a new one.`);
      if (key.expiresAt !== null && key.expiresAt <= now)
        throw new ProblemError("wrong-status", `The key ${id} is expired: make a new one.`);
      const working = await workingInLine(tx, key);
      if (working.length >= MOST_WORKING)
        throw new ProblemError(
          "wrong-status",
          `${working.length} keys that take each other's place work already (${working.join(", ")}): revoke one first.`,
        );
      return make(tx, caller, sites, sameAgain(key, now), (deed) =>
        note({ ...deed, detail: { ...deed.detail, of: id } }),
      );
    },
);

export const revokeAccessKey = writingVerb(
  {
    method: "DELETE",
    path: "/api/v1/keys/{id}",
    access: "make-keys",
    bySite: true,
    stepUp: true,
    summary: "Ends a key for good",
    params: keyPath,
    query: NO_PARAMETERS,
    answer: keyView,
    status: 200,
    problems: ["not-found"],
  },
  () =>
    async ({ tx, caller, sites, now }, { params: { id }, note }) => {
      const before = await handled(tx, caller, sites, id);
      const after = (await revokeKey(prismaIn(tx), id, now))!;
      note({ detail: { before: noteOfKey(before), after: noteOfKey(after) } });
      return toKeyView(after);
    },
);

async function make(
  tx: PoolClient,
  caller: Caller,
  sites: Sites,
  wanted: WantedKey,
  note: (deed: { target: string; detail: object }) => void,
) {
  await mustHold(tx, caller, sites, wanted);
  const { key, text } = await makeKey(prismaIn(tx), wanted, signatureOf(caller));
  note({ target: key.id, detail: { after: noteOfKey(key) } });
  return { key: toKeyView(key), text };
}

/** The key of this id, if the caller may handle it. @throws ProblemError */
async function handled(tx: PoolClient, caller: Caller, sites: Sites, id: string): Promise<Key> {
  const key = await findKey(prismaIn(tx), id);
  const isSeen = sites === "all" || (key !== null && key.site !== null && sites.includes(key.site.id));
  if (key === null || !isSeen) throw new ProblemError("not-found", `There is no key ${id}.`);
  await mustHold(tx, caller, sites, { ...key, siteId: key.kind === "service" ? null : (key.site?.id ?? null) });
  return key;
}

/**
 * Keys of devices take the permission to make keys where they are; a program's key takes the one to administer wherever it has a role, so that
 * nobody makes a key that may do more than they themselves. @throws NotHereError
 */
async function mustHold(
  tx: PoolClient,
  caller: Caller,
  sites: Sites,
  { kind, siteId = null, grants }: Pick<WantedKey, "kind" | "siteId" | "grants">,
): Promise<void> {
  const isService = kind === "service";
  const held = isService ? sitesOf(caller, "administer") : sites;
  const places = isService ? grants.map((grant) => grant.siteId) : [siteId];
  if (held === "all") return;
  const missing = places.filter((place) => place === null || !held.includes(place));
  if (missing.length === 0) return;
  const [site] = missing.includes(null) ? [] : await findSiteNames(tx, missing as number[]);
  throw new NotHereError(site === undefined ? EVERYWHERE : atSite(site), isService ? "administer" : "make-keys");
}

/** The site of this name; who may make keys everywhere may say that it is a new one. @throws ProblemError */
async function siteFor(
  tx: PoolClient,
  sites: Sites,
  { site, newSite }: { readonly site: string; readonly newSite: boolean },
): Promise<number> {
  if (newSite && sites !== "all") throw new NotHereError(EVERYWHERE);
  if (newSite) return ensureSite(tx, site);
  const id = await findSite(tx, site);
  if (id !== null && (sites === "all" || sites.includes(id))) return id;
  // A mistyped name would be a site of its own, of which nobody sees anything.
  const said = noSuchSite(site, await findSiteNames(tx, sites));
  throw new ProblemError("not-found", sites === "all" ? `${said} With "newSite": true it is added.` : said);
}
