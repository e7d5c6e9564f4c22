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
 * @param placeOf places in the palette that somebody gave
 */
export function chartGroups<T extends Grouped>(
  metrics: readonly T[],
  placeOf: (metric: string) => number | null | undefined = () => null,
): T[][] {
  const colorOf = ({ metric }: T) => metricColor(metric, placeOf(metric));
  const groups: T[][] = [];
  for (const metric of metrics) {
    const mates = groups.find(
      ([first, ...more]) =>
        metric.kind === "number" &&
        metric.unit !== null &&
        first!.kind === "number" &&
        first!.unit === metric.unit &&
        [first!, ...more].every((other) => colorOf(other) !== colorOf(metric)),
    );
    if (mates) mates.push(metric);
    else groups.push([metric]);
  }
  return groups;
}
