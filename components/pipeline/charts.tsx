"use client";
import { useCallback, useMemo, useState } from "react";
import type { StagesAnswer } from "@/server/contracts/stages";
import { formatDuration, formatInstant, formatRate, formatTick, zoneName } from "../ui/format";
import { LazyTimeChart } from "../ui/lazy-chart";
import { Legend } from "../ui/legend";
import { Section } from "../ui/section";
import { createCrosshair, type Crosshair } from "../ui/time-chart-crosshair";
import { timeTicks } from "../ui/time-ticks";
import { useTurn } from "../ui/use-turn";
import { Spoken } from "../ui/spoken";
import { useZone } from "../ui/zone";
import { type ChartData, chartsOf } from "./charts-data";
import { logPlot } from "./log-plot";
import classes from "./pipeline.module.css";

const HEIGHT = 200;

/** Shows what the pipeline did over the range, as four charts that share a cursor, or as tables. */
export function Charts({ stages, asTable }: { stages: StagesAnswer; asTable: boolean }) {
  const [crosshair] = useState(createCrosshair);
  const charts = useMemo(() => chartsOf(stages), [stages]);
  return (
    <div className={classes.charts}>
      {charts.map((chart, slot) => (
        <Section key={chart.key} title={chart.title}>
          <div className={classes.legend}>
            <Legend lines={chart.series} />
          </div>
          <Spoken as="p">{spoken(chart)}</Spoken>
          {chart.series.length === 0 ? (
            <p className={classes.nothing} style={{ height: HEIGHT }}>
              Nothing was refused.
            </p>
          ) : asTable ? (
            <ChartTable chart={chart} />
          ) : (
            <Chart {...{ chart, stages, crosshair, slot }} slots={charts.length} />
          )}
        </Section>
      ))}
    </div>
  );
}

interface ChartProps {
  chart: ChartData;
  stages: StagesAnswer;
  crosshair: Crosshair;
  slot: number;
  slots: number;
}

function Chart({ chart, stages, crosshair, slot, slots }: ChartProps) {
  const { zone } = useZone();
  const latest = useMemo(() => ({ chart, from: stages.from, to: stages.to }), [chart, stages]);
  const shown = useTurn(latest, slot, slots, String(stages.bucketMs));
  const { from, to } = shown;
  const plot = useMemo(() => plotOf(shown.chart), [shown.chart]);
  const span = to - from;
  const ticks = useMemo(() => timeTicks(from, to, zoneName(zone)), [from, to, zone]);
  const tick = useCallback((time: number) => formatTick(time, zone, span), [zone, span]);
  const moment = useCallback((time: number) => formatInstant(time, zone), [zone]);
  return (
    <div style={{ height: HEIGHT }}>
      <LazyTimeChart
        rows={plot.rows}
        series={shown.chart.series}
        from={from}
        to={to}
        ticks={ticks}
        unit={shown.chart.unit}
        height={HEIGHT}
        fromZero
        {...(plot.scale ? { scale: plot.scale } : {})}
        formatTick={tick}
        formatTime={moment}
        formatValue={plot.write}
        crosshair={crosshair}
      />
    </div>
  );
}

/** Lengths of time differ by thousands: their axis goes by tenfold steps. */
function plotOf({ isDuration, series, rows }: ChartData) {
  if (!isDuration) return { rows, scale: null, write: formatRate };
  const keys = series.map(({ key }) => key);
  return { ...logPlot(rows, keys), write: (exponent: number) => formatDuration(10 ** exponent) };
}

/** The same rows, newest first. */
function ChartTable({ chart }: { chart: ChartData }) {
  const { zone } = useZone();
  const write = chart.isDuration ? formatDuration : formatRate;
  return (
    <div
      className={classes.tableBox}
      style={{ maxHeight: HEIGHT }}
      role="region"
      aria-label={`${chart.title} as a table`}
      tabIndex={0}
    >
      <table className={classes.table}>
        <thead>
          <tr>
            <th scope="col">Time</th>
            {chart.series.map(({ key, label }) => (
              <th key={key} scope="col">
                {label} <small>{chart.isDuration ? "p99" : chart.unit}</small>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {chart.rows.toReversed().map((row) => (
            <tr key={row.time}>
              <th scope="row">{formatInstant(row.time, zone)}</th>
              {chart.series.map(({ key }) => (
                <td key={key}>{typeof row[key] === "number" ? write(row[key]) : ""}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Describes a chart for those who don't see it. */
function spoken({ title, series, rows, unit, isDuration }: ChartData): string {
  const write = isDuration ? formatDuration : (value: number) => `${formatRate(value)} ${unit}`;
  const parts = series.map(({ key, label }) => {
    const values = rows.flatMap((row) => (typeof row[key] === "number" ? [row[key]] : []));
    if (values.length === 0) return `${label}: nothing measured`;
    return `${label}: highest ${write(Math.max(...values))}, latest ${write(values.at(-1)!)}`;
  });
  return `${title}. ${parts.join("; ")}.`;
}
