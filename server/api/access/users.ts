import type { PoolClient } from "pg";
import { z } from "zod";
import {
  type Account,
  addAccount,
  changeAccount,
  findAccount,
  hasOtherAdmin,
  listAccounts,
  removeAccount,
} from "@/server/access/accounts";
import { eraseValues } from "@/server/access/audit/deeds";
import { fromNamed, type NamedGrant } from "@/server/access/grants";
import { forgetGuesses } from "@/server/access/guessing";
import { makeLink } from "@/server/access/links";
import { erased, newUserBody, user, userChanges, userLink, usersAnswer } from "@/server/contracts/access";
import { prismaIn } from "@/server/postgres/prisma";
import type { PrismaClient } from "@/server/postgres/prisma";
import { isHttps } from "../address";
import type { Role } from "@/server/domain/access";
import { BODY_PROBLEMS, parseJsonBody } from "../json-body";
import { ProblemError } from "../problem";
import { NO_PARAMETERS, verb, writingVerb } from "../verb";
import { greatestRole, noteOfUser, toUser } from "./view";

const { $schema: _, ...NEW_SCHEMA } = z.toJSONSchema(newUserBody, { io: "input" });
const { $schema: __, ...CHANGES_SCHEMA } = z.toJSONSchema(userChanges, { io: "input" });
const userPath = z.object({
  id: z.coerce
    .number()
    .int()
    .min(1)
    .max(2 ** 31 - 1),
});

export const listUsers = verb(
  {
    method: "GET",
    path: "/api/v1/users",
    access: "administer",
    summary: "Everyone who may come in",
    params: NO_PARAMETERS,
    query: NO_PARAMETERS,
    answer: usersAnswer,
    status: 200,
    problems: [],
  },
  ({ prisma }: { readonly prisma: PrismaClient }) =>
    async () => ({ items: (await listAccounts(prisma)).map(toUser) }),
);

export const addUser = writingVerb(
  {
    method: "POST",
    path: "/api/v1/users",
    access: "administer",
    stepUp: true,
    summary: "Lets a person in, by a link to hand over",
    params: NO_PARAMETERS,
    query: NO_PARAMETERS,
    answer: userLink,
    status: 200,
    problems: ["taken", ...BODY_PROBLEMS],
    bodies: { "application/json": NEW_SCHEMA },
  },
  () =>
    async ({ tx }, { request, note }) => {
      const { name, email, ...wanted } = await parseJsonBody(newUserBody, request);
      const prisma = prismaIn(tx);
      const account = await addAccount(prisma, { name, email, grants: await fromNamed(prisma, grantsIn(wanted)) });
      note({ target: String(account.id), detail: { after: noteOfUser(account) } });
      return { user: toUser(account), link: linkOf(request, await makeLink(tx, account.id)) };
    },
);

export const updateUser = writingVerb(
  {
    method: "PATCH",
    path: "/api/v1/users/{id}",
    access: "administer",
    stepUp: true,
    summary: "Changes a person's name, e-mail address or roles, or keeps them out",
    description: "Who gets another role or is disabled is signed out everywhere. The last administrator stays one.",
    params: userPath,
    query: NO_PARAMETERS,
    answer: user,
    status: 200,
    problems: ["not-found", "taken", "wrong-status", ...BODY_PROBLEMS],
    bodies: { "application/json": CHANGES_SCHEMA },
  },
  () =>
    async ({ tx, now }, { params: { id }, request, note }) => {
      const { role, grants: named, ...changes } = await parseJsonBody(userChanges, request);
      const prisma = prismaIn(tx);
      const before = await lockAccount(tx, id);
      const changesGrants = role !== undefined || named !== undefined;
      if (before.fromProvider && (changesGrants || (changes.name ?? changes.email) !== undefined))
        throw new ProblemError(
          "wrong-status",
          "The identity provider says this person's name and role: change their groups there. Only letting them in or not is decided here.",
        );
      const grants = changesGrants ? await fromNamed(prisma, grantsIn({ role, grants: named })) : undefined;
      const loses = grants?.some(({ role, siteId }) => role === "admin" && siteId === null) === false;
      if (changes.disabled === true || loses) await assertOtherAdmin(prisma, id);
      const after = await changeAccount(prisma, id, { ...changes, grants }, now);
      note({ detail: { before: noteOfUser(before), after: noteOfUser(after) } });
      return toUser(after);
    },
);

