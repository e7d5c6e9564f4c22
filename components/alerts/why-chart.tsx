"use client";
import { useQuery } from "@tanstack/react-query";
import { useCallback, useMemo } from "react";
import type { WhyAnswer } from "@/server/contracts/why";
import { useLive } from "../live/provider";
import { toStretches } from "../live/series";
import { historyQuery } from "../queries/readings";
import { bandKey, toRows } from "../ui/chart-rows";
import { formatInstant, formatMeasure, formatTick, zoneOffsetMs } from "../ui/format";
import { LazyTimeChart } from "../ui/lazy-chart";
import { metricColor } from "../ui/theme";
import type { TimeShade } from "../ui/time-chart";
import { timeTicks } from "../ui/time-ticks";
import { useZone } from "../ui/zone";
import { limitsOf } from "./alert-chart";
import classes from "./alert.module.css";

/** The moment that decided it is as wide as this part of the chart. */
const MARK_PART = 1 / 300;

/** The readings that were asked about, with the rule's limits and the moment that decided it. */
export function WhyChart({ why, metric }: { why: WhyAnswer; metric: string }) {
  const { device, rule, reason } = why;
  const live = useLive();
  const { zone } = useZone();
  const [from, to] = [Date.parse(why.from), Date.parse(why.to)];
  const { data, error } = useQuery(
    historyQuery(live, { device, metrics: [metric], range: { from, to }, isLive: false }),
  );
  const series = data?.[0];
  const { rows, lines } = useMemo(() => {
    if (!series) return { rows: [], lines: [] };
    const step = series.kind === "boolean";
    const stretches = toStretches(series, from, to);
    const key = `metric ${metric}`;
    const line = { key, label: metric, color: metricColor(metric), step, points: stretches.flat() };
    return { rows: toRows([{ key, step, stretches }]), lines: [step ? line : { ...line, band: bandKey(key) }] };
  }, [series, metric, from, to]);
  const limits = useMemo(() => limitsOf(rule.spec, metric), [rule.spec, metric]);
  const at = reason.at === null ? null : Date.parse(reason.at);
  // What fired before is told of, and not in sight.
  const mark = at === null || at < from || at > to ? null : at;
  const shades = useMemo((): TimeShade[] => {
    const { since, until } = reason.times;
    const half = (to - from) * MARK_PART;
    return [
      ...(since && until ? [{ from: Date.parse(since), to: Date.parse(until), color: "var(--fw-unknown)" }] : []),
      ...(mark === null ? [] : [{ from: mark - half, to: mark + half, color: "var(--fw-accent)" }]),
    ];
  }, [reason, mark, from, to]);
  const ticks = useMemo(() => timeTicks(from, to, zoneOffsetMs(to, zone)), [from, to, zone]);
  const tick = useCallback((time: number) => formatTick(time, zone, to - from), [zone, from, to]);
  const moment = useCallback((time: number) => formatInstant(time, zone), [zone]);
  if (error && !series) return <p role="alert">The chart could not be loaded: {error.message}</p>;
  return (
    <figure className={classes.chart}>
      <LazyTimeChart
        {...{ rows, series: lines, from, to, ticks, limits, shades }}
        unit={series?.unit ?? "no unit"}
        height={260}
        formatTick={tick}
        formatTime={moment}
        formatValue={formatMeasure}
      />
      <figcaption>
        {reason.times["since"] && reason.times["until"] ? "Gray: for so long it was true. " : ""}
        {mark === null ? "" : "The stroke: the moment that decided it."}
      </figcaption>
    </figure>
  );
}
