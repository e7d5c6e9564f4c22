import { z } from "zod";
import { allowAgain, type Erasure, listErasures } from "@/server/catalog/erasures";
import { erasuresAnswer, erasuresQuery, MOST_ERASED_AT_ONCE } from "@/server/contracts/removals";
import { toInstant, toInstantOrNull } from "../instant";
import { ProblemError } from "../problem";
import { NO_PARAMETERS, verb, writingVerb } from "../verb";

const MOST = 100;

export const listErasuresVerb = verb(
  {
    method: "GET",
    path: "/api/v1/erasures",
    access: "administer",
    summary: "Devices that were erased, with the proof of each",
    description:
      "Every store, how much was taken out of it and how much the last look found there. Asked for a device by name, also proven ones are found, though their names are kept nowhere.",
    params: NO_PARAMETERS,
    query: erasuresQuery,
    answer: erasuresAnswer,
    status: 200,
    problems: [],
  },
  () =>
    async (ctx, { query: { device = null, request = null } }) => ({
      items: (await listErasures(ctx.tx, { name: device, request }, request === null ? MOST : MOST_ERASED_AT_ONCE)).map(
        toErasureView,
      ),
    }),
);

export const allowErased = writingVerb(
  {
    method: "POST",
    path: "/api/v1/erasures/{id}/allow",
    access: "administer",
    stepUp: true,
    summary: "Takes messages under the name of an erased device again",
    description:
      "They make a new device. Those that are in the event log still are taken too, should anybody read them again.",
    params: z.object({
      id: z.coerce
        .number()
        .int()
        .min(1)
        .max(2 ** 31 - 1),
    }),
    query: NO_PARAMETERS,
    answer: erasuresAnswer,
    status: 200,
    problems: ["not-found", "wrong-status"],
  },
  () =>
    async (ctx, { params: { id }, note }) => {
      const all = await listErasures(ctx.tx, { id }, 1);
      if (all.length === 0) throw new ProblemError("not-found", `There is no erasure ${id}.`);
      note({ target: `erasures/${id}` });
      if (!(await allowAgain(ctx.tx, id)))
        throw new ProblemError("wrong-status", "It is not proven yet, or its messages are taken again already.");
      return { items: (await listErasures(ctx.tx, { id }, 1)).map(toErasureView) };
    },
);

/** An erasure, as answered. */
export function toErasureView({
  key: _key,
  place: _place,
  coldFiles: _files,
  ...erasure
}: Erasure): z.input<typeof erasuresAnswer>["items"][number] {
  const { createdAt, lookedAt, finishedAt, droppedAt, allowedAt, remains, ...rest } = erasure;
  return {
    ...rest,
    stores: [...rest.stores],
    since: toInstant(createdAt),
    state: finishedAt !== null ? "proven" : lookedAt !== null ? "waiting" : "erasing",
    lookedAt: toInstantOrNull(lookedAt),
    provenAt: toInstantOrNull(finishedAt),
    droppedAt: toInstantOrNull(droppedAt),
    allowedAt: toInstantOrNull(allowedAt),
    remains: remains.map((one) => ({ ...one, until: toInstantOrNull(one.until) })),
  };
}
