"use client";
import { useElementSize } from "@mantine/hooks";
import { memo, useMemo, useState } from "react";
import { Area, CartesianGrid, ComposedChart, Line, ReferenceArea, ReferenceLine, XAxis, YAxis } from "recharts";
import classes from "./time-chart.module.css";
import { createCrosshair, type Crosshair } from "./time-chart-crosshair";
import { ChartOverlay, type OverlayLine } from "./time-chart-overlay";
import { labelAsides, PLOT, type PlotPoint } from "./time-chart-plot";
import { shareOf, valueScale, type ValueScale } from "./value-scale";

/** One row of a chart: values by series key, null where there is none. */
export interface TimeRow {
  readonly time: number;
  readonly [key: string]: unknown;
}

/** One line, with the key of its [min, max] band if it has one. */
export interface TimeSeries {
  readonly key: string;
  readonly label: string;
  /** A color token. */
  readonly color: string;
  readonly band?: string;
  /** True for values that hold until the next one. */
  readonly step?: boolean;
  /** Its own points, when rows hold others too; those of the rows unless given. */
  readonly points?: readonly PlotPoint[];
}

/** A level that values are held against. */
export interface TimeLimit {
  readonly value: number;
  readonly label: string;
  /** A color token. */
  readonly color: string;
  /** True for a label that stands below its line. */
  readonly below?: boolean;
}

/** A stretch of time that stands out. */
export interface TimeShade {
  /** What tells it from others that begin with it. */
  readonly key?: string;
  readonly from: number;
  readonly to: number;
  /** A color token. */
  readonly color: string;
}

/** A moment that stands out. */
export interface TimeMark {
  readonly time: number;
  readonly label: string;
}

interface TimeChartProps {
  rows: readonly TimeRow[];
  series: readonly TimeSeries[];
  from: number;
  to: number;
  ticks: readonly number[];
  unit: string;
  height?: number;
  /** True if zero belongs on the axis. */
  fromZero?: boolean;
  /** The axis, where it isn't one of plain numbers. */
  scale?: ValueScale;
  /** Fixed ends of the axis, for values that can only lie between them. */
  range?: readonly [number, number];
  limits?: readonly TimeLimit[];
  shades?: readonly TimeShade[];
  marks?: readonly TimeMark[];
  formatTick: (time: number) => string;
  /** Writes the moment pointed at: where the reading or its bucket begins. */
  formatTime: (time: number) => string;
  formatValue: (value: number) => string;
  /** Shared by charts that point at the same moment; its own unless given. */
  crosshair?: Crosshair;
  /** Makes dragging over a stretch ask for it. */
  onZoom?: (from: number, to: number) => void;
  /** Asked for by a double click. */
  onZoomOut?: () => void;
}

const NONE: readonly TimeLimit[] = [];
const SHARES: [number, number] = [0, 1];
const TICK = { fill: "var(--fw-muted)", fontSize: 12 } as const;

/**
 * Lines over time with their min/max bands; nulls stay gaps. Without animation, and drawn again only when what it is
 * given changed: a redraw costs about 10 ms however few points there are.
 */
