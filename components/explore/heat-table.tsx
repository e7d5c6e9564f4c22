"use client";
import { useComputedColorScheme } from "@mantine/core";
import { memo, type PointerEvent, useEffect, useMemo, useRef } from "react";
import type { ExploreAnswer, ExploreSeries } from "@/server/contracts/explore";
import { formatDuration, formatInstant } from "../ui/format";
import { Link } from "../ui/link";
import { None, SortHead, Space } from "../ui/list-table";
import { useRowWindow } from "../ui/row-window";
import { seriesColor } from "../ui/theme";
import type { Crosshair } from "../ui/time-chart-crosshair";
import { COLUMNS, nextOrder, type SortBy, sorted, type Writing } from "./drawn";
import classes from "./explore.module.css";
import { beyondOf, cellsOf, type HeatScale, heatScale, holdOf, opacityOf, SHADES, stepAt, valueAt } from "./heat";
import { NAMES, usePointed } from "./legend-table";
import type { ChartView } from "./chart-view";
import { placeOf } from "./places";

interface HeatTableProps extends ChartView {
  readonly writing: Writing;
  readonly onSort: (order: string) => void;
  readonly chosen: readonly string[];
  /** Chooses a series, or not any more; null where none can be chosen. */
  readonly onToggle: ((id: string) => void) | null;
}

const ROW_HEIGHT = 26;
const COLOR = seriesColor(0);

/** A row for each series with its heat strip and figures, sorted by any of them. All strips show the same moment. */
export function HeatTable(props: HeatTableProps) {
  const { answer, order, onSort, crosshair, zone, writing, chosen, onToggle } = props;
  const at = usePointed(crosshair);
  const step = stepAt(answer, at);
  const scales = useMemo(() => {
    const units = new Map<string | null, ExploreSeries["means"][]>();
    for (const { unit, means } of answer.series) units.set(unit, [...(units.get(unit) ?? []), means]);
    return new Map([...units].map(([unit, all]) => [unit, heatScale(all.map((means) => means ?? []))]));
  }, [answer]);
  const hold = useMemo(() => holdOf(answer.series.map(({ means }) => means ?? NONE)), [answer]);
  const named = useMemo(() => answer.series.map((one) => ({ ...one, label: one.id || `no ${answer.by}` })), [answer]);
  // Another moment puts the rows in another order only where they are sorted by it.
  const place = order.by === "cursor" ? step : -1;
  const rows = useMemo(
    () => sorted(named, order, (one) => valueAt(one.means ?? NONE, place, hold)),
    [named, order, place, hold],
  );
  const unit = answer.band?.unit ?? null;
  const box = useRef<HTMLDivElement>(null);
  const { start, end } = useRowWindow(box, rows.length, ROW_HEIGHT);
  const begin = Date.parse(answer.from);
  const orderOf = (column: SortBy) => (order.by !== column ? null : order.isDescending ? "descending" : "ascending");
  const head = (column: SortBy, label: string) => (
    <SortHead
      label={label}
      order={orderOf(column)}
      onSort={() => onSort(nextOrder(order, column))}
      isNumber={column !== "name"}
      className={classes[`of-${column}`]}
    />
  );
  return (
    <>
      <div className={classes.legendHead}>
        <p data-read-out>
          {step < 0
            ? "Point at a strip, tap it, or read the chart with the arrow keys: each row tells its value."
            : `${formatInstant(begin + step * answer.bucketMs, zone)}, ${formatDuration(answer.bucketMs)}`}
        </p>
        <HeatKey
          scale={scales.get(unit)}
          series={answer.series.filter((one) => one.unit === unit)}
          unit={unit}
          writing={writing}
        />
      </div>
      <div
        className={classes.heatBox}
        ref={box}
        tabIndex={0}
        role="region"
        aria-label="A strip of each series"
        data-scrolls
      >
        <table className={`${classes.table} ${classes.heat}`} aria-rowcount={rows.length + 1}>
          <thead>
            <tr>
              {head("name", NAMES[answer.by])}
              <th scope="col">{formatDuration(Date.parse(answer.to) - begin)}</th>
              {head("last", "Last")}
              {head("min", "Min")}
              {head("mean", "Mean")}
              {head("max", "Max")}
              {head("cursor", "At cursor")}
            </tr>
          </thead>
          <tbody>
            {start > 0 ? <Space height={start * ROW_HEIGHT} /> : null}
            {rows.slice(start, end).map((one, i) => {
              const href = placeOf(answer, one.id);
              return (
                <tr key={one.id} data-series={one.id} aria-rowindex={start + i + 2}>
                  <th scope="row">
                    <span className={classes.rowName}>
                      {onToggle === null ? null : (
                        <input
                          type="checkbox"
                          aria-label={`Choose ${one.label}`}
                          checked={chosen.includes(one.id)}
                          onChange={() => onToggle(one.id)}
                        />
                      )}
                      {href === null ? one.label : <Link href={href}>{one.label}</Link>}
                    </span>
                  </th>
                  <td className={classes.strip}>
                    <Heat
                      means={one.means ?? NONE}
                      scale={scales.get(one.unit)!}
                      {...{ crosshair, begin, step, hold }}
                      bucketMs={answer.bucketMs}
                    />
                  </td>
                  {COLUMNS.map((column) => (
                    <td key={column} data-number data-column={column} className={classes[`of-${column}`]}>
                      <Rounded value={one.figures[column]} writing={writing} />
                    </td>
                  ))}
                  <td data-number data-column="cursor">
                    {step < 0 ? (
                      <None word="" />
                    ) : (
                      <Rounded value={valueAt(one.means ?? NONE, step, hold)} writing={writing} />
                    )}
                  </td>
                </tr>
              );
            })}
            {end < rows.length ? <Space height={(rows.length - end) * ROW_HEIGHT} /> : null}
          </tbody>
        </table>
      </div>
    </>
  );
}

