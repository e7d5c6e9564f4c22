import { z } from "zod";
import { pointRules } from "@/server/alerting/renames";
import { findMetric } from "@/server/catalog/metrics";
import { mergeMetric, removeMetric } from "@/server/catalog/removals";
import { job } from "@/server/contracts/jobs";
import { mergeBody } from "@/server/contracts/metrics";
import { signatureOf } from "@/server/domain/access";
import { renameInMatchers } from "@/server/notifications/renames";
import { prismaIn } from "@/server/postgres/prisma";
import { nameInPath, noMetric } from "../devices/id";
import { BODY_PROBLEMS, parseJsonBody } from "../json-body";
import { startRemoval } from "../jobs/removals";
import { invalid } from "../parse";
import { ProblemError } from "../problem";
import { NO_PARAMETERS, writingVerb } from "../verb";
import { noteOfMetric } from "./view";

const { $schema: _, ...MERGE_SCHEMA } = z.toJSONSchema(mergeBody, { io: "input" });

export const metricParams = z.object({ name: nameInPath("The name devices report it under") });

const STAYS =
  "Messages in the archive and dead letters stay as they were received. Totals tell what was handled, and stay too.";

export const deleteMetric = writingVerb(
  {
    method: "DELETE",
    path: "/api/v1/metrics/{name}",
    access: "administer",
    stepUp: true,
    summary: "Deletes a metric with its readings, rollups, latest values and units",
    description: `It is gone at once from every list and chart; the job in the answer removes its readings, and goes on after a restart. ${STAYS} A message that is handled later and has the name, be it one that waits in the log now, makes a new metric of it.`,
    params: metricParams,
    query: NO_PARAMETERS,
    answer: job,
    status: 202,
    problems: ["not-found", "wrong-status"],
  },
  () =>
    async (ctx, { params: { name }, note }) => {
      const before = await findMetric(prismaIn(ctx.tx), name, ctx.sites);
      const result = await removeMetric(ctx.tx, name);
      if (result === "missing") throw noMetric(name);
      if (result === "underWay") throw underWay();
      note({ detail: { before: before && noteOfMetric(before), after: null } });
      return startRemoval(ctx);
    },
);

export const mergeMetrics = writingVerb(
  {
    method: "POST",
    path: "/api/v1/metrics/{name}/merge",
    access: "administer",
    stepUp: true,
    summary: "Gives a metric's readings to another metric, and deletes it",
    description:
      "It is gone at once; the job in the answer moves its readings, which appear under `into` as it goes. Where `into` has a reading at the same device and time, that one " +
      "stays, and another value counts as a conflict. Values stay as they are: metrics with different units are not merged. Its name becomes another name of `into`: what " +
      `is sent under it from then on is a reading of \`into\`, and alert rules that name it go by \`into\`. It can't be undone. ${STAYS}`,
    params: metricParams,
    query: NO_PARAMETERS,
    answer: job,
    status: 202,
    problems: ["not-found", "wrong-status", ...BODY_PROBLEMS],
    bodies: { "application/json": MERGE_SCHEMA },
  },
  () =>
    async (ctx, { params: { name }, request, note }) => {
      const { into } = await parseJsonBody(mergeBody, request);
      if (into === name) throw invalid([{ at: "into", message: "is the metric itself" }]);
      const before = await findMetric(prismaIn(ctx.tx), name, ctx.sites);
      const result = await mergeMetric(ctx.tx, name, into);
      if (result === "missing") throw noMetric(name);
      if (result === "noTarget") throw noMetric(into);
      if (result === "underWay") throw underWay();
      if (result === "units")
        throw new ProblemError(
          "wrong-status",
          "Their units differ, and values are not converted: set the same unit first.",
        );
      const rules = await pointRules(ctx.tx, name, into, signatureOf(ctx.caller).text);
      await renameInMatchers(ctx.tx, "metric", name, into);
      note({ detail: { before: before && noteOfMetric(before), after: { into, rules } } });
      return startRemoval(ctx);
    },
);

/** The refusal while a job works on the name. */
export function underWay(): ProblemError {
  return new ProblemError(
    "wrong-status",
    "An earlier metric of that name is still being removed. Try again when the job is done: see Jobs.",
  );
}
