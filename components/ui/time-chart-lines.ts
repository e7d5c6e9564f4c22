import type { TimeRow, TimeSeries } from "./time-chart-data";
import { PLOT, xOf, yOf } from "./time-chart-plot";

/** What lines are drawn into: a stretch of time, a range of values, and a size in pixels. */
export interface Frame {
  readonly from: number;
  readonly to: number;
  readonly scale: { readonly min: number; readonly max: number };
  readonly width: number;
  readonly height: number;
}

/** The part of a canvas that lines are drawn with. */
export type Pen = Pick<
  CanvasRenderingContext2D,
  | "clearRect"
  | "save"
  | "restore"
  | "beginPath"
  | "rect"
  | "clip"
  | "moveTo"
  | "lineTo"
  | "fill"
  | "stroke"
  | "fillRect"
  | "globalAlpha"
  | "fillStyle"
  | "strokeStyle"
  | "lineWidth"
  | "lineJoin"
  | "setLineDash"
>;

/** What was usual in a stretch of time. */
export interface Expected {
  readonly from: number;
  readonly to: number;
  readonly low: number;
  readonly high: number;
}

type Ends = readonly [low: number, high: number];
const BAND_OPACITY = 0.12;
const FAINT_OPACITY = 0.65;
const LINE_PX = 1.5;

/**
 * Draws lines over their min/max bands, on what is usual; nulls stay gaps. A canvas, since thousands of points cost it no
 * more than dozens, and nothing of the page is laid out anew.
 * @param colorOf what a color token stands for.
 */
export function drawLines(
  context: Pen,
  { rows, series, expected, frame }: DrawnLines,
  colorOf: (token: string) => string,
): void {
  const { from, to, scale, width, height } = frame;
  const x = (time: number) => xOf(time, from, to, width);
  const y = (value: number) => yOf(value, scale, height);
  context.clearRect(0, 0, width, height);
  context.save();
  context.beginPath();
  context.rect(PLOT.left, PLOT.top - 1, width - PLOT.left - PLOT.right, height - PLOT.top - PLOT.bottom + 2);
  context.clip();
  context.globalAlpha = BAND_OPACITY;
  context.fillStyle = colorOf("var(--fw-unknown)");
  for (const { from: begin, to: end, low, high } of expected)
    context.fillRect(x(begin), y(high), x(end) - x(begin), Math.max(1, y(low) - y(high)));
  for (const { band, color, step } of series) {
    if (band === undefined) continue;
    context.fillStyle = colorOf(color);
    for (const stretch of stretchesOf(rows, (row) => row[band] as Ends | null | undefined)) {
      context.beginPath();
      trace(context, stretch, x, ([, high]) => y(high), step);
      trace(context, stretch.toReversed(), x, ([low]) => y(low), step && "backwards");
      context.fill();
    }
  }
  context.globalAlpha = 1;
  context.lineWidth = LINE_PX;
  context.lineJoin = "round";
  for (const { key, color, step, faint = false } of series) {
    context.strokeStyle = colorOf(color);
    context.globalAlpha = faint ? FAINT_OPACITY : 1;
    context.setLineDash(faint ? [5, 4] : []);
    context.beginPath();
    for (const stretch of stretchesOf(rows, (row) => (typeof row[key] === "number" ? row[key] : null))) {
      const [begin] = stretch;
      context.moveTo(x(begin!.time), y(begin!.of));
      trace(context, stretch, x, y, step);
    }
    context.stroke();
  }
  context.restore();
}

export interface DrawnLines {
  readonly rows: readonly TimeRow[];
  readonly series: readonly TimeSeries[];
  readonly expected: readonly Expected[];
  readonly frame: Frame;
}

interface At<T> {
  readonly time: number;
  readonly of: T;
}

/** The rows that have something, in unbroken stretches. */
function stretchesOf<T>(rows: readonly TimeRow[], of: (row: TimeRow) => T | null | undefined): At<T>[][] {
  const stretches: At<T>[][] = [];
  let isOpen = false;
  for (const row of rows) {
    const found = of(row) ?? null;
    if (found === null) {
      isOpen = false;
      continue;
    }
    if (!isOpen) stretches.push([]);
    isOpen = true;
    stretches.at(-1)!.push({ time: row.time, of: found });
  }
  return stretches;
}

/** Goes on from where the path is through a stretch; one that holds its values turns at right angles. */
function trace<T>(
  path: Pick<CanvasRenderingContext2D, "lineTo">,
  stretch: readonly At<T>[],
  x: (time: number) => number,
  y: (of: T) => number,
  step: boolean | "backwards" | undefined,
): void {
  stretch.forEach((point, i) => {
    const before = stretch[i - 1];
    if (before && step === "backwards") path.lineTo(x(before.time), y(point.of));
    else if (before && step) path.lineTo(x(point.time), y(before.of));
    path.lineTo(x(point.time), y(point.of));
  });
}
