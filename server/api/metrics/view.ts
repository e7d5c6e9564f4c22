import type { CatalogMetric } from "@/server/catalog/metrics";
import type { MetricView } from "@/server/contracts/metrics";
import { toInstant } from "../instant";

/** What the audit record tells of a metric. */
export function noteOfMetric({ kind, unit, min, max }: CatalogMetric): object {
  return { kind, unit, min, max };
}

/** A metric of the catalog, as answered. */
export function toMetricView({ key: _, firstSeen, ...metric }: CatalogMetric): MetricView {
  return { ...metric, firstSeen: toInstant(firstSeen) };
}
