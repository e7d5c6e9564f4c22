"use client";
import { Button } from "@mantine/core";
import { useCallback, useMemo, useState } from "react";
import { MOST_NAMED } from "@/server/domain/device-lists";
import { counted } from "@/server/domain/counted";
import { readable } from "@/server/domain/readable";
import { toStretches } from "../live/series";
import { bandKey, toRows } from "../ui/chart-rows";
import { formatDuration, formatInstant, formatTick, formatTotal, zoneName } from "../ui/format";
import { LazyTimeChart } from "../ui/lazy-chart";
import { Link } from "../ui/link";
import { metricColor, seriesColor, SERIES_COLORS } from "../ui/theme";
import type { TimeRow, TimeSeries } from "../ui/time-chart-data";
import { timeTicks } from "../ui/time-ticks";
import type { AddressChanges } from "../ui/url";
import { sentValues, writingOf } from "./drawn";
import classes from "./explore.module.css";
import { outlierWords } from "./heat";
import { HeatTable } from "./heat-table";
import type { ChartView } from "./chart-view";
import { placeOf } from "./places";

interface StripsProps extends ChartView {
  readonly onSort: (order: string) => void;
  readonly change: (changes: AddressChanges, how?: "push" | "replace") => void;
}

const HEIGHT = 260;
/** Outliers that are drawn; the others are named. */
const MOST_DRAWN = 5;

/** The metric's color for the band, and the others for the series apart from it. */
function colorsOf({ metric, color }: PartProps["answer"]): {
  readonly band: string;
  readonly apart: readonly string[];
} {
  const band = metricColor(metric, color);
  return { band, apart: Array.from({ length: SERIES_COLORS }, (_, i) => seriesColor(i)).filter((one) => one !== band) };
}

/** More series than lines can tell apart: how they lie together, those that stand apart by name, and a heat strip of each. */
export function Strips({ onSort, change, ...view }: StripsProps) {
  const { answer } = view;
  const writing = useMemo(() => writingOf(answer, sentValues(answer)), [answer]);
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const toggle = useCallback(
    (id: string) =>
      setChosen((before) =>
        before.includes(id) ? before.filter((one) => one !== id) : [...before, id].slice(0, MOST_NAMED),
      ),
    [],
  );
  return (
    <>
      <BandChart {...view} writing={writing} />
      <Outliers answer={answer} zone={view.zone} writing={writing} />
      {chosen.length > 0 ? (
        <div className={classes.chosen} role="region" aria-label="Chosen series">
          <p role="status">{counted(chosen.length, "device")} chosen</p>
          <Button
            size="compact-xs"
            variant="filled"
            onClick={() => {
              setChosen([]);
              change({ devices: chosen.join(",") }, "push");
            }}
          >
            Show only these
          </Button>
          <Button size="compact-xs" variant="subtle" onClick={() => setChosen([])}>
            Choose none
          </Button>
        </div>
      ) : null}
      <HeatTable {...view} {...{ writing, onSort, chosen }} onToggle={answer.by === "device" ? toggle : null} />
    </>
  );
}

type PartProps = ChartView & { readonly writing: ReturnType<typeof writingOf> };

/** The median of all series with the band that most lie in, and the outliers as lines. */
function BandChart(props: PartProps) {
  const { answer, from, to, zone, writing, isStale } = props;
  const { rows, lines } = useMemo(() => bandLines(answer), [answer]);
  const ticks = useMemo(() => timeTicks(from, to, zoneName(zone)), [from, to, zone]);
  const tick = useCallback((time: number) => formatTick(time, zone, to - from), [zone, from, to]);
  const { bucketMs, band } = answer;
  const moment = useCallback(
    (time: number) => `${formatInstant(time, zone)}, ${formatDuration(bucketMs)}`,
    [zone, bucketMs],
  );
  if (band === null) return null;
  return (
    <div style={{ height: HEIGHT, opacity: isStale ? 0.5 : 1 }}>
      <LazyTimeChart
        {...{ rows, from, to, ticks }}
        series={lines}
        unit={answer.kind === "boolean" ? "" : readable(band.unit ?? "no unit")}
        height={HEIGHT}
        marks={props.marks}
        formatTick={tick}
        formatTime={moment}
        formatValue={writing.short}
        readValue={writing.exact}
        crosshair={props.crosshair}
        onZoom={props.zoom}
        onZoomOut={props.zoomOut}
      />
    </div>
  );
}

const MEDIAN = "median";

/** The median with its band, and the outliers that are drawn; each in unbroken stretches. */
function bandLines(answer: PartProps["answer"]): {
  rows: TimeRow[];
  lines: TimeSeries[];
} {
  const { band, series, outliers, from, to, bucketMs } = answer;
  const [begin, end] = [Date.parse(from), Date.parse(to)];
  const stretchesOf = (points: Parameters<typeof toStretches>[0]["points"]) =>
    toStretches({ points, bucketMs, kind: "number" }, begin, end);
  const means = new Map(series.map((one) => [one.id, one.means ?? []]));
  const median = (band?.points ?? []).map(([time, count, min, mean, max]) => {
    return { time, count, min, mean, max, last: mean };
  });
  const { band: bandColor, apart: apartColors } = colorsOf(answer);
  const own = {
    key: MEDIAN,
    label: "Median",
    color: bandColor,
    band: bandKey(MEDIAN),
    stretches: stretchesOf(median),
  };
  const apart = outliers.slice(0, MOST_DRAWN).map(({ id }, i) => {
    const points = (means.get(id) ?? []).flatMap((mean, step) =>
      mean === null ? [] : [{ time: begin + step * bucketMs, count: 1, min: mean, mean, max: mean, last: mean }],
    );
    return { key: `series ${id}`, label: id, color: apartColors[i]!, stretches: stretchesOf(points) };
  });
  const lines = [own, ...apart].map((line) => ({ ...line, step: false, points: line.stretches.flat() }));
  return { rows: toRows(lines), lines };
}

/** Names the series that stand apart, those that are drawn in their color. */
function Outliers({ answer, zone, writing }: Pick<PartProps, "answer" | "zone" | "writing">) {
  const { outliers, band, series } = answer;
  const leftOut = band?.leftOut ?? 0;
  const unit = band?.unit ? ` ${readable(band.unit)}` : "";
  return (
    <>
      <p className={classes.bandNote}>
        <i style={{ background: colorsOf(answer).band }} aria-hidden="true" /> Median of{" "}
        {formatTotal(series.length - leftOut)}, with the band that four in five lie in.{" "}
        {leftOut > 0 ? `${counted(leftOut, "series", "series")} in other units aren’t in it. ` : ""}
        {outliers.length === 0 ? "None stands apart." : "Apart from the others:"}
      </p>
      {outliers.length > 0 ? (
        <ul className={classes.outliers} aria-label="Apart from the others">
          {outliers.map((outlier, i) => {
            const place = placeOf(answer, outlier.id);
            const name = outlier.id || "none";
            return (
              <li key={outlier.id}>
                <i style={i < MOST_DRAWN ? { background: colorsOf(answer).apart[i] } : undefined} aria-hidden="true" />
                {place === null ? <b>{name}</b> : <Link href={place}>{name}</Link>} {outlierWords(outlier)}; farthest{" "}
                {writing.exact(outlier.farthest.mean)}
                {unit}, {formatInstant(outlier.farthest.time, zone)}
              </li>
            );
          })}
        </ul>
      ) : null}
    </>
  );
}
