import { memo } from "react";
import { sparklinePath } from "./sparkline-path";
import classes from "./ui.module.css";

interface SparklineProps {
  /** Evenly spaced values, oldest first; null is a gap. */
  values: readonly (number | null)[];
  /** A color token. */
  color: string;
  /** A description for those who can't see it. */
  label: string;
  /** The values at its foot and top; from zero to the largest value unless given. */
  range?: readonly [low: number, high: number];
  /** A level within the range that values are held against, dashed. */
  limit?: number;
  /** The values within the range that are usual, drawn as a faint band. */
  band?: readonly [low: number, high: number];
}

const WIDTH = 96;
const HEIGHT = 24;

/**
 * 96 × 24 unless its cell makes it wider or higher, no axis, the last point marked. Zero is a line on the ground, a gap a
 * dotted one; where nothing is known yet, before the first value, there is none. A plain path: many of them cost next to nothing.
 */
export const Sparkline = memo(function Sparkline({ values, color, label, range, limit, band }: SparklineProps) {
  const { path, gaps, last, yOf } = sparklinePath(values, WIDTH, HEIGHT, range);
  return (
    <svg
      className={classes.sparkline}
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      width={WIDTH}
      height={HEIGHT}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
    >
      {band ? (
        <rect
          x="0"
          y={yOf(band[1])}
          width={WIDTH}
          height={Math.max(1, yOf(band[0]) - yOf(band[1]))}
          fill={color}
          opacity="0.12"
        />
      ) : null}
      {limit === undefined ? null : (
        <line
          x1="0"
          x2={WIDTH}
          y1={yOf(limit)}
          y2={yOf(limit)}
          stroke="var(--fw-muted)"
          strokeDasharray="3 2"
          strokeWidth="1"
          vectorEffect="non-scaling-stroke"
        />
      )}
      {gaps === "" ? null : (
        <path d={gaps} stroke="var(--fw-unknown)" strokeDasharray="1 3" vectorEffect="non-scaling-stroke" />
      )}
      <path
        d={path}
        fill="none"
        stroke={color}
        strokeWidth="1.5"
        strokeLinejoin="round"
        strokeLinecap="round"
        vectorEffect="non-scaling-stroke"
      />
      {/* A point by its cap: round however the cell stretches the rest. */}
      {last ? (
        <path
          d={`M${last[0]} ${last[1]}h0.01`}
          stroke={color}
          strokeWidth="4"
          strokeLinecap="round"
          vectorEffect="non-scaling-stroke"
        />
      ) : null}
    </svg>
  );
});
