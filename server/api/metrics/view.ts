import { Personal } from "@/server/access/audit/personal";
import type { CatalogMetric } from "@/server/catalog/metrics";
import type { MetricChanged } from "@/server/contracts/metrics";
import { toInstant } from "../instant";

/** What the audit record tells of a metric. */
export function noteOfMetric({ kind, unit, min, max, shown }: CatalogMetric): object {
  // An owner may be a person.
  const said = Object.entries({ ...shown, owner: shown.owner && new Personal(shown.owner, null) });
  return { kind, unit, min, max, ...Object.fromEntries(said.filter(([, value]) => value !== null)) };
}

/** A metric of the catalog, as answered. */
export function toMetricView({
  key: _,
  firstSeen,
  shown,
  aliases,
  ...metric
}: CatalogMetric): Omit<MetricChanged, "unknownDevices"> {
  const { description, owner, decimals, color, warningBelow, warningAbove, criticalBelow, criticalAbove } = shown;
  return {
    ...metric,
    ...{ description, owner, decimals, color, aliases: [...aliases] },
    thresholds: {
      warning: { below: warningBelow, above: warningAbove },
      critical: { below: criticalBelow, above: criticalAbove },
    },
    firstSeen: toInstant(firstSeen),
  };
}
