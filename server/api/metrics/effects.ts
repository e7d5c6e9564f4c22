import type { Pool } from "pg";
import { isWatchedBy, rulesOfMetric } from "@/server/alerting/renames";
import { type CatalogMetric, findMetric } from "@/server/catalog/metrics";
import { effectsQuery, type MetricEffects, metricEffects } from "@/server/contracts/metrics";
import type { PrismaClient } from "@/server/postgres/prisma";
import { countMergeEffects, countOtherThanBoolean } from "@/server/readings/metric-effects";
import { countStored } from "@/server/readings/stored";
import { viewsNaming } from "@/server/views/naming";
import { noMetric } from "../devices/id";
import { verb } from "../verb";
import { accountOf } from "../views/list";
import { metricParams } from "./remove";
import { takenWords } from "./rename";

/** A person waits for the counts before they decide. */
const PATIENCE_MS = 3000;

const NOTHING: MetricEffects = {
  ...{ refused: null, devices: null, readings: null, rules: [], views: [], both: null, repeats: null, conflicts: null },
  ...{ coldDays: null, seconds: null, otherValues: null, otherDevices: null },
};

export const getMetricEffects = verb(
  {
    method: "GET",
    path: "/api/v1/metrics/{name}/effects",
    access: "declare",
    summary: "What renaming a metric, merging it into another or making it another kind would do; nothing is changed",
    params: metricParams,
    query: effectsQuery,
    answer: metricEffects,
    status: 200,
    problems: ["not-found"],
  },
  ({ pool, prisma }: { readonly pool: Pool; readonly prisma: PrismaClient }) =>
    async ({ sites, caller }, { params: { name }, query: { to, into, kind } }) => {
      const metric = await findMetric(prisma, name, sites);
      if (metric === null) throw noMetric(name);
      const stored = countStored(pool, metric.key, PATIENCE_MS).then((counted) => ({
        devices: counted?.devices ?? null,
        readings: counted?.readings ?? null,
      }));
      if (kind !== undefined) {
        const other = kind === "number" ? null : await countOtherThanBoolean(pool, metric.key, PATIENCE_MS);
        const rules = (await rulesOfMetric(pool, metric.name)).map((rule) => ({
          name: rule.name,
          becomes: "follows" as const,
        }));
        const counts = { otherValues: other?.readings ?? null, otherDevices: other?.devices ?? null };
        return { ...NOTHING, ...(await stored), ...counts, rules };
      }
      const target = await findMetric(prisma, (to ?? into)!, sites);
      if (into !== undefined && target === null) throw noMetric(into);
      const isOther = target !== null && target.key !== metric.key;
      const rules = await rulesAfter(pool, metric.name, into === undefined ? to! : target!.name);
      const views = await viewsNaming(pool, accountOf(caller), "metric", [metric.name, ...metric.aliases]);
      if (into === undefined)
        return { ...NOTHING, ...(await stored), rules, views, refused: isOther ? takenWords(to!) : null, seconds: 0 };
      const effects = isOther ? await countMergeEffects(pool, metric.key, target.key, PATIENCE_MS) : {};
      return {
        ...NOTHING,
        ...(await stored),
        ...effects,
        ...{ rules, views },
        refused: isOther ? unitsWords(metric, target) : "It is the metric itself.",
      };
    },
);

/** What becomes of the rules that watch a metric once its readings go by another name. */
async function rulesAfter(pool: Pool, name: string, to: string): Promise<MetricEffects["rules"]> {
  const rules = await rulesOfMetric(pool, name);
  return rules.map((rule) => ({
    name: rule.name,
    becomes: rule.isNamed || isWatchedBy(rule, to) ? ("follows" as const) : ("loses" as const),
  }));
}

function unitsWords(metric: CatalogMetric, target: CatalogMetric): string | null {
  if (metric.unit === null || target.unit === null || metric.unit === target.unit) return null;
  return `Their units differ, ${metric.unit} and ${target.unit}, and values are not converted: if both mean the same, set the same unit first.`;
}
