"use client";
import { Button } from "@mantine/core";
import dynamic from "next/dynamic";
import { useMemo, useState } from "react";
import type { ExploreAnswer } from "@/server/contracts/explore";
import { counted } from "@/server/domain/counted";
import { readable } from "@/server/domain/readable";
import type { Explored, WantedExplore } from "../queries/explore";
import { useEventMarks } from "../queries/use-event-marks";
import { Empty } from "../ui/feedback";
import { formatDuration, formatMoment, formatTotal, type Zone, zoneName } from "../ui/format";
import { MarkShape } from "../ui/state-mark";
import { createCrosshair } from "../ui/time-chart-crosshair";
import type { AddressChanges } from "../ui/url";
import { drawnOf, orderIn } from "./drawn";
import classes from "./explore.module.css";

const Lines = dynamic(() => import("./lines").then((lines) => lines.Lines), { ssr: false });
const Strips = dynamic(() => import("./strips").then((strips) => strips.Strips), { ssr: false });

/** What the address asks for beside the filter: nothing of the devices that are chosen. */
const NO_DEVICES = {
  ...{ devices: null, search: null, site: null, state: null, conflicts: null, label: null, where: null },
} as const;

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

/** What was asked for: as lines or strips, with what is left out of the picture and how its steps were made. */
export function Shown({ data, wanted, address, change, zone, zoom, zoomOut, isStale, isLive }: ShownProps) {
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
  // A flag that said nothing may hold what it said before.
  const isEmpty =
    answer.series.every(({ figures }) => figures.count === 0) && all.every(({ points }) => points.length === 0);
  const view = { answer, from, to, zone, marks, crosshair, zoom, zoomOut, isStale, order };
  const onSort = (next: string) => change({ sort: next === "name" ? null : next });
  return (
    <>
      <p className={classes.verdict} role="status">
        {toldOf(answer)}
      </p>
      <Notices answer={answer} change={change} />
      {isEmpty ? (
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
