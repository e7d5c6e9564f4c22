import type { PlotPoint } from "./time-chart-plot";

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
  /** True for what stands behind the others: dashed, and without its last value. */
  readonly faint?: boolean;
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
