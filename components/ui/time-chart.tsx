"use client";
import { memo, useMemo } from "react";
import {
  Area,
  CartesianGrid,
  ComposedChart,
  Line,
  ResponsiveContainer,
  Tooltip,
  type TooltipContentProps,
  XAxis,
  YAxis,
} from "recharts";
import { labelShifts } from "./label-shifts";
import classes from "./time-chart.module.css";

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
}

export interface TimeChartProps {
  rows: readonly TimeRow[];
  series: readonly TimeSeries[];
  from: number;
  to: number;
  ticks: readonly number[];
  unit: string;
  height?: number;
  /** Whether zero belongs on the axis. */
  fromZero?: boolean;
  /** Fixed ends of the axis, for values that can only lie between them. */
  range?: readonly [number, number];
  formatTick: (time: number) => string;
  formatTime: (time: number) => string;
  formatValue: (value: number) => string;
}

/**
 * Lines over time with their min/max bands; nulls stay gaps. Without animation, and drawn again only when what it is
 * given changed: a redraw costs about 10 ms however few points there are.
 */
const TimeChart = memo(function TimeChart(props: TimeChartProps) {
  const { rows, series, from, to, ticks, unit, height = 260, fromZero = false, range } = props;
  const shifts = useMemo(() => endShifts(rows, series, height), [rows, series, height]);
  return (
    <div className={classes.chart} style={{ height }} aria-hidden="true">
      <span className={classes.unit}>{unit}</span>
      <ResponsiveContainer width="100%" height="100%">
        <ComposedChart
          data={rows as TimeRow[]}
          margin={{ top: 28, right: 60, bottom: 0, left: 0 }}
          accessibilityLayer={false}
        >
          <CartesianGrid stroke="var(--fw-chart-grid)" vertical={false} />
          <XAxis
            dataKey="time"
            type="number"
            domain={[from, to]}
            ticks={ticks as number[]}
            tickFormatter={props.formatTick}
            stroke="var(--fw-line-strong)"
            tick={{ fill: "var(--fw-muted)", fontSize: 12 }}
            tickLine={false}
            height={28}
            tickMargin={8}
            interval="preserveStartEnd"
          />
          <YAxis
            width={56}
            domain={range ? [range[0], range[1]] : [fromZero ? 0 : "auto", "auto"]}
            {...(range ? { ticks: [range[0], range[1]] } : { tickCount: 5 })}
            tickFormatter={(value: number) => shortened(props.formatValue(value))}
            axisLine={false}
            tickLine={false}
            tick={{ fill: "var(--fw-muted)", fontSize: 12 }}
          />
          <Tooltip
            isAnimationActive={false}
            cursor={{ stroke: "var(--fw-line-strong)" }}
            offset={16}
            content={(tip) => <Tip {...tip} series={series} unit={unit} props={props} />}
          />
          {series.map(({ key, color, band, step }) =>
            band ? (
              <Area
                key={`${key} band`}
                dataKey={band}
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
              dataKey={key}
              type={step ? "stepAfter" : "linear"}
              stroke={color}
              strokeWidth={1.5}
              isAnimationActive={false}
              connectNulls={false}
              activeDot={{ r: 3 }}
              dot={({ cx, cy, index, payload }) => (
                <Dot
                  key={index}
                  cx={cx}
                  cy={cy}
                  index={index}
                  row={payload as TimeRow}
                  rows={rows}
                  dataKey={key}
                  color={color}
                  shift={shifts[i] ?? 0}
                  format={props.formatValue}
                />
              )}
            />
          ))}
        </ComposedChart>
      </ResponsiveContainer>
    </div>
  );
});

export default TimeChart;

/** Ticks are round numbers: their trailing zeros say nothing. */
function shortened(text: string): string {
  return text.replace(/^(-?\d+)\.(\d*?)0+(?=$| )/, (_, whole: string, rest: string) =>
    rest ? `${whole}.${rest}` : whole,
  );
}

interface DotProps {
  cx: number | undefined;
  cy: number | undefined;
  index: number;
  row: TimeRow;
  rows: readonly TimeRow[];
  dataKey: string;
  color: string;
  /** How far the label is moved up, in pixels. */
  shift: number;
  format: (value: number) => string;
}

/** Points without neighbors as dots, and the last value labelled at its end. */
function Dot({ cx, cy, index, row, rows, dataKey, color, shift, format }: DotProps) {
  const value = row[dataKey];
  if (typeof cx !== "number" || typeof cy !== "number" || typeof value !== "number") return <g />;
  const isLast = rows.slice(index + 1).every((later) => typeof later[dataKey] !== "number");
  if (!isLast) return row.alone === true ? <circle cx={cx} cy={cy} r={2} fill={color} /> : <g />;
  return (
    <g>
      <circle cx={cx} cy={cy} r={2.5} fill={color} />
      <text x={cx + 7} y={cy + 4 - shift} fill={color} className={classes.lastValue}>
        {format(value)}
      </text>
    </g>
  );
}

/** Roughly where the lines end, from zero up: close enough to keep their labels apart. */
function endShifts(rows: readonly TimeRow[], series: readonly TimeSeries[], height: number): number[] {
  if (series.length < 2) return [0];
  const values = series.map(({ key }) => rows.map((row) => row[key]).filter((value) => typeof value === "number"));
  const highest = values.flat().reduce((high, value) => Math.max(high, value), 0) || 1;
  return labelShifts(
    values.map((line) => {
      const last = line.at(-1);
      return last === undefined ? null : (last / highest) * (height - 56);
    }),
  );
}

type TipProps = Pick<TooltipContentProps, "active" | "payload"> & {
  series: readonly TimeSeries[];
  unit: string;
  props: TimeChartProps;
};

function Tip({ active, payload, series, unit, props }: TipProps) {
  const row = payload?.[0]?.payload as TimeRow | undefined;
  if (!active || !row) return null;
  return (
    <div className={classes.tip}>
      <p>{props.formatTime(row.time)}</p>
      {series.map(({ key, label, color, band }) => {
        const value = row[key];
        const extremes = band ? (row[band] as readonly [number, number] | null) : null;
        if (typeof value !== "number") return null;
        return (
          <p key={key}>
            <i style={{ background: color }} /> {label} <b>{props.formatValue(value)}</b> {unit}
            {extremes && extremes[0] !== extremes[1] ? (
              <span>
                {" "}
                ({props.formatValue(extremes[0])} to {props.formatValue(extremes[1])})
              </span>
            ) : null}
          </p>
        );
      })}
    </div>
  );
}
