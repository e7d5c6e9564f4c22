import type { CatalogMetric } from "@/server/catalog/metrics";
import type { MetricView } from "@/server/contracts/metrics";
import { toInstant } from "../instant";

/** What the audit record tells of a metric. */
export function noteOfMetric({ kind, unit, min, max, shown }: CatalogMetric): object {
  const said = Object.entries(shown).filter(([, value]) => value !== null);
  return { kind, unit, min, max, ...Object.fromEntries(said) };
}

/** A metric of the catalog, as answered. */
export function toMetricView({ key: _, firstSeen, shown, aliases, ...metric }: CatalogMetric): MetricView {
  const { description, decimals, color, warningBelow, warningAbove, criticalBelow, criticalAbove } = shown;
  return {
    ...metric,
    ...{ description, decimals, color, aliases: [...aliases] },
    thresholds: {
      warning: { below: warningBelow, above: warningAbove },
      critical: { below: criticalBelow, above: criticalAbove },
    },
    firstSeen: toInstant(firstSeen),
  };
}
