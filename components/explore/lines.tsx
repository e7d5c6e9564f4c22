"use client";
import { memo, useCallback, useMemo } from "react";
import type { ExploreAnswer } from "@/server/contracts/explore";
import { readable } from "@/server/domain/readable";
import { formatDuration, formatInstant, formatTick, zoneName } from "../ui/format";
import { LazyTimeChart } from "../ui/lazy-chart";
import { Link } from "../ui/link";
import { Spoken } from "../ui/spoken";
import { lineColor, SERIES_COLORS } from "../ui/theme";
import { timeTicks } from "../ui/time-ticks";
import { type ValueScale, valueScale } from "../ui/value-scale";
import { byUnit, chartOf, type Drawn, extremesOf, sentValues, type Writing, writingOf } from "./drawn";
import classes from "./explore.module.css";
import type { ChartView } from "./chart-view";
import { LegendTable } from "./legend-table";
import { placeOf } from "./places";

interface LinesProps extends ChartView {
  readonly all: readonly Drawn[];
  /** Series that aren't drawn, by id. */
  readonly off: readonly string[];
  readonly onOff: (off: readonly string[]) => void;
  readonly onSort: (order: string) => void;
}

const HEIGHT = { overlay: 320, multiple: 150 } as const;

/** Up to six series in one chart, more as small charts of one scale; and the table of their figures. */
export function Lines({ all, off, onOff, onSort, ...view }: LinesProps) {
  const { answer } = view;
  const writing = useMemo(() => writingOf(answer, sentValues(answer)), [answer]);
  const shown = useMemo(() => coloredOf(answer, all, off), [answer, all, off]);
  const isOverlay = shown.length <= SERIES_COLORS;
  return (
    <>
      {byUnit(shown).map(([unit, series]) => (
        <section key={unit ?? ""} className={classes.unit} aria-label={`In ${readable(unit ?? "no unit")}`}>
          {isOverlay ? (
            <LinesChart {...view} {...{ unit, series, writing }} height={HEIGHT.overlay} />
          ) : (
            <Multiples {...view} {...{ unit, series, writing }} />
          )}
        </section>
      ))}
      {shown.length === 0 ? <p className={classes.muted}>No series is drawn; choose some in the table.</p> : null}
      <LegendTable {...view} {...{ all, shown, off, onOff, onSort, writing }} />
    </>
  );
}

/** The series that are drawn: each of a few has a color of its own. */
function coloredOf(answer: ExploreAnswer, all: readonly Drawn[], off: readonly string[]): readonly Drawn[] {
  const shown = all.filter(({ id }) => !off.includes(id));
  if (all.length <= SERIES_COLORS || shown.length > SERIES_COLORS) return shown;
  return shown.map((one, i) => ({ ...one, color: lineColor(answer, i, shown.length) }));
}

interface LinesChartProps extends ChartView {
  readonly unit: string | null;
  readonly series: readonly Drawn[];
  readonly writing: Writing;
  readonly height: number;
  /** The axis that this chart shares with others. */
  readonly scale?: ValueScale | undefined;
}

const FLAG_RANGE = [0, 1] as const;

const LinesChart = memo(function LinesChart(props: LinesChartProps) {
  const { answer, series, unit, from, to, zone, writing, height, scale, isStale } = props;
  const isFlag = answer.kind === "boolean";
  const { rows, lines } = useMemo(() => chartOf(series, isFlag && answer.by === "device"), [series, isFlag, answer.by]);
  const ticks = useMemo(() => timeTicks(from, to, zoneName(zone)), [from, to, zone]);
  const tick = useCallback((time: number) => formatTick(time, zone, to - from), [zone, from, to]);
  const { bucketMs } = answer;
  const moment = useCallback(
    (start: number) => `${formatInstant(start, zone)}, ${formatDuration(bucketMs)}`,
    [zone, bucketMs],
  );
  return (
    <div style={{ height, opacity: isStale ? 0.5 : 1 }}>
      <LazyTimeChart
        {...{ rows, from, to, ticks, height }}
        series={lines}
        unit={isFlag ? "" : readable(unit ?? "no unit")}
        {...(isFlag ? { range: FLAG_RANGE } : {})}
        {...(scale ? { scale } : {})}
        marks={props.marks}
        formatTick={tick}
        formatTime={moment}
        formatValue={writing.short}
        readValue={writing.exact}
        readsElsewhere={series.length > 2}
        crosshair={props.crosshair}
        onZoom={props.zoom}
        onZoomOut={props.zoomOut}
      />
    </div>
  );
});

/** A small chart of each series, all of one scale, so that heights compare. */
function Multiples(props: Omit<LinesChartProps, "height">) {
  const { series, answer } = props;
  const scale = useMemo(() => {
    const [low, high] = extremesOf(series) ?? [0, 1];
    return answer.kind === "boolean" ? undefined : valueScale(low, high);
  }, [series, answer.kind]);
  return (
    <ul className={classes.multiples}>
      {series.map((one) => (
        <Multiple key={one.id} {...props} one={one} scale={scale} />
      ))}
    </ul>
  );
}

function Multiple({ one, ...view }: Omit<LinesChartProps, "height"> & { one: Drawn }) {
  const series = useMemo(() => [one], [one]);
  const { label, figures } = one;
  const place = placeOf(view.answer, one.id);
  return (
    <li>
      <h2>{place === null ? label : <Link href={place}>{label}</Link>}</h2>
      <LinesChart {...view} series={series} height={HEIGHT.multiple} />
      <Spoken as="p">
        {figures.count === 0
          ? `${label}: no reading.`
          : `${label}: lowest ${view.writing.exact(figures.min!)}, highest ${view.writing.exact(figures.max!)}, last ${view.writing.exact(figures.last!)}.`}
      </Spoken>
    </li>
  );
}
