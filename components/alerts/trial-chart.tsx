"use client";
import { Button } from "@mantine/core";
import { useElementSize } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { type PointerEvent, useCallback, useMemo, useState } from "react";
import type { Backtest } from "@/server/contracts/backtests";
import { useLive } from "../live/provider";
import { toStretches } from "../live/series";
import { useMetricLook } from "../queries/metrics";
import { historyQuery } from "../queries/readings";
import { bandKey, toRows } from "../ui/chart-rows";
import { formatInstant, formatMetric, formatTick, zoneName } from "../ui/format";
import { LazyTimeChart } from "../ui/lazy-chart";
import { metricColor } from "../ui/theme";
import { PLOT, yOf } from "../ui/time-chart-plot";
import { timeTicks } from "../ui/time-ticks";
import { valueScale } from "../ui/value-scale";
import { useZone } from "../ui/zone";
import type { ConditionDraft, Draft } from "./draft";
import { limitText, parseLimit } from "./draft-text";
import { mergeShades } from "./merge-shades";
import { reachOf, suggestLimit } from "./suggest-limit";
import classes from "./trial.module.css";

const HEIGHT = 240;
/** The width of a handle, in pixels. */
const HANDLE = 18;
const LIMITS = [
  { name: "warning", label: "warning", color: "var(--fw-warn)" },
  { name: "critical", label: "critical", color: "var(--fw-fail)" },
  { name: "clear", label: "over again", color: "var(--fw-unknown)" },
] as const;

interface TrialChartProps {
  readonly device: string;
  /** Null: none is known yet. */
  readonly metric: string | null;
  readonly range: { readonly from: number; readonly to: number };
  readonly draft: Draft;
  readonly change: (changes: Partial<Draft>) => void;
  readonly items: Backtest["items"];
}

/** A series with the limits of its condition, which can be dragged, and what would have fired. */
export function TrialChart({ device, metric, range, draft, change, items }: TrialChartProps) {
  const live = useLive();
  const { zone } = useZone();
  const { ref, width } = useElementSize<HTMLDivElement>();
  const { from, to } = range;
  const { data } = useQuery({
    ...historyQuery(live, { device, metrics: [metric ?? ""], range, isLive: false }),
    enabled: metric !== null,
  });
  const series = metric === null ? undefined : data?.[0];
  const { color, decimals } = useMetricLook(metric);
  const { rows, lines, points } = useMemo(() => {
    if (!series || metric === null) return { rows: [], lines: [], points: [] };
    const step = series.kind === "boolean";
    const stretches = toStretches(series, from, to);
    const key = `metric ${metric}`;
    const flat = stretches.flat();
    const line = { key, label: metric, color: metricColor(metric, color), step, points: flat };
    return {
      rows: toRows([{ key, step, stretches }]),
      lines: [{ ...line, ...(step ? {} : { band: bandKey(key) }) }],
      points: flat,
    };
  }, [series, metric, color, from, to]);
  const at = draft.conditions.findIndex((one) => one.metric === metric);
  const place = draft.kind !== "condition" ? -1 : at >= 0 ? at : 0;
  const condition = place < 0 ? null : draft.conditions[place]!;
  const drawn = condition === null || condition.what === "changePerMinute" ? [] : drawnLimits(condition);
  // A limit that is dragged doesn't move the axis under the pointer.
  const [held, setHeld] = useState<ReturnType<typeof valueScale> | null>(null);
  const reach = useMemo(() => reachOf(points), [points]);
  const shown = [...(reach === null ? [] : [reach.low, reach.high]), ...drawn.map(({ value }) => value)];
  const axis = held ?? (shown.length === 0 ? valueScale(0, 1) : valueScale(Math.min(...shown), Math.max(...shown)));
  const isCut = reach !== null && (reach.lowest < axis.min || reach.highest > axis.max);
  // Of several conditions an alert is of the device, whichever of them its values are of.
  const isOfDevice = draft.conditions.length > 1;
  const shades = useMemo(
    () =>
      mergeShades(
        items
          .filter((one) => isOfDevice || one.metric === null || one.metric === metric)
          .map(({ firedAt, endedAt, severity }) => ({
            from: Date.parse(firedAt),
            // So narrow that nothing would be seen of it is shown as wide as a line.
            to: Math.max(Date.parse(firedAt) + (to - from) / 400, endedAt === null ? to : Date.parse(endedAt)),
            color: severity === "critical" ? "var(--fw-fail)" : "var(--fw-warn)",
          })),
      ),
    [items, metric, isOfDevice, from, to],
  );
  const span = to - from;
  const ticks = useMemo(() => timeTicks(from, to, zoneName(zone)), [from, to, zone]);
  const tick = useCallback((time: number) => formatTick(time, zone, span), [zone, span]);
  const moment = useCallback((time: number) => formatInstant(time, zone), [zone]);
  const format = useCallback((value: number) => formatMetric(value, decimals), [decimals]);
  if (metric === null) return null;
  const set = (name: (typeof LIMITS)[number]["name"], part: number | null, value: number) => {
    const before = parseLimit(condition![name], condition!.is === "outside");
    const next = Array.isArray(before)
      ? limitText(before.map((one, i) => (i === part ? value : one)) as [number, number])
      : String(value);
    change({ conditions: draft.conditions.map((one, i) => (i === place ? { ...one, [name]: next } : one)) });
  };
  const suggested = condition !== null && drawn.length === 0 ? suggestLimit(points, condition.is) : null;
  return (
    <div ref={ref} className={classes.chart}>
      <LazyTimeChart
        rows={rows}
        series={lines}
        from={from}
        to={to}
        ticks={ticks}
        unit={series?.unit ?? "no unit"}
        height={HEIGHT}
        scale={axis}
        limits={drawn.map(({ value, label, color, name }) => ({
          value,
          color,
          label: `${label} ${value}`,
          below: name === "clear",
        }))}
        shades={shades}
        formatTick={tick}
        formatTime={moment}
        formatValue={format}
      />
      {width > 0
        ? drawn.map(({ name, part, value, color, label }) => (
            <Handle
              key={`${name} ${part}`}
              label={label}
              column={LIMITS.findIndex((one) => one.name === name)}
              color={color}
              value={value}
              axis={axis}
              onBegin={() => setHeld(axis)}
              onEnd={() => setHeld(null)}
              onMove={(next) => set(name, part, next)}
            />
          ))
        : null}
      {isCut ? (
        <small className={classes.cut}>
          Cut off: values reach from {format(reach.lowest)} to {format(reach.highest)}.
        </small>
      ) : null}
      {suggested === null ? null : (
        <Button size="compact-xs" variant="default" onClick={() => set("warning", null, suggested.limit)}>
          Warn {condition!.is} {suggested.limit}: beyond it {suggested.beyond === 1 ? "is" : "are"} {suggested.beyond}{" "}
          of {suggested.of} points shown
        </Button>
      )}
    </div>
  );
}