/** A figure as its narrow column has room for; exact on hover. One that isn't there is a dash. */
function Rounded({ value, writing }: { value: number | null; writing: Writing }) {
  return value === null ? <None /> : <span title={writing.exact(value)}>{writing.short(value)}</span>;
}

const NONE: readonly never[] = [];
const WIDTH = 800;
const HEIGHT = 18;

interface HeatProps {
  readonly means: readonly (number | null)[];
  readonly scale: HeatScale;
  readonly crosshair: Crosshair;
  /** Start of the first step, epoch ms. */
  readonly begin: number;
  readonly bucketMs: number;
  /** The step pointed at; -1: none. */
  readonly step: number;
  /** For how many steps a value holds. */
  readonly hold: number;
}

/** One series as a row of shades, and the step pointed at. */
function Heat({ means, scale, crosshair, begin, bucketMs, step, hold }: HeatProps) {
  const point = (event: PointerEvent<HTMLElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    const share = Math.min(0.9999, Math.max(0, (event.clientX - box.left) / Math.max(1, box.width)));
    crosshair.set(begin + (Math.floor(share * means.length) + 0.5) * bucketMs);
  };
  return (
    <div
      onPointerMove={point}
      onPointerDown={point}
      onPointerLeave={(event) => {
        if (event.pointerType !== "touch") crosshair.set(null);
      }}
    >
      <Shades means={means} scale={scale} hold={hold} />
      {step < 0 ? null : <i style={{ left: `${((step + 0.5) / means.length) * 100}%` }} />}
    </div>
  );
}

/** The shades alone: pointing draws nothing of them anew. */
const Shades = memo(function Shades({ means, scale, hold }: Pick<HeatProps, "means" | "scale" | "hold">) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const scheme = useComputedColorScheme("light");
  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!context) return;
    context.clearRect(0, 0, WIDTH, HEIGHT);
    context.fillStyle = getComputedStyle(context.canvas).getPropertyValue(/--[\w-]+/.exec(COLOR)![0]);
    const x = (place: number) => Math.round((place / means.length) * WIDTH);
    for (const { start, end, shade } of cellsOf(means, scale, hold)) {
      context.globalAlpha = opacityOf(shade);
      context.fillRect(x(start), 0, Math.max(1, x(end) - x(start)), HEIGHT);
    }
  }, [means, scale, hold, scheme]);
  return <canvas ref={canvas} width={WIDTH} height={HEIGHT} aria-hidden="true" />;
});

interface HeatKeyProps {
  readonly scale: HeatScale | undefined;
  readonly series: ExploreAnswer["series"];
  readonly unit: string | null;
  readonly writing: Writing;
}

/** Tells which shade stands for how much; an end that stands for all beyond it, too, says so. */
function HeatKey({ scale, series, unit, writing }: HeatKeyProps) {
  if (scale === undefined) return null;
  const { below, above } = beyondOf(scale, series);
  return (
    <p className={classes.heatKey}>
      {below ? "≤ " : ""}
      {writing.short(scale.min)}
      <span aria-hidden="true">
        {Array.from({ length: SHADES }, (_, shade) => (
          <i key={shade} style={{ background: COLOR, opacity: opacityOf(shade) }} />
        ))}
      </span>
      {above ? "≥ " : ""}
      {writing.short(scale.max)} {unit ?? ""}
    </p>
  );
}
