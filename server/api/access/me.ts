import type { Pool, PoolClient } from "pg";
import { z } from "zod";
import { findAccount, setPassword } from "@/server/access/accounts";
import { findIdentity } from "@/server/access/identities";
import { endSessions, listSessions } from "@/server/access/sessions";
import { ended, me, ownPasswordBody, sessionsAnswer } from "@/server/contracts/access";
import { type Caller, hasProven, PERMISSIONS, sitesOf } from "@/server/domain/access";
import { prismaIn } from "@/server/postgres/prisma";
import { toInstant } from "../instant";
import { BODY_PROBLEMS, parseJsonBody } from "../json-body";
import { ProblemError } from "../problem";
import { NO_PARAMETERS, verb, writingVerb } from "../verb";
import { greatestRole, noteOfUser } from "./view";

export const getMe = verb(
  {
    method: "GET",
    path: "/api/v1/me",
    access: "signed-in",
    summary: "Who asks, and what they may do",
    params: NO_PARAMETERS,
    query: NO_PARAMETERS,
    answer: me,
    status: 200,
    problems: [],
  },
  () =>
    ({ tx, caller }) =>
      describeMe(tx, caller),
);

const { $schema: _, ...OWN_PASSWORD_SCHEMA } = z.toJSONSchema(ownPasswordBody, { io: "input" });

export const setOwnPassword = writingVerb(
  {
    method: "POST",
    path: "/api/v1/me/password",
    access: "signed-in",
    stepUp: true,
    summary: "Sets the password to sign in with",
    description: "All other sessions of the account end.",
    params: NO_PARAMETERS,
    query: NO_PARAMETERS,
    answer: me,
    status: 200,
    problems: ["not-allowed", "wrong-status", ...BODY_PROBLEMS],
    bodies: { "application/json": OWN_PASSWORD_SCHEMA },
  },
  () =>
    async ({ tx, caller }, { request, note }) => {
      const { accountId, sessionId } = personOf(caller);
      const { email, password } = await parseJsonBody(ownPasswordBody, request);
      if ((await findIdentity(tx, accountId)) !== null)
        throw new ProblemError("wrong-status", "You sign in at the identity provider: your password is set there.");
      const before = await findAccount(prismaIn(tx), accountId);
      await setPassword(prismaIn(tx), accountId, email, password);
      for (const { id } of await listSessions(tx, accountId))
        if (id !== sessionId) await endSessions(tx, accountId, id);
      const after = await findAccount(prismaIn(tx), accountId);
      note({ detail: { before: before && noteOfUser(before), after: after && noteOfUser(after) } });
      return describeMe(tx, caller);
    },
);

export const listOwnSessions = verb(
  {
    method: "GET",
    path: "/api/v1/me/sessions",
    access: "signed-in",
    summary: "Where the caller is signed in, latest used first",
    params: NO_PARAMETERS,
    query: NO_PARAMETERS,
    answer: sessionsAnswer,
    status: 200,
    problems: ["not-allowed"],
  },
  () =>
    async ({ tx, caller }) => {
      const { accountId, sessionId } = personOf(caller);
      const items = await listSessions(tx, accountId);
      return {
        items: items.map(({ createdAt, lastUsedAt, endsAt, ...session }) => ({
          ...session,
          current: session.id === sessionId,
          createdAt: toInstant(createdAt),
          lastUsedAt: toInstant(lastUsedAt),
          endsAt: toInstant(endsAt),
        })),
      };
    },
);

export const endOwnSession = writingVerb(
  {
    method: "DELETE",
    path: "/api/v1/me/sessions/{id}",
    access: "signed-in",
    summary: "Ends one of the caller's sessions, or with `all` every one",
    params: z.object({ id: z.union([z.uuid(), z.literal("all")]) }),
    query: NO_PARAMETERS,
    answer: ended,
    status: 200,
    problems: ["not-allowed"],
  },
  () =>
    async ({ tx, caller }, { params: { id }, note }) => {
      const count = await endSessions(tx, personOf(caller).accountId, id);
      note({ detail: { ended: count } });
      return { ended: count };
    },
);

/** What a caller is told of itself. */
export async function describeMe(tx: Pool | PoolClient, caller: Caller): Promise<z.input<typeof me>> {
  if (caller.kind === "nobody") throw new ProblemError("not-signed-in", "Sign in first.");
  const permissions = PERMISSIONS.filter((permission) => sitesOf(caller, permission).length > 0);
  const everywhere = permissions.filter((permission) => sitesOf(caller, permission) === "all");
  const sites = await atSites(tx, caller);
  if (caller.kind !== "user") {
    const [name, role] = caller.kind === "key" ? [caller.name, greatestRole(caller.grants)] : ["system", null];
    return {
      kind: caller.kind,
      accountId: null,
      name,
      email: null,
      hasPassword: false,
      provider: null,
      isProven: true,
      role,
      permissions,
      everywhere,
      sites,
    };
  }
  const { rows } = await tx.query<{ email: string | null; hasPassword: boolean }>(
    `SELECT email, password IS NOT NULL AS "hasPassword" FROM account WHERE id = $1`,
    [caller.accountId],
  );
  const { email = null, hasPassword = false } = rows[0] ?? {};
  const { accountId, name, grants } = caller;
  const provider = await findIdentity(tx, accountId);
  const isProven = hasProven(caller.provenAt, Date.now());
  const held = { role: greatestRole(grants), permissions, everywhere, sites };
  return { kind: "user", accountId, name, email, hasPassword, provider, isProven, ...held };
}

/** What a caller may do at single sites and not at all, by their names. */
async function atSites(tx: Pool | PoolClient, caller: Caller): Promise<z.input<typeof me>["sites"]> {
  const held = new Map<number, string[]>();
  for (const permission of PERMISSIONS) {
    const sites = sitesOf(caller, permission);
    if (sites !== "all") for (const id of sites) held.set(id, [...(held.get(id) ?? []), permission]);
  }
  if (held.size === 0) return [];
  const { rows } = await tx.query<{ id: number; site: string }>(
    `SELECT id, name AS site FROM site WHERE id = ANY ($1) ORDER BY name`,
    [[...held.keys()]],
  );
  return rows.map(({ id, site }) => ({ site, permissions: held.get(id)! }));
}

function personOf(caller: Caller): Extract<Caller, { kind: "user" }> {
  if (caller.kind !== "user") throw new ProblemError("not-allowed", "Only people have that; a key doesn't.");
  return caller;
}
