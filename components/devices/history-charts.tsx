"use client";
import { memo, useCallback, useMemo, useState } from "react";
import type { ListedAlert } from "@/server/contracts/alerts";
import type { DeviceQuality } from "@/server/contracts/quality";
import {
  formatDecimals,
  formatDuration,
  formatExact,
  formatInstant,
  formatMetric,
  formatTick,
  type Zone,
  zoneName,
} from "../ui/format";
import { LazyTimeChart } from "../ui/lazy-chart";
import type { KnownMetrics } from "../ui/meaning";
import { metricColor } from "../ui/theme";
import { thresholdLines } from "../ui/thresholds";
import type { TimeMark, TimeSeries } from "../ui/time-chart-data";
import type { Crosshair } from "../ui/time-chart-crosshair";
import { timeTicks } from "../ui/time-ticks";
import { useTurn } from "../ui/use-turn";
import { useShades } from "./alert-strip";
import { bandKey, toRows } from "../ui/chart-rows";
import { flagsOf, FlagStrip } from "../shell/flags/flags";
import classes from "./history.module.css";
import type { Stretch } from "../ui/ranges";
import { decimalsOf, type Series, toStretches } from "../live/series";
import { useExpected } from "./use-expected";

/** Heights of charts, in pixels. */
const HEIGHT = 220;
const FLAG_HEIGHT = 120;

const FLAG_RANGE = [0, 1] as const;

interface GroupChartProps extends Stretch {
  /** Series of one unit. */
  series: readonly Series[];
  /** What is flagged of them; undefined until it is known. */
  quality: DeviceQuality | undefined;
  known: KnownMetrics;
  /** Those of the device in this time. */
  alerts: readonly ListedAlert[];
  /** What happened in this time. */
  marks: readonly TimeMark[];
  zone: Zone;
  /** The moment a person chose; live values are spoken in turns, this one at once. */
  choice: string;
  isStale: boolean;
  /** Event time of the device's latest reading: until then a value holds that is sent only when it changes. */
  heldUntil: number | null;
  /** What all metrics were in the time before, where it is shown. */
  before: readonly Series[] | undefined;
  /** The metrics that are sent only when they change, parted by spaces. */
  held: string;
  /** Shared by all charts, which point at the same moment. */
  crosshair: Crosshair;
  /** This chart's place among so many, which take turns. */
  slot: number;
  slots: number;
  onZoom: (from: number, to: number) => void;
  onZoomOut: () => void;
}

/** Series of one unit over time, with what was usual of one alone, and its flags and alerts. It is drawn anew when its turn comes. */
export function GroupChart({ slot, slots, choice, ...props }: GroupChartProps) {
  const { series, from, to, heldUntil, isStale } = props;
  const shown = useTurn({ series: useSame(series), from, to, heldUntil }, slot, slots, `${choice} ${isStale}`);
  return <Drawn {...props} {...shown} />;
}

