"use client";
import { useCallback, useRef } from "react";
import type { DeviceDetail } from "@/server/contracts/devices";
import { adviceOn } from "../queries/request";
import { Failure, Loading, StaleNotice } from "../ui/feedback";
import { formatDuration, formatMeasure, formatMoment, type Zone, zoneName } from "../ui/format";
import { Section } from "../ui/section";
import { Spoken } from "../ui/spoken";
import { useZone } from "../ui/zone";
import { useAlertsIn } from "./alert-strip";
import { chartGroups } from "./chart-groups";
import { flagsOf, FlagTable, useFlags } from "./flags";
import classes from "./history.module.css";
import { chartHeight, flagWord, HistoryCharts } from "./history-charts";
import { HistoryTable } from "./history-table";
import { HistoryTools } from "./history-tools";
import { stretchAddress } from "./ranges";
import { type Series, summarize, visiblePoints } from "../live/series";
import { type HistoryView, useHistory } from "./use-history";

interface HistoryProps {
  device: DeviceDetail;
  /** One metric at least. */
  metrics: readonly string[];
  address: URLSearchParams;
  change: (changes: Record<string, string | null>, how?: "push" | "replace") => void;
}

/** Metrics over time: what is stored, going on live at the right without a seam. */
export function History({ device, metrics, address, change }: HistoryProps) {
  const { zone } = useZone();
  const view = useHistory(device, metrics, address);
  const { series, from, to, error, isFetching, retry, isStale, choice } = view;
  const [zoom, zoomOut] = useZoom(address, change);
  const { quality } = useFlags(device.id, view);
  const alerts = useAlertsIn(device.id, view);
  const asTable = address.get("view") === "table";
  const isEmpty = series?.every((one) => visiblePoints(one, from, to).length === 0) ?? true;
  const groups = chartGroups(metrics.map((metric) => series?.find((one) => one.metric === metric) ?? unknown(metric)));
  const height = groups.length * chartHeight(groups.length);
  return (
    <Section
      title={`History of ${listed(metrics)}`}
      aside={
        <HistoryTools
          device={device}
          metrics={metrics}
          view={view}
          zone={zone}
          asTable={asTable}
          change={change}
          onZoomOut={zoomOut}
        />
      }
    >
      {error && !series ? (
        <div style={{ minHeight: height }}>
          <Failure
            what="The history could not be loaded"
            why={error.message}
            advice={adviceOn(error)}
            onRetry={retry}
            retrying={isFetching}
          />
        </div>
      ) : null}
      {error && series ? (
        <StaleNotice onRetry={retry}>This history may be out of date: {error.message}</StaleNotice>
      ) : null}
      {!series && !error ? (
        <div style={{ height }}>
          <Loading rows={1} height={height - 24} label="Loading the history" />
        </div>
      ) : null}
      {series && isEmpty ? (
        <div className={classes.nothing} style={{ height }} data-shown={isStale ? undefined : choice}>
          {isStale ? null : (
            <p>
              No reading of {listed(metrics)} between {formatMoment(from, zone)} and {formatMoment(to, zone)}.
            </p>
          )}
        </div>
      ) : null}
      {series && !isEmpty ? (
        <>
          {series.map((one) => (
            <SpokenSeries key={one.metric} series={one} from={from} to={to} zone={zone} />
          ))}
          {asTable ? (
            <>
              <HistoryTable series={series} from={from} to={to} zone={zone} />
              <FlagTable flags={flagsOf(quality, metrics)} zone={zone} />
            </>
          ) : (
            <HistoryCharts
              series={series}
              quality={quality}
              alerts={alerts}
              from={from}
              to={to}
              zone={zone}
              choice={choice}
              isStale={isStale}
              onZoom={zoom}
              onZoomOut={zoomOut}
            />
          )}
          <Caption view={view} series={series} zone={zone} asTable={asTable} />
        </>
      ) : null}
    </Section>
  );
}

const ENDS = ["range", "from", "to", "end"] as const;

/** Goes to a stretch, and back to what was shown before it. */
function useZoom(address: URLSearchParams, change: HistoryProps["change"]) {
  const before = useRef<Record<string, string | null>[]>([]);
  const shown = useCallback(() => Object.fromEntries(ENDS.map((key) => [key, address.get(key)])), [address]);
  const zoom = useCallback(
    (from: number, to: number) => {
      before.current.push(shown());
      change(stretchAddress({ from, to }), "push");
    },
    [change, shown],
  );
  const zoomOut = useCallback(() => {
    const now = JSON.stringify(shown());
    let back = before.current.pop();
    // The browser's own way back may have been taken meanwhile.
    while (back && JSON.stringify(back) === now) back = before.current.pop();
    if (back) change(back, "push");
    else if (address.has("from")) change({ from: null, to: null }, "push");
  }, [address, change, shown]);
  return [zoom, zoomOut] as const;
}

/** Describes the chart for those who don't see it. */
function SpokenSeries({ series, from, to, zone }: { series: Series; from: number; to: number; zone: Zone }) {
  const { metric, device, unit, kind } = series;
  const summary = summarize(visiblePoints(series, from, to));
  const value = (number: number) =>
    kind === "boolean" ? flagWord(number) : [formatMeasure(number), unit].filter(Boolean).join(" ");
  const when = `from ${formatMoment(from, zone)} to ${formatMoment(to, zone)}, ${zoneName(zone)}`;
  return (
    <Spoken as="p">
      {summary
        ? `${metric} of ${device} ${when}: lowest ${value(summary.min)}, highest ${value(summary.max)}, latest ${value(summary.last)}.`
        : `${metric} of ${device}: no reading ${when}.`}
    </Spoken>
  );
}

interface CaptionProps {
  view: HistoryView;
  series: readonly Series[];
  zone: Zone;
  asTable: boolean;
}

function Caption({ view, series, zone, asTable }: CaptionProps) {
  const { to, isLive, waiting, endsAtLatest, range } = view;
  const notes = [...new Set(series.map((one) => resolutionNote(one)))];
  const going =
    waiting !== null
      ? `Paused at ${formatMoment(to, zone)}; what comes in is stored and waits.`
      : isLive
        ? "Going on live."
        : endsAtLatest && range !== null
          ? `Ends at the latest reading, ${formatMoment(to - 1, zone)}.`
          : "";
  return (
    <p className={classes.caption}>
      {notes.join(" ")} Times in {zoneName(zone)}. {going}{" "}
      {asTable ? "" : "Drag over a stretch to zoom in, double-click to go back."}
    </p>
  );
}

function resolutionNote({ resolution, bucketMs, cold }: Series): string {
  const place = { none: "", read: " In part from cold storage.", away: " Cold storage can't be reached." }[cold];
  return sourceNote(resolution, bucketMs) + place;
}

function sourceNote(resolution: Series["resolution"], bucketMs: number): string {
  if (bucketMs === 0) return "Every reading.";
  const source = resolution === "raw" ? "readings" : `${resolution} rollups`;
  return `Mean with lowest to highest in each ${formatDuration(bucketMs)}, from ${source}.`;
}

function listed(names: readonly string[]): string {
  return names.length < 2 ? (names[0] ?? "") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

/** Stands in for a metric still to be loaded, so that the page keeps its size. */
function unknown(metric: string) {
  return { metric, unit: null, kind: "number" as const };
}
