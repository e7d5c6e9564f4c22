"use client";
import { Button } from "@mantine/core";
import dynamic from "next/dynamic";
import { memo, type ReactNode, useState } from "react";
import type { DeviceDetail } from "@/server/contracts/devices";
import { adviceOn } from "../queries/request";
import { Failure, StaleNotice } from "../ui/feedback";
import { formatDuration, formatMeasure, formatMoment, type Zone, zoneName } from "../ui/format";
import { Section } from "../ui/section";
import { Spoken } from "../ui/spoken";
import { useTurn } from "../ui/use-turn";
import { useZone } from "../ui/zone";
import { useZoom } from "../ui/use-zoom";
import { AlertStrip, useAlertsIn } from "./alert-strip";
import { chartGroups } from "./chart-groups";
import { flagsOf, FlagTable, useFlags } from "../shell/flags/flags";
import classes from "./history.module.css";
import { flagWord, GroupChart } from "./history-charts";
import { HistoryTools } from "./history-tools";
import { type Stretch, stretchAddress } from "../ui/ranges";
import { NO_METRIC } from "./shown-metrics";
import { Strips } from "./strips";
import { TextHistory } from "./text-history";
import { createCrosshair } from "../ui/time-chart-crosshair";
import type { KnownMetrics } from "../ui/meaning";
import type { AddressChanges } from "../ui/url";
import { changeOnly, heldBefore, heldFrom, type Series, summarize, toStretches, visiblePoints } from "../live/series";
import { useEventMarks } from "../queries/use-event-marks";
import { type HistoryView, useHistory } from "./use-history";

const HistoryTable = dynamic(() => import("./history-table").then((table) => table.HistoryTable), { ssr: false });

interface HistoryProps {
  device: DeviceDetail;
  known: KnownMetrics;
  /** Metrics whose charts are open. */
  metrics: readonly string[];
  /** Fields of words whose history is open. */
  texts: readonly string[];
  address: URLSearchParams;
  change: (changes: AddressChanges, how?: "push" | "replace") => void;
  /** What else can be done with the values. */
  aside: ReactNode;
}

/** All values of a device: now, and over time as strips and charts, going on live at the right without a seam. */
export function History({ device, known, metrics, texts, address, change, aside }: HistoryProps) {
  const { zone } = useZone();
  const [crosshair] = useState(createCrosshair);
  const view = useHistory(device, metrics, address);
  const { from, to, error, isFetching, retry, isStale, choice, latest } = view;
  const series = view.series?.map((one) => heldBefore(one, device.values[one.metric], from));
  const [zoom, zoomOut] = useZoom(address, change);
  const { quality } = useFlags(device.id, view);
  const alerts = useAlertsIn(device.id, view);
  const marks = useEventMarks({ devices: [device.id] }, view.from, view.to);
  const asTable = address.get("view") === "table";
  const hasTexts = Object.values(device.values).some(({ value }) => typeof value === "string");
  const holding = changeOnly(view.strips);
  const held = holding.join(" ");
  const holds = ({ kind, metric }: Series) => kind === "boolean" || holding.includes(metric);
  const isEmpty = !series?.some((one) =>
    asTable ? visiblePoints(one, from, to).length > 0 : toStretches(one, from, to, latest, holds(one)).length > 0,
  );
  const groups = chartGroups(series ?? [], (metric) => known.get(metric)?.color);
  const show = (names: readonly string[]) => change({ metric: names.length > 0 ? names.join(",") : NO_METRIC });
  const open = [...metrics, ...texts];
  const beneath = (name: string) => {
    const text = texts.includes(name) ? view.texts?.find(({ field }) => field === name) : undefined;
    if (text)
      return <TextHistory device={device.id} heldUntil={latest} {...{ text, from, to, zone, choice, crosshair }} />;
    const slot = asTable ? -1 : groups.findIndex(([first]) => first?.metric === name);
    if (slot < 0) return null;
    return (
      <GroupChart
        series={groups[slot]!}
        known={known}
        slots={groups.length}
        heldUntil={latest}
        held={held}
        before={view.before}
        onZoom={zoom}
        onZoomOut={zoomOut}
        {...{ quality, alerts, marks, from, to, zone, choice, isStale, crosshair, slot }}
      />
    );
  };
  return (
    <Section title="Current values" aside={aside}>
      <HistoryTools {...{ device, hasTexts, metrics, view, zone, asTable, address, change }} onZoomOut={zoomOut} />
      {error && !series ? (
        <Failure
          what="The history could not be loaded"
          why={error.message}
          advice={adviceOn(error)}
          onRetry={retry}
          retrying={isFetching}
        />
      ) : null}
      {error && series ? (
        <StaleNotice onRetry={retry}>This history may be out of date: {error.message}</StaleNotice>
      ) : null}
      {series && isEmpty && metrics.length > 0 && !isStale ? (
        <Nothing {...{ device, metrics, from, to, zone }} onGo={(stretch) => change(stretchAddress(stretch), "push")} />
      ) : null}
      <SpokenView view={view} zone={zone} />
      <Strips
        {...{ device, known, view, beneath }}
        open={open}
        onOpen={(name) => show(open.length === 1 && open[0] === name ? [] : [name])}
        onToggle={(name) => show(open.includes(name) ? open.filter((other) => other !== name) : [...open, name])}
      />
      <AlertStrip alerts={alerts} from={from} to={to} zone={zone} />
      {series && asTable && !isEmpty ? (
        <>
          <HistoryTable series={series} from={from} to={to} zone={zone} />
          <FlagTable flags={flagsOf(quality, metrics)} zone={zone} />
        </>
      ) : null}
      {series && metrics.length > 0 ? <Caption {...{ view, series, zone, asTable }} /> : null}
    </Section>
  );
}

