import type { MetricView } from "@/server/contracts/metrics";
import { formatExact } from "./format";
import type { TimeLimit } from "./time-chart-data";

/** The thresholds of a metric as lines of a chart; none for what isn't known. They tell nobody: alert rules do. */
export function thresholdLines(metric: Pick<MetricView, "thresholds"> | undefined): readonly TimeLimit[] {
  if (metric === undefined) return [];
  const { warning, critical } = metric.thresholds;
  const lines = [
    { value: critical.above, label: "critical above", color: "var(--fw-fail)", below: false },
    { value: warning.above, label: "warning above", color: "var(--fw-warn)", below: false },
    { value: warning.below, label: "warning below", color: "var(--fw-warn)", below: true },
    { value: critical.below, label: "critical below", color: "var(--fw-fail)", below: true },
  ];
  return lines.flatMap(({ value, label, color, below }) =>
    value === null ? [] : [{ value, color, below, label: `${label} ${formatExact(value)}` }],
  );
}