interface HandleProps {
  readonly label: string;
  /** Its place from the right: limits that are near one another don't cover each other. */
  readonly column: number;
  readonly color: string;
  readonly value: number;
  readonly axis: ReturnType<typeof valueScale>;
  readonly onBegin: () => void;
  readonly onMove: (value: number) => void;
  readonly onEnd: () => void;
}

/** Takes a limit's line up and down; its field does the same for who has no pointer. */
function Handle({ label, column, color, value, axis, onBegin, onMove, onEnd }: HandleProps) {
  const move = (event: PointerEvent<HTMLElement>) => {
    if (!event.currentTarget.hasPointerCapture(event.pointerId)) return;
    const y = event.clientY - event.currentTarget.parentElement!.getBoundingClientRect().top;
    const share = 1 - (y - PLOT.top) / (HEIGHT - PLOT.top - PLOT.bottom);
    onMove(rounded(axis.min + Math.min(1, Math.max(0, share)) * (axis.max - axis.min), axis.max - axis.min));
  };
  return (
    <div
      className={classes.handle}
      style={{ top: yOf(value, axis, HEIGHT), right: PLOT.right + 2 + column * HANDLE, color }}
      aria-hidden="true"
      title={`Drag: ${label} ${value}`}
      data-limit={label}
      onPointerDown={(event) => {
        event.preventDefault();
        event.currentTarget.setPointerCapture(event.pointerId);
        onBegin();
      }}
      onPointerMove={move}
      onPointerUp={onEnd}
      onPointerCancel={onEnd}
    />
  );
}

/** A value as a person would write it: as fine as a 400th of what is seen. */
function rounded(value: number, span: number): number {
  const step = 10 ** Math.floor(Math.log10(span / 400 || 1));
  return Number((Math.round(value / step) * step).toPrecision(12));
}

function drawnLimits(condition: ConditionDraft) {
  return LIMITS.flatMap(({ name, label, color }) => {
    const limit = parseLimit(condition[name], condition.is === "outside");
    if (limit === null || limit === undefined) return [];
    const values = typeof limit === "number" ? [limit] : limit;
    return values.map((value, i) => ({ name, label, color, value, part: values.length === 1 ? null : i }));
  });
}