/** Says that there is nothing, and offers the way to where there is something. */
function Nothing({ device, metrics, from, to, zone, onGo }: NothingProps) {
  const times = metrics.flatMap((name) => (device.values[name] ? [Date.parse(device.values[name].time)] : []));
  const last = times.length > 0 ? Math.max(...times) : null;
  const span = Math.min(to - from, 86_400_000);
  return (
    <p className={classes.nothing}>
      No reading of {listed(metrics)} between {formatMoment(from, zone)} and {formatMoment(to, zone)}.{" "}
      {last === null || (last >= from && last < to) ? null : (
        <Button
          size="compact-xs"
          variant="default"
          onClick={() => onGo({ from: Math.max(0, last - span * 0.75), to: last + span * 0.25 })}
        >
          Last reading {formatMoment(last, zone)}: go there
        </Button>
      )}
    </p>
  );
}

interface NothingProps extends Stretch {
  device: DeviceDetail;
  metrics: readonly string[];
  zone: Zone;
  onGo: (stretch: Stretch) => void;
}

/** What is said of the charts is made anew every so many turns of their clock, which is every five seconds. */
const SPOKEN_TURNS = 20;

/** Describes the charts for those who don't see them. */
function SpokenView({ view, zone }: { view: HistoryView; zone: Zone }) {
  const said = useTurn(view, 0, SPOKEN_TURNS, `${view.choice} ${view.isStale} ${view.series === undefined}`);
  return <SpokenAll series={said.series} from={said.from} to={said.to} zone={zone} />;
}

const SpokenAll = memo(function SpokenAll({
  series,
  from,
  to,
  zone,
}: Pick<HistoryView, "series" | "from" | "to"> & { zone: Zone }) {
  return series?.map((one) => <SpokenSeries key={one.metric} series={one} from={from} to={to} zone={zone} />);
});

function SpokenSeries({ series, from, to, zone }: { series: Series; from: number; to: number; zone: Zone }) {
  const { metric, device, unit, kind } = series;
  const summary = summarize(visiblePoints(series, from, to));
  const held = kind === "boolean" ? heldFrom(series, from) : null;
  const value = (number: number) =>
    kind === "boolean" ? flagWord(number) : [formatMeasure(number), unit].filter(Boolean).join(" ");
  const when = `from ${formatMoment(from, zone)} to ${formatMoment(to, zone)}, ${zoneName(zone)}`;
  return (
    <Spoken as="p">
      {summary
        ? `${metric} of ${device} ${when}: lowest ${value(summary.min)}, highest ${value(summary.max)}, latest ${value(summary.last)}.`
        : `${metric} of ${device}: no reading ${when}${held ? `; ${value(held.value)} since ${formatMoment(held.time, zone)}` : ""}.`}
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
      {asTable ? "" : "Drag over a stretch to zoom in, double-click to go back; arrow keys read values."}
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
