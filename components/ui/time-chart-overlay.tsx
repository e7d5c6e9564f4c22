"use client";
import { type KeyboardEvent, type PointerEvent, useRef, useState, useSyncExternalStore } from "react";
import { labelShifts } from "./label-shifts";
import classes from "./time-chart.module.css";
import { heldAt, nearest, PLOT, type PlotPoint, stepped, timeAt, xOf, yOf } from "./time-chart-plot";
import type { Crosshair } from "./time-chart-crosshair";

export interface OverlayLine {
  readonly key: string;
  readonly label: string;
  readonly color: string;
  readonly points: readonly PlotPoint[];
  /** True for values that hold until the next one. */
  readonly step: boolean;
  /** True for what stands behind the others. */
  readonly faint: boolean;
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
  /** Writes a value with every digit. */
  readValue: (value: number) => string;
  /** True where the values pointed at are read elsewhere. */
  readsElsewhere: boolean;
  /** Called with a stretch dragged over. */
  onZoom?: ((from: number, to: number) => void) | undefined;
  onZoomOut?: (() => void) | undefined;
}

/** Pixels a pointer may be away from a point to mean it, and must travel to drag. */
const REACH = 24;
const DRAG = 6;

/**
 * What lies over the lines: last values at their ends, the cross-hair with the exact values it points at, and the stretch
 * dragged over. Drawn apart, so that pointing costs no redraw of lines. A tap stays, and arrow keys go from point to point.
 */
export function ChartOverlay(props: OverlayProps) {
  const { lines, from, to, width, height, crosshair, onZoom, onZoomOut } = props;
  const at = useSyncExternalStore(crosshair.subscribe, crosshair.get, () => null);
  const [drag, setDrag] = useState<readonly [from: number, to: number] | null>(null);
  const began = useRef<number | null>(null);
  const place = (event: PointerEvent<HTMLElement>) => event.clientX - event.currentTarget.getBoundingClientRect().left;
  const isTouch = (event: PointerEvent<HTMLElement>) => event.pointerType === "touch";

  const move = (event: PointerEvent<HTMLElement>) => {
    const x = place(event);
    crosshair.set(timeAt(x, from, to, width));
    // A finger that moves reads values: it has no other way to.
    if (began.current === null || !onZoom || isTouch(event)) return;
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
  const press = (event: KeyboardEvent<HTMLElement>) => {
    if (event.metaKey || event.ctrlKey || event.altKey) return;
    if (event.key === "Escape") return crosshair.set(null);
    const steps = KEYS[event.key];
    const next = steps === undefined ? null : stepped(lines, at, steps * (event.shiftKey ? 10 : 1), from, to);
    if (next === null) return;
    event.preventDefault();
    event.stopPropagation();
    crosshair.set(next);
  };
  const isDragging = drag !== null;
  const isShown = at !== null && at >= from && at <= to && !isDragging;
  const pointed = isShown ? pointedAt(props, at) : null;
  return (
    <div
      className={classes.overlay}
      data-zoomable={onZoom ? true : undefined}
      role="slider"
      tabIndex={0}
      aria-label={`${lines.map(({ label }) => label).join(", ")} over time: arrow keys read its values`}
      aria-valuemin={Math.round(from)}
      aria-valuemax={Math.round(to)}
      aria-valuenow={Math.round(pointed?.time ?? to)}
      aria-valuetext={pointed ? spokenOf(props, pointed) : "Nothing is pointed at"}
      onKeyDown={press}
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        began.current = place(event);
        crosshair.set(timeAt(began.current, from, to, width));
      }}
      onPointerMove={move}
      onPointerUp={end}
      onPointerCancel={() => {
        began.current = null;
        setDrag(null);
      }}
      onPointerLeave={(event) => {
        if (!isDragging) began.current = null;
        if (!isTouch(event)) crosshair.set(null);
      }}
      onDoubleClick={onZoomOut}
    >
      <svg
        width={width}
        height={height}
        viewBox={`0 0 ${width} ${height}`}
        className={classes.marks}
        aria-hidden="true"
      >
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
        {pointed ? <Pointed {...props} pointed={pointed} /> : null}
      </svg>
      {pointed ? <ReadOut {...props} pointed={pointed} /> : null}
    </div>
  );
}

const KEYS: Readonly<Record<string, number>> = {
  ArrowLeft: -1,
  ArrowRight: 1,
  Home: Number.NEGATIVE_INFINITY,
  End: Number.POSITIVE_INFINITY,
};

/** A shorter stretch than this was a slip of the hand. */
const SHORTEST_MS = 1000;

/** Lone points as dots, and each line's last value at its end. */
function Ends({ lines, from, to, scale, width, height, formatValue }: OverlayProps) {
  const ends = lines.map(({ points, faint }) => (faint ? null : (points.at(-1) ?? null)));
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

/** What is pointed at: the moment of the nearest point, where it starts, and the point of each line that is near. */
interface PointedAt {
  readonly time: number;
  readonly start: number;
  readonly found: readonly (PlotPoint | null)[];
}

function pointedAt({ lines, from, to, width }: OverlayProps, at: number): PointedAt {
  const reach = (REACH / Math.max(1, width - PLOT.left - PLOT.right)) * (to - from);
  const found = lines.map(({ points, step }) => (step ? heldAt(points, at, reach) : nearest(points, at, reach)));
  const near = found.filter((point) => point !== null).sort((a, b) => Math.abs(a.time - at) - Math.abs(b.time - at))[0];
  return { time: near?.time ?? at, start: near?.start ?? at, found };
}

/** The cross-hair, and the points on it. */
function Pointed({ lines, from, to, scale, width, height, pointed }: OverlayProps & { pointed: PointedAt }) {
  const x = xOf(pointed.time, from, to, width);
  return (
    <>
      <line x1={x} x2={x} y1={PLOT.top} y2={height - PLOT.bottom} className={classes.crosshair} />
      {lines.map(({ key, color }, i) => {
        const point = pointed.found[i];
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
    </>
  );
}

/** The exact values pointed at, always in the same place: above the plot, where they cover nothing. */
function ReadOut(props: OverlayProps & { pointed: PointedAt }) {
  const { lines, unit, formatTime, pointed } = props;
  return (
    <p className={classes.readOut} data-read-out aria-hidden="true">
      <time>{formatTime(pointed.start)}</time>
      {(props.readsElsewhere ? [] : lines).map(({ key, label, color }, i) => {
        const point = pointed.found[i];
        return (
          <span key={key}>
            <i style={{ background: color }} /> {label}{" "}
            {point ? (
              <>
                <b>{props.readValue(point.value)}</b> {unit}
                {extremes(props, point)}
              </>
            ) : (
              "no reading"
            )}
          </span>
        );
      })}
    </p>
  );
}

function extremes({ readValue }: OverlayProps, { low, high }: PlotPoint): string {
  return low === high ? "" : ` (${readValue(low)} to ${readValue(high)})`;
}

/** The same in words. */
function spokenOf(props: OverlayProps, { start, found }: PointedAt): string {
  const values = props.lines.map(({ label }, i) => {
    const point = found[i];
    return `${label} ${point ? `${props.readValue(point.value)} ${props.unit}${extremes(props, point)}` : "no reading"}`;
  });
  return `${props.formatTime(start)}: ${values.join(", ")}`;
}
