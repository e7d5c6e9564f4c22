import { z } from "zod";
import { renameInRules } from "@/server/alerting/renames";
import { findMetric } from "@/server/catalog/metrics";
import { forgetAlias, renameMetric as rename } from "@/server/catalog/removals";
import { job } from "@/server/contracts/jobs";
import { metricChanged, renameBody } from "@/server/contracts/metrics";
import { renameInMatchers } from "@/server/notifications/renames";
import { prismaIn } from "@/server/postgres/prisma";
import { renameSeriesRule } from "@/server/readings/series-rules";
import { nameInPath, noMetric } from "../devices/id";
import { BODY_PROBLEMS, parseJsonBody } from "../json-body";
import { startRemoval } from "../jobs/removals";
import { invalid } from "../parse";
import { ProblemError } from "../problem";
import { NO_PARAMETERS, writingVerb } from "../verb";
import { metricParams, underWay } from "./remove";
import { toMetricView } from "./view";

const { $schema: _, ...RENAME_SCHEMA } = z.toJSONSchema(renameBody, { io: "input" });

export const renameMetric = writingVerb(
  {
    method: "POST",
    path: "/api/v1/metrics/{name}/rename",
    access: "administer",
    stepUp: true,
    summary: "Gives a metric another name",
    description:
      "It has the new name at once, everywhere, with all its readings, in cold storage too: these go by the metric, not by its name. The job in the answer moves latest " +
      "values. The old name becomes another name of it: what is sent under it, be it what waits in the log now, is its reading, and it is found by it. Alert rules, routes, silences and " +
      "retention rules that name it go by the new name. Renaming it back undoes it. Messages in the archive and dead letters stay as they were received.",
    params: metricParams,
    query: NO_PARAMETERS,
    answer: job,
    status: 202,
    problems: ["not-found", "wrong-status", ...BODY_PROBLEMS],
    bodies: { "application/json": RENAME_SCHEMA },
  },
  () =>
    async (ctx, { params: { name }, request, note }) => {
      const { to } = await parseJsonBody(renameBody, request);
      if (to === name) throw invalid([{ at: "to", message: "is the name it has" }]);
      const result = await rename(ctx.tx, name, to);
      if (result === "missing") throw noMetric(name);
      if (result === "underWay") throw underWay();
      if (result === "taken") throw new ProblemError("wrong-status", takenWords(to));
      await renameInRules(ctx.tx, "metric", name, to);
      await renameSeriesRule(ctx.tx, "metric", name, to);
      await renameInMatchers(ctx.tx, "metric", name, to);
      note({ detail: { before: { name }, after: { name: to } } });
      return startRemoval(ctx);
    },
);

/** Says why a metric can't have a name. */
export function takenWords(to: string): string {
  return `There is a metric ${to}, or one that is sent under that name, too. To make one of both, merge this one into it.`;
}

export const forgetMetricName = writingVerb(
  {
    method: "DELETE",
    path: "/api/v1/metrics/{name}/aliases/{alias}",
    access: "administer",
    summary: "Takes another name away from a metric: what is sent under it from now on is a metric of its own",
    params: metricParams.extend({ alias: nameInPath("A name under which it is sent, too") }),
    query: NO_PARAMETERS,
    answer: metricChanged,
    status: 200,
    problems: ["not-found"],
  },
  () =>
    async (ctx, { params: { name, alias }, note }) => {
      const prisma = prismaIn(ctx.tx);
      const metric = await findMetric(prisma, name, ctx.sites);
      if (metric === null) throw noMetric(name);
      if (!(await forgetAlias(ctx.tx, metric.key, alias)))
        throw new ProblemError("not-found", `${metric.name} isn't sent under the name ${alias}.`);
      note({ target: metric.name, detail: { before: { aliases: metric.aliases }, after: { without: alias } } });
      return { ...toMetricView((await findMetric(prisma, metric.name, ctx.sites))!), unknownDevices: [] };
    },
);
