"use client";
import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import dynamic from "next/dynamic";
import { useMemo, useState } from "react";
import type { ExploreAnswer } from "@/server/contracts/explore";
import { counted } from "@/server/domain/counted";
import { readable } from "@/server/domain/readable";
import { useMay } from "../queries/access";
import { exploreCsv, type Explored, exploreQuery, readExplore, type WantedExplore } from "../queries/explore";
import { adviceOn, RequestError, saidOf } from "../queries/request";
import { useEventMarks } from "../queries/use-event-marks";
import { Page } from "../shell/page";
import { useNow } from "../ui/clock";
import { Empty, Failure, Loading, StaleNotice } from "../ui/feedback";
import { formatDuration, formatMoment, formatTotal, type Zone, zoneName } from "../ui/format";
import { rangeOf, RANGES, stretchIn } from "../ui/ranges";
import { MarkShape } from "../ui/state-mark";
import { RangeTools } from "../ui/range-tools";
import { createCrosshair } from "../ui/time-chart-crosshair";
import { type AddressChanges, useAddress } from "../ui/url";
import { useZoom } from "../ui/use-zoom";
import { useZone } from "../ui/zone";
import { SavedViews } from "../views/saved-views";
import { drawnOf, orderIn } from "./drawn";
import classes from "./explore.module.css";
import { Pick } from "./pick";
import { Previous } from "./previous";

const FirstChoice = dynamic(() => import("./first-choice").then((choice) => choice.FirstChoice), { ssr: false });
const Lines = dynamic(() => import("./lines").then((lines) => lines.Lines), { ssr: false });
const Strips = dynamic(() => import("./strips").then((strips) => strips.Strips), { ssr: false });

/** Ranges have an end here: all there is would be decades for one device whose clock was wrong. */
const OFFERED = RANGES.filter(({ ms }) => ms !== null);
const LONGEST = OFFERED.at(-1)!;

/** What the address asks for beside the filter: nothing of the devices that are chosen. */
const NO_DEVICES = {
  ...{ devices: null, search: null, site: null, state: null, conflicts: null, label: null, where: null },
} as const;

/** One metric of many devices, sites or types side by side, over any stretch of time. All of what is shown is in the address. */
export function Explore() {
  const { zone } = useZone();
  const [address, change] = useAddress();
  const text = address.toString();
  const wanted = useMemo(() => readExplore(new URLSearchParams(text)), [text]);
  const minute = useNow(60_000);
  const stretch = useMemo(() => stretchIn(address, minute, zoneName(zone)), [address, minute, zone]);
  const typed = rangeOf(address.get("range"));
  const range = typed.ms === null ? LONGEST : typed;
  const { data, error, refetch, isFetching, isPlaceholderData } = useQuery(
    exploreQuery(wanted, stretch ?? { spanMs: range.ms! }),
  );
  const [zoom, zoomOut] = useZoom(address, change);
  const mayDownload = useMay("view-messages");
  const now = minute || 1;
  const shown = stretch ?? { from: now - range.ms!, to: now };
  const isUnknown = error instanceof RequestError && error.status === 404;
  const isRefused = isUnknown || (error instanceof RequestError && error.status === 400);
  return (
    <Page title="Explore">
      <SavedViews page="explore" />
      <Pick wanted={wanted} answer={data?.answer} change={change} />
      {wanted.metric === null ? (
        <FirstChoice onChoose={(metric) => change({ metric }, "push")} />
      ) : (
        <>
          <div className={classes.tools}>
            <RangeTools
              from={data && !isPlaceholderData ? data.from : shown.from}
              to={data && !isPlaceholderData ? data.to : shown.to}
              range={stretch ? null : range}
              isLive={stretch === null || stretch.to > now}
              offered={OFFERED}
              onZoomOut={zoomOut}
              {...{ zone, address, change }}
            />
            <Previous wanted={wanted} change={change} />
            {mayDownload && data ? (
              <Button
                size="xs"
                variant="default"
                component="a"
                href={exploreCsv(wanted, data)}
                download
                title="Every step of every series shown"
              >
                Download CSV
              </Button>
            ) : null}
          </div>
          {isUnknown ? (
            <Empty
              action={
                <Button size="xs" variant="default" onClick={() => change({ metric: null }, "push")}>
                  Choose another metric
                </Button>
              }
            >
              No device has sent a metric called {readable(wanted.metric)} yet.
            </Empty>
          ) : error && (!data || isRefused) ? (
            <Failure
              what={`${wanted.metric} can’t be shown`}
              why={saidOf(error)}
              advice={isRefused ? "Narrow the devices down." : adviceOn(error)}
              {...(isRefused ? {} : { onRetry: () => void refetch(), retrying: isFetching })}
            />
          ) : null}
          {error && data && !isRefused ? (
            <StaleNotice onRetry={() => void refetch()}>This may be out of date: {error.message}</StaleNotice>
          ) : null}
          {!data && !error ? <Loading rows={7} height={48} label="Loading the series" /> : null}
          {data && !isRefused ? (
            <Shown
              {...{ data, wanted, address, change, zone, zoom, zoomOut }}
              isStale={isPlaceholderData}
              isLive={stretch === null}
            />
          ) : null}
        </>
      )}
    </Page>
  );
}

