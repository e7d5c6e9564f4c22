"use client";
import { type PointerEvent, useRef, useState, useSyncExternalStore } from "react";
import { labelShifts } from "./label-shifts";
import classes from "./time-chart.module.css";
import { nearest, PLOT, type PlotPoint, timeAt, xOf, yOf } from "./time-chart-plot";
import type { Crosshair } from "./time-chart-crosshair";

export interface OverlayLine {
  readonly key: string;
  readonly label: string;
  readonly color: string;
  readonly points: readonly PlotPoint[];
}

interface OverlayProps {
  lines: readonly OverlayLine[];
  from: number;
  to: number;
  scale: { readonly min: number; readonly max: number };
  width: number;
  height: number;
  unit: string;
  crosshair: Crosshair;
  formatTime: (start: number) => string;
  formatValue: (value: number) => string;
  /** Called with a stretch dragged over. */
  onZoom?: ((from: number, to: number) => void) | undefined;
  onZoomOut?: (() => void) | undefined;
}

/** Pixels a pointer may be away from a point to mean it, and must travel to drag. */
const REACH = 24;
const DRAG = 6;

/**
 * What lies over the lines: last values at their ends, the cross-hair with what it points at, and the stretch dragged
 * over. It is drawn apart from the chart, so that pointing costs no redraw of lines.
 */
export function ChartOverlay(props: OverlayProps) {
  const { from, to, width, height, crosshair, onZoom, onZoomOut } = props;
  const at = useSyncExternalStore(crosshair.subscribe, crosshair.get, () => null);
  const [isOver, setOver] = useState(false);
  const [drag, setDrag] = useState<readonly [from: number, to: number] | null>(null);
  const began = useRef<number | null>(null);
  const place = (event: PointerEvent<HTMLElement>) => event.clientX - event.currentTarget.getBoundingClientRect().left;

  const move = (event: PointerEvent<HTMLElement>) => {
    const x = place(event);
    setOver(true);
    crosshair.set(timeAt(x, from, to, width));
    if (began.current === null || !onZoom) return;
    if (drag === null && Math.abs(x - began.current) < DRAG) return;
    if (drag === null) event.currentTarget.setPointerCapture(event.pointerId);
    setDrag([timeAt(began.current, from, to, width), timeAt(x, from, to, width)]);
  };
  const end = () => {
    began.current = null;
    if (drag === null) return;
    setDrag(null);
    const [a, b] = [Math.min(...drag), Math.max(...drag)];
    if (b - a >= SHORTEST_MS) onZoom?.(a, b);
  };
  const isDragging = drag !== null;
  return (
    <div
      className={classes.overlay}
      data-zoomable={onZoom ? true : undefined}
      onPointerDown={(event) => {
        if (event.button === 0) began.current = place(event);
      }}
      onPointerMove={move}
      onPointerUp={end}
      onPointerCancel={() => {
        began.current = null;
        setDrag(null);
      }}
      onPointerLeave={() => {
        setOver(false);
        if (!isDragging) began.current = null;
        crosshair.set(null);
      }}
      onDoubleClick={onZoomOut}
    >
      <svg width={width} height={height} className={classes.marks}>
        <Ends {...props} />
        {drag ? (
          <rect
            className={classes.selection}
            x={xOf(Math.min(...drag), from, to, width)}
            y={PLOT.top}
            width={Math.abs(xOf(drag[1], from, to, width) - xOf(drag[0], from, to, width))}
            height={Math.max(0, height - PLOT.top - PLOT.bottom)}
          />
        ) : null}
      </svg>
      {at !== null && at >= from && at <= to && !isDragging ? <Pointed {...props} at={at} withTime={isOver} /> : null}
    </div>
  );
}

/** A shorter stretch than this was a slip of the hand. */
const SHORTEST_MS = 1000;

/** Lone points as dots, and each line's last value at its end. */
function Ends({ lines, from, to, scale, width, height, formatValue }: OverlayProps) {
  const ends = lines.map(({ points }) => points.at(-1) ?? null);
  const shifts = labelShifts(ends.map((point) => (point ? height - yOf(point.value, scale, height) : null)));
  return lines.map(({ key, color, points }, i) => {
    const last = ends[i];
    return (
      <g key={key} fill={color}>
        {points.map((point) =>
          point.alone && point !== last ? (
            <circle key={point.time} cx={xOf(point.time, from, to, width)} cy={yOf(point.value, scale, height)} r={2} />
          ) : null,
        )}
        {last ? (
          <>
            <circle cx={xOf(last.time, from, to, width)} cy={yOf(last.value, scale, height)} r={2.5} />
            <text
              x={xOf(last.time, from, to, width) + 7}
              y={yOf(last.value, scale, height) + 4 - (shifts[i] ?? 0)}
              className={classes.lastValue}
            >
              {formatValue(last.value)}
            </text>
          </>
        ) : null}
      </g>
    );
  });
}

/** The cross-hair at a moment, the points nearest to it, and what they say; on the side where they are not covered. */
function Pointed(props: OverlayProps & { at: number; withTime: boolean }) {
  const { lines, from, to, scale, width, height, unit, at, withTime, formatTime, formatValue } = props;
  const reach = (REACH / Math.max(1, width - PLOT.left - PLOT.right)) * (to - from);
  const found = lines.map(({ points }) => nearest(points, at, reach));
  const shown = found.filter((point) => point !== null);
  const start = shown.toSorted((a, b) => Math.abs(a.time - at) - Math.abs(b.time - at))[0];
  const x = xOf(start?.time ?? at, from, to, width);
  const isRight = x > width / 2;
  return (
    <>
      <svg width={width} height={height} className={classes.marks}>
        <line x1={x} x2={x} y1={PLOT.top} y2={height - PLOT.bottom} className={classes.crosshair} />
        {lines.map(({ key, color }, i) => {
          const point = found[i];
          return point ? (
            <circle
              key={key}
              cx={xOf(point.time, from, to, width)}
              cy={yOf(point.value, scale, height)}
              r={3.5}
              fill={color}
              className={classes.pointed}
            />
          ) : null;
        })}
      </svg>
      <div className={classes.tip} style={isRight ? { right: width - x + 12 } : { left: x + 12 }}>
        {withTime ? <p className={classes.tipTime}>{formatTime(start?.start ?? at)}</p> : null}
        {lines.map(({ key, label, color }, i) => {
          const point = found[i];
          return (
            <p key={key}>
              <i style={{ background: color }} /> {label}{" "}
              {point ? (
                <>
                  <b>{formatValue(point.value)}</b> {unit}
                  {point.low !== point.high ? (
                    <span>
                      {" "}
                      ({formatValue(point.low)} to {formatValue(point.high)})
                    </span>
                  ) : null}
                </>
              ) : (
                <span>no reading</span>
              )}
            </p>
          );
        })}
      </div>
    </>
  );
}
