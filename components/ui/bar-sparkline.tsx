import { memo } from "react";
import classes from "./ui.module.css";

interface BarSparklineProps {
  /** Counts of equal spans of time, oldest first; the last span is still running. */
  values: readonly number[];
  /** A color token. */
  color: string;
  /** A description for those who can't see it, also shown on hover. */
  label: string;
}

const WIDTH = 96;
const HEIGHT = 24;
const GAP = 1;

/** 96 × 24, a bar a span from zero to the largest; an empty span is a tick on the ground, the running one is paler. */
export const BarSparkline = memo(function BarSparkline({ values, color, label }: BarSparklineProps) {
  const most = Math.max(1, ...values);
  const width = WIDTH / values.length;
  return (
    <svg
      className={classes.sparkline}
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      width={WIDTH}
      height={HEIGHT}
      role="img"
      aria-label={label}
    >
      <title>{label}</title>
      {values.map((value, i) => {
        const height = value === 0 ? 1 : Math.max(2, (value / most) * HEIGHT);
        return (
          <rect
            key={i}
            x={i * width}
            y={HEIGHT - height}
            width={width - GAP}
            height={height}
            fill={value === 0 ? "var(--fw-line-strong)" : color}
            opacity={value > 0 && i === values.length - 1 ? 0.6 : 1}
          />
        );
      })}
    </svg>
  );
});
