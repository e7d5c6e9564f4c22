import { z } from "zod";
import { findKey, listKeys, makeKey, revokeKey } from "@/server/access/keys";
import { keysAnswer, keyView, madeKey, newKeyBody } from "@/server/contracts/access";
import { nameOf } from "@/server/domain/access";
import { prismaIn } from "@/server/postgres/prisma";
import type { PrismaClient } from "@/server/postgres/prisma";
import { parseJsonBody } from "../json-body";
import { ProblemError } from "../problem";
import { NO_PARAMETERS, verb, writingVerb } from "../verb";
import { noteOfKey, toKeyView } from "./view";

const DAY_MS = 86_400_000;
const { $schema: _, ...NEW_SCHEMA } = z.toJSONSchema(newKeyBody, { io: "input" });

export const listAccessKeys = verb(
  {
    method: "GET",
    path: "/api/v1/keys",
    access: "administer",
    summary: "Every key of programs and devices, newest first",
    params: NO_PARAMETERS,
    query: NO_PARAMETERS,
    answer: keysAnswer,
    status: 200,
    problems: [],
  },
  ({ prisma }: { readonly prisma: PrismaClient }) =>
    async () => ({ items: (await listKeys(prisma)).map(toKeyView) }),
);

export const makeAccessKey = writingVerb(
  {
    method: "POST",
    path: "/api/v1/keys",
    access: "administer",
    stepUp: true,
    summary: "Makes a key",
    description:
      "A service key has a role; a site key sends telemetry for any device; a device key for one. To rotate, make a second one, put it in place, then revoke the first.",
    params: NO_PARAMETERS,
    query: NO_PARAMETERS,
    answer: madeKey,
    status: 200,
    problems: ["unsupported-media-type", "unreadable-body", "body-too-large"],
    bodies: { "application/json": NEW_SCHEMA },
  },
  () =>
    async ({ tx, caller, now }, { request, note }) => {
      const { days, role, ...wanted } = await parseJsonBody(newKeyBody, request);
      const grants = role === null ? [] : [{ role, siteId: null }];
      const expiresAt = days === null ? null : now + days * DAY_MS;
      const { key, text } = await makeKey(prismaIn(tx), { ...wanted, grants, expiresAt }, nameOf(caller));
      note({ target: key.id, detail: { after: noteOfKey(key) } });
      return { key: toKeyView(key), text };
    },
);

export const revokeAccessKey = writingVerb(
  {
    method: "DELETE",
    path: "/api/v1/keys/{id}",
    access: "administer",
    stepUp: true,
    summary: "Ends a key for good",
    params: z.object({ id: z.string().regex(/^[0-9a-z]{12}$/) }),
    query: NO_PARAMETERS,
    answer: keyView,
    status: 200,
    problems: ["not-found"],
  },
  () =>
    async ({ tx, now }, { params: { id }, note }) => {
      const before = await findKey(prismaIn(tx), id);
      const key = await revokeKey(prismaIn(tx), id, now);
      if (before === null || key === null) throw new ProblemError("not-found", `There is no key ${id}.`);
      note({ detail: { before: noteOfKey(before), after: noteOfKey(key) } });
      return toKeyView(key);
    },
);
