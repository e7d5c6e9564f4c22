import { useId } from "react";
import type { TimeRow, TimeSeries } from "./time-chart";
import classes from "./time-chart.module.css";
import { bandPath, linePath, type Place } from "./time-chart-paths";
import { PLOT, xOf, yOf } from "./time-chart-plot";
import type { ValueScale } from "./value-scale";

interface PlaneProps {
  rows: readonly TimeRow[];
  series: readonly TimeSeries[];
  from: number;
  to: number;
  ticks: readonly number[];
  scale: ValueScale;
  width: number;
  height: number;
  formatTick: (time: number) => string;
}

/** Axes, bands and lines of a chart, as plain paths. What lies outside of the range is cut off. */
export function ChartPlane({ rows, series, from, to, ticks, scale, width, height, formatTick }: PlaneProps) {
  const clip = useId();
  const place: Place = {
    x: (time) => xOf(time, from, to, width),
    y: (value) => yOf(value, scale, height),
  };
  const [left, right, foot] = [PLOT.left, width - PLOT.right, height - PLOT.bottom];
  return (
    <svg className={classes.plane} width={width} height={height}>
      <clipPath id={clip}>
        {/* A line along the edge keeps its whole width. */}
        <rect x={left} y={PLOT.top - 1} width={Math.max(0, right - left)} height={Math.max(0, foot - PLOT.top + 2)} />
      </clipPath>
      {scale.ticks.map((value) => (
        <g key={value}>
          <line className={classes.grid} x1={left} x2={right} y1={place.y(value)} y2={place.y(value)} />
          <text className={classes.valueTick} x={left - 8} y={place.y(value) + 4}>
            {scale.label(value)}
          </text>
        </g>
      ))}
      <line className={classes.axis} x1={left} x2={right} y1={foot} y2={foot} />
      {ticks.map((time) => (
        <text key={time} className={classes.timeTick} x={place.x(time)} y={foot + 20}>
          {formatTick(time)}
        </text>
      ))}
      <g clipPath={`url(#${clip})`}>
        {series.map(({ key, color, band, step }) =>
          band ? <path key={key} className={classes.band} d={bandPath(rows, band, place, step)} fill={color} /> : null,
        )}
        {series.map(({ key, color, step }) => (
          <path key={key} className={classes.line} d={linePath(rows, key, place, step)} stroke={color} />
        ))}
      </g>
    </svg>
  );
}
