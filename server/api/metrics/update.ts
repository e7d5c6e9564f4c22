import { z } from "zod";
import {
  type CatalogMetric,
  describeMetric,
  findMetric,
  type MetricShown,
  ownUnits,
  setOwnUnits,
  showMetric,
} from "@/server/catalog/metrics";
import { metricChanged, metricChanges } from "@/server/contracts/metrics";
import { setMetricKind } from "@/server/catalog/removals";
import { prismaIn } from "@/server/postgres/prisma";
import { noMetric } from "../devices/id";
import { BODY_PROBLEMS, parseJsonBody } from "../json-body";
import { metricParams } from "./remove";
import { invalid } from "../parse";
import { NO_PARAMETERS, writingVerb } from "../verb";
import { EVERYWHERE, NotHereError, within } from "../within";
import { noteOfMetric, toMetricView } from "./view";

const { $schema: _, ...CHANGES_SCHEMA } = z.toJSONSchema(metricChanges, { io: "input" });

export const updateMetric = writingVerb(
  {
    method: "PATCH",
    path: "/api/v1/metrics/{name}",
    access: "declare",
    bySite: true,
    summary:
      "Says what a metric means, who answers for it, and how it is shown: unit, kind, valid range, description, owner, decimals, color and thresholds",
    description:
      "Fieldwatch makes up no unit: it shows the one that was set here, for all devices or, with `devices`, for these alone. " +
      "What is stored is never converted: it counts as being in the unit said here. Values to come are converted to it where their message says another " +
      "unit of the same kind; where it says none, they are taken to be in it. What is left out stays. Saying again what an " +
      "earlier version had guessed confirms it. To speak for all devices takes the permission at all sites; for `devices`, at theirs: others count as unknown.",
    params: metricParams,
    query: NO_PARAMETERS,
    answer: metricChanged,
    status: 200,
    problems: ["not-found", ...BODY_PROBLEMS],
    bodies: { "application/json": CHANGES_SCHEMA },
  },
  () =>
    async (ctx, { params: { name }, request, note }) => {
      const { devices, unsetOnly, ...changes } = await parseJsonBody(metricChanges, request);
      const prisma = prismaIn(ctx.tx);
      const metric = await within(
        ctx,
        (sites) => findMetric(prisma, name, sites),
        () => noMetric(name),
      );
      // What it means is of all sites; own units are of devices.
      if (!devices && ctx.sites !== "all") throw new NotHereError(EVERYWHERE);
      const unit = changes.unit ?? null;
      // As texts, whose names of devices the record keeps apart.
      const units = async () => {
        if (!devices) return {};
        const own = Object.entries(await ownUnits(ctx.tx, metric.key, devices));
        return { units: own.map(([device, unit]) => `${unit} of ${device}`) };
      };
      const before = { ...noteOfMetric(metric), ...(await units()) };
      let unknownDevices: string[] = [];
      if (devices) unknownDevices = await setOwnUnits(ctx.tx, ctx.sites, metric.key, { devices, unit, unsetOnly });
      else if (changes.kind !== undefined && !unsetOnly) await setMetricKind(ctx.tx, metric.key, changes.kind);
      if (!devices && !unsetOnly) await showMetric(ctx.tx, metric.key, shownBy(metric, changes));
      if (devices || [changes.unit, changes.min, changes.max].every((change) => change === undefined)) {
        // Nothing is said of what it means for all.
      } else if (!unsetOnly || metric.meaning !== "set")
        await describeMetric(ctx.tx, metric.key, merged(metric, changes));
      const after = (await findMetric(prisma, name, ctx.sites)) ?? metric;
      note({ detail: { before, after: { ...noteOfMetric(after), ...(await units()) } } });
      return { ...toMetricView(after), unknownDevices };
    },
);

type Changes = Omit<z.output<typeof metricChanges>, "devices" | "unsetOnly">;

/** What is changed of how a metric is shown, and whose it is. @throws ProblemError when no value would lie between two thresholds. */
function shownBy({ shown }: CatalogMetric, changes: Changes): Partial<MetricShown> {
  const { description, owner, decimals, color, thresholds } = changes;
  const { warning = {}, critical = {} } = thresholds ?? {};
  const bands = {
    ...(warning.below !== undefined && { warningBelow: warning.below }),
    ...(warning.above !== undefined && { warningAbove: warning.above }),
    ...(critical.below !== undefined && { criticalBelow: critical.below }),
    ...(critical.above !== undefined && { criticalAbove: critical.above }),
  };
  const { criticalBelow, warningBelow, warningAbove, criticalAbove } = { ...shown, ...bands };
  const order = [
    ["critical.below", criticalBelow],
    ["warning.below", warningBelow],
    ["warning.above", warningAbove],
    ["critical.above", criticalAbove],
  ] as const;
  const said = order.filter(([, value]) => value !== null);
  const [before, after] = said.flatMap(([at, value], i) =>
    i > 0 && said[i - 1]![1]! > value! ? [[said[i - 1]!, [at, value] as const]] : [],
  )[0] ?? [null, null];
  if (thresholds && before && after)
    throw invalid([
      { at: `thresholds.${after[0]}`, message: `must not lie below ${before[0]}, which is ${before[1]}` },
    ]);
  return {
    ...(description !== undefined && { description }),
    ...(owner !== undefined && { owner }),
    ...(decimals !== undefined && { decimals }),
    ...(color !== undefined && { color }),
    ...bands,
  };
}

/** @throws ProblemError when the range would be none. */
function merged(metric: CatalogMetric, changes: Pick<Changes, "unit" | "min" | "max">) {
  const { unit = metric.unit, min = metric.min, max = metric.max } = changes;
  if (min !== null && max !== null && min > max)
    throw invalid([{ at: "max", message: `must not be below min, which is ${min}` }]);
  return { unit, min, max };
}
