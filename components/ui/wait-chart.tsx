"use client";
import { Area, AreaChart, CartesianGrid, Tooltip, XAxis, YAxis } from "recharts";
import { useElementSize } from "@mantine/hooks";
import classes from "./wait-chart.module.css";

/** The longest wait in a stretch of time that begins at `time`, in seconds. */
export interface WaitPoint {
  readonly time: number;
  readonly seconds: number;
}

interface WaitChartProps {
  points: readonly WaitPoint[];
  from: number;
  to: number;
  ticks: readonly number[];
  color: string;
  height: number;
  formatTick: (time: number) => string;
  formatTime: (time: number) => string;
  formatValue: (seconds: number) => string;
}

/** The longest waits over time. Arrow keys go from point to point, as pointing does. */
export default function WaitChart(props: WaitChartProps) {
  const { points, from, to, ticks, color, height, formatTick, formatTime, formatValue } = props;
  const { ref, width } = useElementSize();
  const readOut = ({ active, payload }: { active?: boolean; payload?: readonly { payload?: unknown }[] }) => {
    const point = payload?.[0]?.payload as WaitPoint | undefined;
    return active && point ? (
      <div className={classes.readOut}>
        <strong>{formatValue(point.seconds)}</strong>
        <span>{formatTime(point.time)}</span>
      </div>
    ) : null;
  };
  return (
    <div ref={ref} className={classes.chart} style={{ height }}>
      {width > 0 ? (
        <AreaChart
          data={points as WaitPoint[]}
          {...{ width, height }}
          title="Longest wait of a message"
          accessibilityLayer
        >
          <CartesianGrid vertical={false} stroke="var(--fw-chart-grid)" />
          <XAxis
            dataKey="time"
            type="number"
            domain={[from, to]}
            ticks={[...ticks]}
            tickFormatter={formatTick}
            tickLine={false}
            stroke="var(--fw-line-strong)"
          />
          <YAxis width={64} tickFormatter={formatValue} tickCount={4} tickLine={false} axisLine={false} />
          <Tooltip content={readOut} isAnimationActive={false} cursor={{ stroke: "var(--fw-muted)" }} />
          <Area
            dataKey="seconds"
            type="stepAfter"
            stroke={color}
            fill={color}
            fillOpacity={0.15}
            isAnimationActive={false}
          />
        </AreaChart>
      ) : null}
    </div>
  );
}
