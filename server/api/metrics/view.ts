import type { CatalogMetric } from "@/server/catalog/metrics";
import type { MetricView } from "@/server/contracts/metrics";
import { toInstant } from "../instant";

/** A metric of the catalog, as answered. */
export function toMetricView({ key: _, firstSeen, ...metric }: CatalogMetric): MetricView {
  return { ...metric, firstSeen: toInstant(firstSeen) };
}