export const deleteUser = writingVerb(
  {
    method: "DELETE",
    path: "/api/v1/users/{id}",
    access: "administer",
    stepUp: true,
    summary: "Removes a person, and forgets who that was",
    description:
      "Signed out everywhere, with no way back in. The audit record keeps what was done under the account's number; names, e-mail and IP addresses are erased from it, " +
      "and its seals hold all the same. To keep somebody out and the record telling who it was, disable them instead.",
    params: userPath,
    query: NO_PARAMETERS,
    answer: erased,
    status: 200,
    problems: ["not-found", "wrong-status"],
  },
  () =>
    async ({ tx, caller }, { params: { id }, note }) => {
      // Else the row of this would name them again.
      if (caller.kind === "user" && caller.accountId === id)
        throw new ProblemError("wrong-status", "Another administrator has to do that: the record names who did.");
      const prisma = prismaIn(tx);
      const { email, grants } = await lockAccount(tx, id);
      await assertOtherAdmin(prisma, id);
      await removeAccount(prisma, id);
      await forgetGuesses(tx, id, email);
      const erased = await eraseValues(tx, id, email);
      note({ detail: { before: { role: greatestRole(grants) }, erased } });
      return { erased: erased.values };
    },
);

/** The account, which nobody else changes or signs in to until the end of this transaction. @throws ProblemError when it isn't there. */
async function lockAccount(tx: PoolClient, id: number): Promise<Account> {
  // One change at a time, or two could each take away the other's right.
  await tx.query(`LOCK TABLE account IN SHARE ROW EXCLUSIVE MODE`);
  // Who signs in at this moment is waited for, or waits, so that no session of before the change is left.
  await tx.query(`SELECT FROM account WHERE id = $1 FOR UPDATE`, [id]);
  const account = await findAccount(prismaIn(tx), id);
  if (account === null) throw noUser(id);
  return account;
}

async function assertOtherAdmin(prisma: PrismaClient, id: number): Promise<void> {
  if (await hasOtherAdmin(prisma, id)) return;
  throw new ProblemError("wrong-status", "Somebody must stay who can let others in: make another administrator first.");
}

export const makeUserLink = writingVerb(
  {
    method: "POST",
    path: "/api/v1/users/{id}/link",
    access: "administer",
    stepUp: true,
    summary: "Makes a link that signs a person in once",
    description: "An earlier link of that person ends.",
    params: userPath,
    query: NO_PARAMETERS,
    answer: userLink,
    status: 200,
    problems: ["not-found"],
  },
  () =>
    async ({ tx }, { params: { id }, request }) => {
      const account = await findAccount(prismaIn(tx), id);
      if (account === null || account.disabledAt !== null) throw noUser(id);
      return { user: toUser(account), link: linkOf(request, await makeLink(tx, id)) };
    },
);

/** The link, at the address the caller came by. */
function linkOf(request: Request, secret: string): string {
  const host = request.headers.get("host");
  const scheme = isHttps(request) ? "https" : "http";
  return `${host === null ? "" : `${scheme}://${host}`}/sign-in#k=${secret}`;
}

function noUser(id: number): ProblemError {
  return new ProblemError("not-found", `There is no user ${id} who may come in.`);
}

/** The grants that are asked for: a role alone is one everywhere. */
function grantsIn({
  role,
  grants,
}: {
  role?: Role | undefined;
  grants?: readonly NamedGrant[] | undefined;
}): readonly NamedGrant[] {
  return grants ?? (role === undefined ? [] : [{ role, site: null }]);
}