const TimeChart = memo(function TimeChart(props: TimeChartProps) {
  const { rows, series, from, to, ticks, unit, height = 260, fromZero = false, range, limits = NONE, shades } = props;
  const { ref, width } = useElementSize<HTMLDivElement>();
  const [own] = useState(createCrosshair);
  const scale = useMemo(
    () => props.scale ?? (range ? fixedScale(range, props.formatValue) : scaleOf(rows, series, fromZero, limits)),
    [props.scale, rows, series, fromZero, range, limits, props.formatValue],
  );
  const lines = useMemo(
    () =>
      series.map(({ key, label, color, band, points }): OverlayLine => ({
        key,
        label,
        color,
        points: points ?? pointsOf(rows, key, band),
      })),
    [rows, series],
  );
  // Drawn as shares of the axis: recharts takes a key for a path, and can't draw distances beyond the doubles.
  const keys = useMemo(
    () =>
      series.map(({ key, band }) => {
        const share = (value: unknown) => (typeof value === "number" ? shareOf(value, scale) : null);
        const extremes = (row: TimeRow) => {
          const ends = band === undefined ? null : (row[band] as readonly [number, number] | null | undefined);
          return ends ? ends.map((end) => shareOf(end, scale)) : null;
        };
        return { line: (row: TimeRow) => share(row[key]), band: extremes };
      }),
    [series, scale],
  );
  const labels = useMemo(() => new Map(scale.ticks.map((tick) => [shareOf(tick, scale), scale.label(tick)])), [scale]);
  const asides = useMemo(() => labelAsides(limits, scale, height), [limits, scale, height]);
  return (
    <div ref={ref} className={classes.chart} style={{ height }} aria-hidden="true">
      <span className={classes.unit}>{unit}</span>
      {width > 0 ? (
        <>
          <ComposedChart
            width={width}
            height={height}
            data={rows as TimeRow[]}
            margin={{ top: PLOT.top, right: PLOT.right, bottom: 0, left: 0 }}
            accessibilityLayer={false}
          >
            <CartesianGrid stroke="var(--fw-chart-grid)" vertical={false} />
            <XAxis
              dataKey="time"
              type="number"
              domain={[from, to]}
              allowDataOverflow
              ticks={ticks as number[]}
              tickFormatter={props.formatTick}
              stroke="var(--fw-line-strong)"
              tick={TICK}
              tickLine={false}
              height={PLOT.bottom}
              tickMargin={8}
              interval="preserveStartEnd"
            />
            <YAxis
              width={PLOT.left}
              domain={SHARES}
              allowDataOverflow
              ticks={[...labels.keys()]}
              tickFormatter={(share: number) => labels.get(share) ?? ""}
              interval={0}
              axisLine={false}
              tickLine={false}
              tick={TICK}
            />
            {shades?.map((shade) => (
              <ReferenceArea
                key={shade.key ?? `${shade.from} ${shade.color}`}
                x1={Math.max(from, shade.from)}
                x2={Math.min(to, shade.to)}
                stroke="none"
                fill={shade.color}
                fillOpacity={0.12}
              />
            ))}
            {props.marks
              ?.filter(({ time }) => time >= from && time <= to)
              .map(({ time, label }) => (
                <ReferenceLine
                  key={`${time} ${label}`}
                  x={time}
                  stroke="var(--fw-muted)"
                  strokeDasharray="1 3"
                  label={{ value: label, position: "insideTopLeft", fill: "var(--fw-muted)", fontSize: 12 }}
                />
              ))}
            {limits.map(({ value, label, color, below }, i) => (
              <ReferenceLine
                key={label}
                y={shareOf(value, scale)}
                stroke={color}
                strokeDasharray="4 3"
                label={{
                  value: label,
                  position: below ? "insideTopLeft" : "insideBottomLeft",
                  fill: "var(--fw-muted)",
                  fontSize: 12,
                  dx: asides[i]!,
                }}
              />
            ))}
            {series.map(({ key, color, band, step }, i) =>
              band ? (
                <Area
                  key={`${key} band`}
                  dataKey={keys[i]!.band}
                  type={step ? "stepAfter" : "linear"}
                  stroke="none"
                  fill={color}
                  fillOpacity={0.12}
                  isAnimationActive={false}
                  connectNulls={false}
                  activeDot={false}
                />
              ) : null,
            )}
            {series.map(({ key, color, step }, i) => (
              <Line
                key={key}
                dataKey={keys[i]!.line}
                type={step ? "stepAfter" : "linear"}
                stroke={color}
                strokeWidth={1.5}
                isAnimationActive={false}
                connectNulls={false}
                activeDot={false}
                dot={false}
              />
            ))}
          </ComposedChart>
          <ChartOverlay
            lines={lines}
            from={from}
            to={to}
            scale={scale}
            width={width}
            height={height}
            unit={unit}
            crosshair={props.crosshair ?? own}
            formatTime={props.formatTime}
            formatValue={props.formatValue}
            onZoom={props.onZoom}
            onZoomOut={props.onZoomOut}
          />
        </>
      ) : null}
    </div>
  );
});

export default TimeChart;

function scaleOf(
  rows: readonly TimeRow[],
  series: readonly TimeSeries[],
  fromZero: boolean,
  limits: readonly TimeLimit[],
): ValueScale {
  let low = Math.min(...limits.map(({ value }) => value));
  let high = Math.max(...limits.map(({ value }) => value));
  for (const row of rows) {
    for (const { key, band } of series) {
      const extremes = band ? (row[band] as readonly [number, number] | null | undefined) : null;
      for (const value of [row[key], ...(extremes ?? [])]) {
        if (typeof value !== "number") continue;
        low = Math.min(low, value);
        high = Math.max(high, value);
      }
    }
  }
  return low > high ? valueScale(0, 1, fromZero) : valueScale(low, high, fromZero);
}

function fixedScale([min, max]: readonly [number, number], label: (value: number) => string): ValueScale {
  return { min, max, ticks: [min, max], label };
}

/** The points of a series that its rows hold, for the cross-hair and the labels. */
function pointsOf(rows: readonly TimeRow[], key: string, band: string | undefined): PlotPoint[] {
  return rows.flatMap((row) => {
    const value = row[key];
    if (typeof value !== "number") return [];
    const [low, high] = (band ? (row[band] as readonly [number, number] | null) : null) ?? [value, value];
    return [{ time: row.time, start: row.time, value, low, high, alone: row.alone === true }];
  });
}
