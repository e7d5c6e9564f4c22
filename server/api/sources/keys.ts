import { z } from "zod";
import { expiryOf, makeKey, workingInLine } from "@/server/access/keys";
import { newSourceKeyBody, sourceKeysAnswer } from "@/server/contracts/sources";
import { madeKey } from "@/server/contracts/access";
import { signatureOf } from "@/server/domain/access";
import { listSourceKeys } from "@/server/access/keys";
import { prismaIn, type PrismaClient } from "@/server/postgres/prisma";
import { MOST_WORKING } from "../access/keys";
import { noteOfKey, toKeyView } from "../access/view";
import { BODY_PROBLEMS, parseJsonBody } from "../json-body";
import { ProblemError } from "../problem";
import { NO_PARAMETERS, verb, writingVerb } from "../verb";
import { mustBeOwn, sourceAt, sourceParams } from "./view";

const { $schema: _, ...NEW_SCHEMA } = z.toJSONSchema(newSourceKeyBody, { io: "input" });

export const listSourceKeysVerb = verb(
  {
    method: "GET",
    path: "/api/v1/sources/{source}/keys",
    access: "make-keys",
    bySite: true,
    summary: "The keys of a source, newest first",
    params: sourceParams,
    query: NO_PARAMETERS,
    answer: sourceKeysAnswer,
    status: 200,
    problems: ["not-found"],
  },
  ({ prisma }: { readonly prisma: PrismaClient }) =>
    async (ctx, { params }) => {
      const { id } = await sourceAt(ctx, params.source);
      return { items: (await listSourceKeys(prisma, id)).map(toKeyView) };
    },
);

export const makeSourceKey = writingVerb(
  {
    method: "POST",
    path: "/api/v1/sources/{source}/keys",
    access: "make-keys",
    bySite: true,
    stepUp: true,
    summary: "Makes a key that sends to this source alone",
    description:
      "Two work at a time at most: to change a key, make the second, put it in place, and revoke the first by DELETE /api/v1/keys/{id}.",
    params: sourceParams,
    query: NO_PARAMETERS,
    answer: madeKey,
    status: 200,
    problems: ["not-found", "wrong-status", ...BODY_PROBLEMS],
    bodies: { "application/json": NEW_SCHEMA },
  },
  () =>
    async (ctx, { params, request, note }) => {
      const { tx, caller, now } = ctx;
      const { days } = await parseJsonBody(newSourceKeyBody, request);
      // Locked: of two that make one at once, the second sees the first's.
      const row = await sourceAt(ctx, params.source, true);
      mustBeOwn(row);
      const prisma = prismaIn(tx);
      const last = (await listSourceKeys(prisma, row.id)).at(-1);
      const line = last === undefined ? null : (last.line ?? last.id);
      const working = line === null ? [] : await workingInLine(tx, { id: line, line });
      if (working.length >= MOST_WORKING)
        throw new ProblemError(
          "wrong-status",
          `${working.length} keys of this source work already (${working.join(", ")}): revoke one first.`,
        );
      const wanted = {
        ...({
          kind: "source",
          name: row.name,
          device: null,
          sourceId: row.id,
          networks: [],
          grants: [],
          line,
        } as const),
        expiresAt: expiryOf("source", days, now),
      };
      const { key, text } = await makeKey(prisma, wanted, signatureOf(caller));
      note({ target: row.name, detail: { after: noteOfKey(key) } });
      return { key: toKeyView(key), text };
    },
);
