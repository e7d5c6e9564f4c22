"use client";
import { useCallback, useMemo } from "react";
import type { WhyAnswer } from "@/server/contracts/why";
import type { RuleSpec } from "@/server/domain/alerts/rule";
import { formatInstant, formatTick, zoneName } from "../ui/format";
import { LazyTimeChart } from "../ui/lazy-chart";
import type { TimeShade } from "../ui/time-chart-data";
import { timeTicks } from "../ui/time-ticks";
import { useZone } from "../ui/zone";
import { limitsOf } from "./alert-chart";
import classes from "./alert.module.css";
import { useMetricLine } from "./use-metric-line";

/** The moment that decided it is as wide as this part of the chart. */
const MARK_PART = 1 / 300;

/** The limits that a rule has for a metric. */
function limitsOfMetric(spec: RuleSpec, metric: string) {
  if (spec.kind !== "condition") return [];
  const { conditions } = spec;
  return conditions.filter((one) => one.metric === metric || conditions.length === 1).flatMap(limitsOf);
}

/** The readings that were asked about, with the rule's limits and the moment that decided it. */
export function WhyChart({ why, device, metric }: { why: WhyAnswer; device: string; metric: string }) {
  const { rule, reason } = why;
  const { zone } = useZone();
  const [from, to] = [Date.parse(why.from), Date.parse(why.to)];
  const { series, error, format, rows, lines } = useMetricLine(device, metric, from, to);
  const limits = useMemo(() => limitsOfMetric(rule.spec, metric), [rule.spec, metric]);
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
  const ticks = useMemo(() => timeTicks(from, to, zoneName(zone)), [from, to, zone]);
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
        formatValue={format}
      />
      <figcaption>
        {reason.times["since"] && reason.times["until"] ? "Gray: for so long it was true. " : ""}
        {mark === null ? "" : "The stroke: the moment that decided it."}
      </figcaption>
    </figure>
  );
}
