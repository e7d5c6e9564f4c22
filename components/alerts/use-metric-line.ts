import { useQuery } from "@tanstack/react-query";
import { useCallback, useMemo } from "react";
import { useLive } from "../live/provider";
import { type Series, toStretches } from "../live/series";
import { useMetricLook } from "../queries/metrics";
import { historyQuery } from "../queries/readings";
import { bandKey, toRows } from "../ui/chart-rows";
import { formatMetric } from "../ui/format";
import { metricColor } from "../ui/theme";

/** One metric of a device between two times, as a chart takes it: a line with its band, or steps where it is true or false; and how its values are written. */
export function useMetricLine(device: string, metric: string, from: number, to: number) {
  const live = useLive();
  const { data, error } = useQuery(
    historyQuery(live, { device, metrics: [metric], range: { from, to }, isLive: false }),
  );
  const { color, decimals } = useMetricLook(metric);
  const series: Series | undefined = data?.[0];
  const drawn = useMemo(() => {
    if (!series) return { rows: [], lines: [] };
    const step = series.kind === "boolean";
    const stretches = toStretches(series, from, to);
    const key = `metric ${metric}`;
    const line = { key, label: metric, color: metricColor(metric, color), step, points: stretches.flat() };
    return { rows: toRows([{ key, step, stretches }]), lines: [step ? line : { ...line, band: bandKey(key) }] };
  }, [series, metric, color, from, to]);
  const format = useCallback((value: number) => formatMetric(value, decimals), [decimals]);
  return { series, error, format, ...drawn };
}
