"use client";
import { useComputedColorScheme } from "@mantine/core";
import { useElementSize } from "@mantine/hooks";
import { memo, useEffect, useMemo, useRef, useState } from "react";
import { useIsPrinting } from "./printing";
import classes from "./time-chart.module.css";
import { createCrosshair, type Crosshair } from "./time-chart-crosshair";
import { ChartOverlay, type OverlayLine } from "./time-chart-overlay";
import { ChartAxes } from "./time-chart-axes";
import { drawLines, type Expected } from "./time-chart-lines";
import type { TimeLimit, TimeMark, TimeRow, TimeSeries, TimeShade } from "./time-chart-data";
import type { PlotPoint } from "./time-chart-plot";
import { PaperLines } from "./time-chart-paper";
import { valueScale, type ValueScale } from "./value-scale";

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
  /** Writes a value at the end of its line. */
  formatValue: (value: number) => string;
  /** Writes the value pointed at with every digit; as at the end of a line unless given. */
  readValue?: (value: number) => string;
  /** True where the values pointed at are read elsewhere: then the chart tells the moment alone. */
  readsElsewhere?: boolean;
  /** What was usual, in order of time. */
  expected?: readonly Expected[];
  /** Shared by charts that point at the same moment; its own unless given. */
  crosshair?: Crosshair;
  /** Makes dragging over a stretch ask for it. */
  onZoom?: (from: number, to: number) => void;
  /** Asked for by a double click. */
  onZoomOut?: () => void;
}

/** A page is as wide as its paper, and nothing measures it there: a chart is scaled as a whole. */
function onPaper(width: number, height: number) {
  return { height: "auto", maxWidth: width, aspectRatio: `${width} / ${height}` };
}

const NONE: readonly never[] = [];

/** Lines over time with their min/max bands; nulls stay gaps. The axes are drawn as text, the lines on a canvas. */
const TimeChart = memo(function TimeChart(props: TimeChartProps) {
  const { rows, series, from, to, unit, height = 260, fromZero = false, range, limits = NONE, expected = NONE } = props;
  const { ref, width } = useElementSize<HTMLDivElement>();
  const [own] = useState(createCrosshair);
  const canvas = useRef<HTMLCanvasElement>(null);
  const colors = useComputedColorScheme("light");
  const isPrinting = useIsPrinting();
  const scale = useMemo(
    () => props.scale ?? (range ? fixedScale(range, props.formatValue) : scaleOf(rows, series, fromZero, limits)),
    [props.scale, rows, series, fromZero, range, limits, props.formatValue],
  );
  const lines = useMemo(
    () =>
      series.map(({ key, label, color, band, points, step = false, faint = false }): OverlayLine => ({
        key,
        label,
        color,
        step,
        faint,
        points: points ?? pointsOf(rows, key, band),
      })),
    [rows, series],
  );
  useEffect(() => {
    const { current } = canvas;
    if (!current || width === 0) return;
    const ratio = window.devicePixelRatio || 1;
    const size = [Math.round(width * ratio), Math.round(height * ratio)] as const;
    // Setting a size clears the canvas and takes new memory, be it the same size.
    if (current.width !== size[0]) current.width = size[0];
    if (current.height !== size[1]) current.height = size[1];
    const context = current.getContext("2d");
    if (!context) return;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const colorOf = colorsOf(colors, current);
    drawLines(context, { rows, series, expected, frame: { from, to, scale, width, height } }, colorOf);
  }, [rows, series, expected, from, to, scale, width, height, colors, isPrinting]);
  return (
    <div ref={ref} className={classes.chart} style={{ height, ...(isPrinting ? onPaper(width, height) : null) }}>
      <span className={classes.unit} aria-hidden="true">
        {unit}
      </span>
      {width > 0 ? (
        <>
          <ChartAxes
            {...{ from, to, scale, width, height, limits }}
            ticks={props.ticks}
            formatTick={props.formatTick}
            shades={props.shades ?? NONE}
            marks={props.marks ?? NONE}
          />
          {isPrinting ? (
            <PaperLines {...{ rows, series, expected, frame: { from, to, scale, width, height } }} />
          ) : (
            <canvas ref={canvas} className={classes.lines} style={{ width, height }} />
          )}
          <ChartOverlay
            {...{ lines, from, to, scale, width, height, unit }}
            crosshair={props.crosshair ?? own}
            formatTime={props.formatTime}
            formatValue={props.formatValue}
            readValue={props.readValue ?? props.formatValue}
            readsElsewhere={props.readsElsewhere ?? false}
            onZoom={props.onZoom}
            onZoomOut={props.onZoomOut}
          />
        </>
      ) : null}
    </div>
  );
});

export default TimeChart;

/** What tokens stand for, by theme: asking for one makes the browser work out the styles of the whole page. */
const known = new Map<string, Map<string, string>>();

function colorsOf(theme: string, element: Element): (token: string) => string {
  let colors = known.get(theme);
  if (!colors) known.set(theme, (colors = new Map()));
  return (token) => {
    let color = colors.get(token);
    if (color === undefined) {
      color = getComputedStyle(element)
        .getPropertyValue(/--[\w-]+/.exec(token)?.[0] ?? token)
        .trim();
      // Before its styles are there, an element has none.
      if (color !== "") colors.set(token, color);
    }
    return color;
  };
}

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