const Drawn = memo(function Drawn(props: Omit<GroupChartProps, "slot" | "slots" | "choice">) {
  const { known, series, from, to, zone, isStale, crosshair, onZoom, onZoomOut, heldUntil, held, before } = props;
  const { rows, lines } = useMemo(() => {
    const holding = held.split(" ");
    const ghosts = series.flatMap(({ metric }) => before?.find((one) => one.metric === metric) ?? []);
    const drawn = [...ghosts, ...series].map((one) => {
      const isGhost = ghosts.includes(one);
      const step = one.kind === "boolean" || holding.includes(one.metric);
      return {
        key: isGhost ? `before ${one.metric}` : keyOf(one),
        label: isGhost ? `${one.metric} before` : one.metric,
        color: metricColor(one.metric, known.get(one.metric)?.color),
        isGhost,
        step,
        stretches: toStretches(one, from, to, isGhost ? to : heldUntil, step),
      };
    });
    return {
      rows: toRows(drawn),
      lines: drawn.map(({ key, label, color, isGhost, step, stretches }): TimeSeries => ({
        key,
        label,
        color,
        step,
        ...(isGhost ? { faint: true } : step ? {} : { band: bandKey(key) }),
        points: stretches.flat(),
      })),
    };
  }, [series, known, before, from, to, heldUntil, held]);
  const ticks = useMemo(() => timeTicks(from, to, zoneName(zone)), [from, to, zone]);
  const span = to - from;
  const bucketMs = Math.max(...series.map((one) => one.bucketMs));
  const isFlag = series[0]!.kind === "boolean";
  const tick = useCallback((time: number) => formatTick(time, zone, span), [zone, span]);
  const moment = useCallback(
    // What has held since before is of a reading, and of no step.
    (start: number) =>
      `${formatInstant(start, zone)}${bucketMs > 0 && start + bucketMs > from ? `, ${formatDuration(bucketMs)}` : ""}`,
    [zone, bucketMs, from],
  );
  const decimals = useMemo(() => Math.max(...series.map((one) => decimalsOf(one))), [series]);
  const exact = useCallback(
    (number: number) => {
      if (isFlag) return flagWord(number);
      // Too small for decimals to tell.
      return Math.abs(number) < 1e-6 ? formatExact(number) : formatDecimals(number, decimals);
    },
    [isFlag, decimals],
  );
  const expected = useExpected(series[0]!, from, to, series.length === 1 && !isFlag);
  const only = series.length === 1 && !isFlag ? known.get(series[0]!.metric) : undefined;
  const limits = useMemo(() => thresholdLines(only), [only]);
  const shown = only?.decimals ?? null;
  const value = useCallback(
    (number: number) => (isFlag ? flagWord(number) : formatMetric(number, shown)),
    [isFlag, shown],
  );
  const metrics = series.map(({ metric }) => metric);
  const shades = useShades(props.alerts, metrics.join(" "));
  const flags = flagsOf(props.quality, metrics);
  const height = isFlag ? FLAG_HEIGHT : HEIGHT;
  return (
    <figure className={classes.chart}>
      {lines.length > 1 ? (
        <ul className={classes.legend}>
          {lines.map(({ key, label, color, faint }) => (
            <li key={key} data-ghost={faint}>
              <i style={{ background: color }} aria-hidden="true" />
              {label}
            </li>
          ))}
        </ul>
      ) : null}
      <div style={{ height, opacity: isStale ? 0.5 : 1 }}>
        <LazyTimeChart
          rows={rows}
          series={lines}
          from={from}
          to={to}
          ticks={ticks}
          unit={isFlag ? "" : series[0]!.unit || "no unit"}
          height={height}
          shades={shades}
          limits={limits}
          marks={props.marks}
          {...(isFlag ? { range: FLAG_RANGE } : {})}
          formatTick={tick}
          formatTime={moment}
          formatValue={value}
          readValue={exact}
          expected={expected}
          crosshair={crosshair}
          onZoom={onZoom}
          onZoomOut={onZoomOut}
        />
      </div>
      <FlagStrip flags={flags} metrics={metrics} from={from} to={to} zone={zone} />
    </figure>
  );
});

/** Names have no spaces, so none is taken for the time of a row, or for a band. */
function keyOf({ metric }: Series): string {
  return `metric ${metric}`;
}

/** The same list as long as its series are. Groups are made anew with every frame, their series only with news for them. */
function useSame(series: readonly Series[]): readonly Series[] {
  const [same, setSame] = useState(series);
  const isSame = same.length === series.length && same.every((one, i) => one === series[i]);
  if (!isSame) setSame(series);
  return isSame ? same : series;
}

/** Writes the value of a flag; between the two values it is a mean of many. */
export function flagWord(value: number): string {
  return value === 0 ? "false" : value === 1 ? "true" : `${Math.round(value * 100)} % true`;
}
