import { memo } from "react";
import type { TimeLimit, TimeMark, TimeShade } from "./time-chart-data";
import classes from "./time-chart.module.css";
import type { Frame } from "./time-chart-lines";
import { labelAsides, PLOT, xOf, yOf } from "./time-chart-plot";
import type { ValueScale } from "./value-scale";

interface AxesProps extends Frame {
  readonly scale: ValueScale;
  readonly ticks: readonly number[];
  readonly formatTick: (time: number) => string;
  readonly limits: readonly TimeLimit[];
  readonly shades: readonly TimeShade[];
  readonly marks: readonly TimeMark[];
}

/** How far below its line a label's foot is. */
const LABEL_FOOT = 14;

/** What lies under the lines: ticks with their labels, limits, and the stretches and moments that stand out. */
export const ChartAxes = memo(function ChartAxes(props: AxesProps) {
  const { from, to, scale, width, height, ticks } = props;
  const [foot, right] = [height - PLOT.bottom, width - PLOT.right];
  const x = (time: number) => xOf(Math.min(to, Math.max(from, time)), from, to, width);
  const y = (value: number) => yOf(value, scale, height);
  // Below a line at the foot the label would stand among the ticks.
  const limits = props.limits.map((one) => ({ ...one, below: one.below === true && y(one.value) + LABEL_FOOT < foot }));
  const asides = labelAsides(limits, scale, height);
  return (
    <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} className={classes.axes}>
      {props.shades
        .filter((shade) => shade.to >= from && shade.from <= to)
        .map((shade) => (
          <rect
            key={shade.key ?? `${shade.from} ${shade.color}`}
            x={x(shade.from)}
            y={PLOT.top}
            width={Math.max(1, x(shade.to) - x(shade.from))}
            height={foot - PLOT.top}
            fill={shade.color}
            fillOpacity={0.12}
          />
        ))}
      {scale.ticks.map((tick) => {
        const label = scale.label(tick);
        return (
          <g key={tick}>
            <line x1={PLOT.left} x2={right} y1={y(tick)} y2={y(tick)} className={classes.grid} />
            <text x={PLOT.left - 8} y={y(tick) + 4} textAnchor="end" style={fitting(label)}>
              {label}
            </text>
          </g>
        );
      })}
      <line x1={PLOT.left} x2={right} y1={foot} y2={foot} className={classes.foot} />
      {ticks.map((tick, i) => (
        <text key={tick} x={x(tick)} y={foot + 19} textAnchor={anchorOf(x(tick), width, i === 0)}>
          {props.formatTick(tick)}
        </text>
      ))}
      {props.marks
        .filter(({ time }) => time >= from && time <= to)
        .map(({ time, label }) => (
          <g key={`${time} ${label}`}>
            <line x1={x(time)} x2={x(time)} y1={PLOT.top} y2={foot} className={classes.mark} />
            <text x={x(time) + 5} y={PLOT.top + 13}>
              {label}
            </text>
          </g>
        ))}
      {limits.map(({ value, label, color, below }, i) => (
        <g key={label}>
          <line x1={PLOT.left} x2={right} y1={y(value)} y2={y(value)} stroke={color} strokeDasharray="4 3" />
          <text x={PLOT.left + 5 + asides[i]!} y={y(value) + (below ? LABEL_FOOT : -5)}>
            {label}
          </text>
        </g>
      ))}
    </svg>
  );
});

/** Letters that the gutter beside the plot has room for at full size. */
const ROOM = 8;

function fitting(label: string): { fontSize: number } | undefined {
  return label.length > ROOM ? { fontSize: Math.max(8, Math.floor((12 * ROOM) / label.length)) } : undefined;
}

/** Keeps a label at either end of a narrow chart on the chart. */
function anchorOf(x: number, width: number, isFirst: boolean): "start" | "middle" | "end" {
  if (isFirst && x < PLOT.left + 8) return "middle";
  return x > width - 32 ? "end" : "middle";
}