interface ShownProps {
  data: Explored;
  wanted: WantedExplore;
  address: URLSearchParams;
  change: (changes: AddressChanges, how?: "push" | "replace") => void;
  zone: Zone;
  zoom: (from: number, to: number) => void;
  zoomOut: () => void;
  /** True while it is the answer to what was asked for before. */
  isStale: boolean;
  isLive: boolean;
}

const FEW = 24;

function Shown({ data, wanted, address, change, zone, zoom, zoomOut, isStale, isLive }: ShownProps) {
  const { answer, from, to } = data;
  const [crosshair] = useState(createCrosshair);
  const all = useMemo(() => drawnOf(answer), [answer]);
  const ids = useMemo(() => (answer.by === "device" ? answer.series.map(({ id }) => id) : []), [answer]);
  const marks = useEventMarks(
    ids.length > 0 && ids.length <= FEW ? { devices: ids } : wanted.site ? { site: wanted.site } : {},
    from,
    to,
  );
  const sort = address.get("sort");
  const order = useMemo(() => orderIn(sort), [sort]);
  if (answer.series.length === 0)
    return (
      <Empty
        action={
          <Button size="xs" variant="default" onClick={() => change(NO_DEVICES, "push")}>
            Show all devices that have it
          </Button>
        }
      >
        None of these devices has {answer.metric}.
      </Empty>
    );
  const view = { answer, from, to, zone, marks, crosshair, zoom, zoomOut, isStale, order };
  const onSort = (next: string) => change({ sort: next === "name" ? null : next });
  return (
    <>
      <p className={classes.verdict} role="status">
        {toldOf(answer)}
      </p>
      <Notices answer={answer} change={change} />
      {answer.series.every(({ figures }) => figures.count === 0) ? (
        <Empty
          action={
            <Button size="xs" variant="default" onClick={() => change({ range: "30d", from: null, to: null }, "push")}>
              Show the last 30 days
            </Button>
          }
        >
          No reading of {answer.metric} between {formatMoment(from, zone)} and {formatMoment(to, zone)}.
        </Empty>
      ) : answer.shape === "strips" ? (
        <Strips {...view} onSort={onSort} change={change} />
      ) : (
        <Lines {...view} all={all} off={address.getAll("off")} onOff={(off) => change({ off })} onSort={onSort} />
      )}
      <p className={classes.caption}>
        {sourceOf(answer)} Times in {zoneName(zone)}. {isLive ? "Going on live. " : ""}Drag over a stretch to zoom in,
        double-click to go back; arrow keys read values.
      </p>
    </>
  );
}

/** "temperature of 12 devices, °C". */
function toldOf({ metric, by, series, read, units }: ExploreAnswer): string {
  const devices = counted(read, "device");
  const of = by === "device" ? devices : `${counted(series.length, by)}, ${devices} in all`;
  const unit = units.length === 1 && units[0]!.unit !== null ? `, ${readable(units[0]!.unit)}` : "";
  return `${metric} of ${of}${unit}`;
}

function sourceOf({ bucketMs, resolution, cold }: ExploreAnswer): string {
  const place = { none: "", read: " In part from cold storage.", away: " Cold storage can't be reached." }[cold];
  return `Mean in each ${formatDuration(bucketMs)}, from ${resolution === "raw" ? "readings" : `${resolution} rollups`}.${place}`;
}

/** What is left out of the picture, and what to do about it. */
function Notices({ answer, change }: { answer: ExploreAnswer; change: ShownProps["change"] }) {
  const { matched, read, missing, units, series } = answer;
  const notices: string[] = [];
  if (matched > read)
    notices.push(
      `${formatTotal(matched)} devices match; the first ${formatTotal(read)} by id are shown. Narrow them down by site or a condition to see others.`,
    );
  if (missing.length > 0)
    notices.push(
      `${missing.slice(0, 5).join(", ")}${missing.length > 5 ? ` and ${missing.length - 5} more` : ""}: never sent ${answer.metric}, or not among these devices.`,
    );
  if (units.length > 1)
    notices.push(
      `In ${counted(units.length, "unit")}, each with a chart of its own: ${units.map(({ unit, devices }) => `${readable(unit ?? "no unit")} (${counted(devices, "device")})`).join(", ")}.`,
    );
  const empty = series.filter(({ figures }) => figures.count === 0).length;
  if (empty > 0 && empty < series.length) notices.push(`${formatTotal(empty)} without a reading in this time.`);
  if (notices.length === 0) return null;
  return (
    <ul className={classes.notices}>
      {notices.map((notice) => (
        <li key={notice}>
          <MarkShape mark="unknown" /> {notice}
        </li>
      ))}
      {matched > read ? (
        <li>
          <Button size="compact-xs" variant="default" onClick={() => change({ ...NO_DEVICES, by: "site" }, "push")}>
            Show sites
          </Button>
        </li>
      ) : null}
    </ul>
  );
}
