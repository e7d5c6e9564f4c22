"use client";
import { SegmentedControl } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useCallback, useMemo } from "react";
import type { DeviceView } from "@/server/contracts/devices";
import { useLive, useRoom } from "../live/provider";
import { readingsQuery } from "../queries/readings";
import { adviceOn } from "../queries/request";
import { useNow } from "../ui/clock";
import { Failure, Loading } from "../ui/feedback";
import {
  formatDuration,
  formatInstant,
  formatMeasure,
  formatMoment,
  formatTick,
  zoneName,
  zoneOffsetMs,
} from "../ui/format";
import { LazyTimeChart } from "../ui/lazy-chart";
import { Section } from "../ui/section";
import { metricColor } from "../ui/theme";
import { timeTicks } from "../ui/time-ticks";
import type { TimeRow, TimeSeries } from "../ui/time-chart";
import { useZone } from "../ui/zone";
import classes from "./device.module.css";
import { HistoryTable } from "./history-table";
import { RANGES, rangeOf, RECENT_MS } from "./ranges";
import { applyToSeries, mustReload, summarize, toRows } from "./series";

const HEIGHT = 280;

interface HistoryProps {
  device: DeviceView;
  metric: string;
  address: URLSearchParams;
  change: (changes: Record<string, string | null>) => void;
}

/** One metric over time: what is stored, going on live at the right without a seam. */
export function History({ device, metric, address, change }: HistoryProps) {
  const live = useLive();
  const { zone } = useZone();
  const latest = device.lastEventTime ? Date.parse(device.lastEventTime) : null;
  // A recording ends long ago: showing the last hour of today would be showing nothing.
  const minute = useNow(60_000);
  const isOld = latest !== null && minute > 0 && minute - latest > RECENT_MS;
  const range = rangeOf(address.get("range") ?? (isOld ? "all" : null));
  const endsAtLatest = latest !== null && (address.get("end") ?? (isOld ? "latest" : "now")) === "latest" && isOld;
  // While a recording is being replayed its latest reading changes with every frame: follow it every few seconds.
  const step = useNow(5000);
  // eslint-disable-next-line react-hooks/exhaustive-deps -- see above
  const end = useMemo(() => (endsAtLatest && latest !== null ? latest + 1 : null), [endsAtLatest, step]);
  const asTable = address.get("view") === "table";

  const query = readingsQuery(live, { device: device.id, metric, spanMs: range.ms, end });
  const { data: series, error, refetch, isFetching, isPlaceholderData } = useQuery(query);
  useRoom(
    `device:${device.id}`,
    query.queryKey,
    end === null ? applyToSeries : ignore,
    end === null ? mustReload : undefined,
  );

  // The live edge moves by the clock, one pixel or one second at a time, whichever is slower.
  const now = useNow(Math.min(60_000, Math.max(1000, (range.ms ?? 0) / 900)));
  // A reading that has come is shown at once, also when the clock's next step is still ahead.
  const to = end ?? Math.max(now, series?.points.at(-1)?.time ?? 0);
  const from = range.ms === null ? (series?.from ?? to) : to - range.ms;
  const rows = useMemo(() => (series ? toRows(series, from, to) : []), [series, from, to]);
  const ticks = useMemo(() => timeTicks(from, to, zoneOffsetMs(to, zone)), [from, to, zone]);
  const span = to - from;
  const isBoolean = series?.kind === "boolean";
  const unit = series?.unit ?? "";
  const tick = useCallback((time: number) => formatTick(time, zone, span), [zone, span]);
  const moment = useCallback((time: number) => formatInstant(time, zone), [zone]);
  const value = useCallback((number: number) => (isBoolean ? booleanWord(number) : formatMeasure(number)), [isBoolean]);
  const lines = useMemo<TimeSeries[]>(
    () => [
      {
        key: "mean",
        label: metric,
        color: metricColor(metric),
        step: isBoolean,
        ...(isBoolean ? {} : { band: "band" }),
      },
    ],
    [metric, isBoolean],
  );

  const summary = series ? summarize(rows) : null;
  return (
    <Section
      title={`History of ${metric}`}
      aside={
        <div className={classes.tools}>
          {isOld ? (
            <SegmentedControl
              size="xs"
              aria-label="End of the range"
              value={endsAtLatest ? "latest" : "now"}
              onChange={(next) => change({ end: next })}
              data={[
                { value: "latest", label: "Latest reading" },
                { value: "now", label: "Now" },
              ]}
            />
          ) : null}
          <SegmentedControl
            size="xs"
            aria-label="Range"
            value={range.key}
            onChange={(next) => change({ range: next })}
            data={RANGES.map(({ key, label }) => ({ value: key, label }))}
          />
          <SegmentedControl
            size="xs"
            aria-label="View"
            value={asTable ? "table" : "chart"}
            onChange={(next) => change({ view: next === "table" ? "table" : null })}
            data={[
              { value: "chart", label: "Chart" },
              { value: "table", label: "Table" },
            ]}
          />
        </div>
      }
    >
      {error && !series ? (
        <Failure
          what="The history could not be loaded"
          why={error.message}
          advice={adviceOn(error)}
          onRetry={() => void refetch()}
          retrying={isFetching}
        />
      ) : null}
      {!series && !error ? (
        <div style={{ height: HEIGHT }}>
          <Loading rows={1} height={HEIGHT - 24} label="Loading the history" />
        </div>
      ) : null}
      {series && summary === null ? (
        <div className={classes.nothing} style={{ height: HEIGHT }}>
          No reading of {metric} between {formatMoment(from, zone)} and {formatMoment(to, zone)}.
        </div>
      ) : null}
      {series && summary !== null ? (
        <>
          <p className={classes.spoken}>
            {metric} of {device.id} from {formatMoment(from, zone)} to {formatMoment(to, zone)}, {zoneName(zone)}:
            lowest {value(summary.min)} {unit}, highest {value(summary.max)} {unit}, latest {value(summary.last)} {unit}
            .
          </p>
          {asTable ? (
            <HistoryTable rows={rows} unit={unit} zone={zone} isBoolean={isBoolean} isRaw={series.bucketMs === 0} />
          ) : (
            <div style={{ height: HEIGHT, opacity: isPlaceholderData ? 0.5 : 1 }}>
              <LazyTimeChart
                rows={rows as unknown as TimeRow[]}
                series={lines}
                from={from}
                to={to}
                ticks={ticks}
                unit={isBoolean ? "" : unit || "no unit"}
                height={HEIGHT}
                {...(isBoolean ? { range: [0, 1] as const } : {})}
                formatTick={tick}
                formatTime={moment}
                formatValue={value}
              />
            </div>
          )}
          <p className={classes.caption}>
            {resolutionNote(series.resolution, series.bucketMs)} Times in {zoneName(zone)}.{" "}
            {end === null ? "Going on live." : `Ends at the latest reading, ${formatMoment(end - 1, zone)}.`}
          </p>
        </>
      ) : null}
    </Section>
  );
}

function ignore<T>(state: T): T {
  return state;
}

function booleanWord(value: number): string {
  return value === 0 ? "false" : value === 1 ? "true" : formatMeasure(value);
}

function resolutionNote(resolution: "raw" | "minute" | "hour", bucketMs: number): string {
  if (bucketMs === 0) return "Every reading.";
  const source = resolution === "raw" ? "readings" : `${resolution} rollups`;
  return `Mean with lowest to highest in each ${formatDuration(bucketMs).replace(/\.0+(?= )/, "")}, from ${source}.`;
}
