import type { Pool, PoolClient } from "pg";
import { z } from "zod";
import { findDevice } from "@/server/catalog/devices";
import { findMetric } from "@/server/catalog/metrics";
import { qualityLimitsAnswer, qualityLimitsBody } from "@/server/contracts/quality";
import { nameOf, type Sites } from "@/server/domain/access";
import { ALL_DEFAULTS } from "@/server/domain/quality/all-limits";
import { prismaIn } from "@/server/postgres/prisma";
import { listLimits, setLimits, type SetLimits } from "@/server/quality/limits";
import { noDevice, noMetric } from "../devices/id";
import { toInstant } from "../instant";
import { parseJsonBody } from "../json-body";
import { NO_PARAMETERS, verb, writingVerb } from "../verb";
import { EVERYWHERE, NotHereError, within } from "../within";

const { $schema: _, ...BODY_SCHEMA } = z.toJSONSchema(qualityLimitsBody, { io: "input" });

export const listQualityLimits = verb(
  {
    method: "GET",
    path: "/api/v1/quality/limits",
    access: "view",
    bySite: true,
    summary: "What the checks of quality go by: the defaults, and what people set instead",
    params: NO_PARAMETERS,
    query: NO_PARAMETERS,
    answer: qualityLimitsAnswer,
    status: 200,
    problems: [],
  },
  ({ pool }: { readonly pool: Pool }) =>
    async ({ sites }) =>
      answerOf(pool, sites),
);

export const setQualityLimits = writingVerb(
  {
    method: "POST",
    path: "/api/v1/quality/limits",
    access: "edit",
    bySite: true,
    summary: "Sets what the checks of quality go by for a metric, or for it on one device",
    description:
      "It holds for readings to come: what is flagged stays. What is left out is the default, or the metric's; null leaves a check out. To set it for all devices " +
      "takes the permission at all sites.",
    params: NO_PARAMETERS,
    query: NO_PARAMETERS,
    answer: qualityLimitsAnswer,
    status: 200,
    problems: ["not-found", "unsupported-media-type", "unreadable-body", "body-too-large"],
    bodies: { "application/json": BODY_SCHEMA },
  },
  () =>
    async (ctx, { request, note }) => {
      const { metric: name, device: id, limits } = await parseJsonBody(qualityLimitsBody, request);
      const prisma = prismaIn(ctx.tx);
      const metric = await within(
        ctx,
        (sites) => findMetric(prisma, name, sites),
        () => noMetric(name),
      );
      if (id === null && ctx.sites !== "all") throw new NotHereError(EVERYWHERE);
      const device =
        id === null
          ? 0
          : await within(
              ctx,
              async (sites) => (await findDevice(prisma, id, sites))?.key ?? null,
              () => noDevice(id),
              () => id,
            );
      const before = await setLimits(ctx.tx, {
        metric: metric.key,
        device,
        limits: limits as SetLimits,
        by: nameOf(ctx.caller),
      });
      note({ target: id === null ? name : `${name} of ${id}`, detail: { before, after: limits } });
      return answerOf(ctx.tx, ctx.sites);
    },
);

async function answerOf(db: Pool | PoolClient, sites: Sites) {
  const items = await listLimits(db, sites);
  return {
    defaults: ALL_DEFAULTS,
    items: items.map((one) => ({ ...one, updatedAt: toInstant(one.updatedAt) })),
  };
}
