import { metricColor } from "../ui/theme";

/** The facts that decide where a metric is drawn. */
export interface Grouped {
  readonly metric: string;
  readonly unit: string | null;
  readonly kind: "number" | "boolean";
}

/**
 * Which metrics share a chart: numbers of the same unit, as long as their colors differ, for a metric has the same color
 * everywhere. Flags and metrics without a unit stand alone.
 */
export function chartGroups<T extends Grouped>(metrics: readonly T[]): T[][] {
  const groups: T[][] = [];
  for (const metric of metrics) {
    const mates = groups.find(
      ([first, ...more]) =>
        metric.kind === "number" &&
        metric.unit !== null &&
        first!.kind === "number" &&
        first!.unit === metric.unit &&
        [first!, ...more].every((other) => metricColor(other.metric) !== metricColor(metric.metric)),
    );
    if (mates) mates.push(metric);
    else groups.push([metric]);
  }
  return groups;
}
