"use client";
import { Button, Popover } from "@mantine/core";
import dynamic from "next/dynamic";
import { useState } from "react";
import type { MetricsAnswer } from "@/server/contracts/metrics";
import type { FleetSummary } from "@/server/contracts/fleet";
import { counted } from "@/server/domain/counted";
import { useMay } from "../queries/access";
import { devicesCsv } from "../queries/devices";
import { exploreAddress } from "../queries/explore";
import { BeingRemoved } from "../shell/removals";
import { Loading } from "../ui/feedback";
import { formatTotal } from "../ui/format";
import { Link } from "../ui/link";
import { ListBar } from "../ui/list-page";
import { type Column, type ColumnChoice, metricOf } from "./columns";
import panel from "./column-panel.module.css";
import classes from "./devices.module.css";
import type { WantedDevices } from "../queries/wanted-devices";

const ColumnPanel = dynamic(() => import("./column-panel").then((panel) => panel.ColumnPanel), {
  ssr: false,
  loading: () => (
    <div className={panel.panelComing}>
      <Loading rows={12} label="Loading the columns" />
    </div>
  ),
});

interface DevicesBarProps {
  wanted: WantedDevices;
  summary: FleetSummary | undefined;
  /** The length of the list and the fingerprint of its order; null until they are known. */
  list: { readonly count: number; readonly tag: string } | null;
  /** The reason why the list may be out of date; null when it isn't. */
  trouble: string | null;
  metrics: MetricsAnswer["items"];
  /** The metrics that the devices of the list report. */
  reported: readonly string[];
  columns: readonly Column[];
  trend: string | null;
  /** What the list is about; null where it is about no metric. */
  metric: string | null;
  isDefault: boolean;
  onChoose: (choice: ColumnChoice | null) => void;
  onReload: () => void;
  onHelp: () => void;
}

/** Says how many devices are listed and whether the list is current, and offers what can be done with it. */
export function DevicesBar(props: DevicesBarProps) {
  const {
    wanted,
    summary,
    list,
    trouble,
    metrics,
    reported,
    columns,
    trend,
    metric,
    isDefault,
    onChoose,
    onReload,
    onHelp,
  } = props;
  const mayDownload = useMay("view-messages");
  const [open, setOpen] = useState(false);
  const { sort: _, ...filter } = wanted;
  const shown = columns.flatMap(({ id }) => metricOf(id) ?? []);
  return (
    <ListBar
      className={classes.bar}
      total={list ? told(list.count, summary) : ""}
      what="These devices"
      trouble={trouble}
      offer={
        <span className={classes.offer}>
          <BeingRemoved kind="device" />
          <SortAgain list={list} summary={summary} onReload={onReload} />
        </span>
      }
      onReload={onReload}
      onHelp={onHelp}
    >
      <Popover opened={open} onChange={setOpen} position="bottom-end" withinPortal shadow="sm" trapFocus returnFocus>
        <Popover.Target>
          <Button size="compact-sm" variant="default" onClick={() => setOpen((was) => !was)}>
            Columns
          </Button>
        </Popover.Target>
        <Popover.Dropdown aria-label="Columns">
          <ColumnPanel
            metrics={metrics}
            reported={reported}
            columns={columns.map(({ id }) => id)}
            trend={trend}
            isDefault={isDefault}
            onChoose={onChoose}
          />
        </Popover.Dropdown>
      </Popover>
      <Button
        size="compact-sm"
        variant="default"
        component={Link}
        href={exploreAddress({ ...filter, metric })}
        title={`${metric ?? "A metric"} of these devices side by side, over time`}
      >
        Explore
      </Button>
      {mayDownload ? (
        <Button
          size="compact-sm"
          variant="default"
          component="a"
          href={devicesCsv(wanted, shown)}
          download
          title="Every device that matches, with the values shown"
        >
          Download CSV
        </Button>
      ) : null}
    </ListBar>
  );
}

/** Said instead of done: rows move only when asked to. */
function SortAgain({ list, summary, onReload }: Pick<DevicesBarProps, "list" | "summary" | "onReload">) {
  if (list === null || summary === undefined || summary.tag === list.tag) return null;
  const more = summary.total - list.count;
  return (
    <Button size="compact-xs" variant="subtle" onClick={onReload}>
      {more > 0 ? `${formatTotal(more)} more` : more < 0 ? `${formatTotal(-more)} fewer` : "Order changed"}: sort again
    </Button>
  );
}

function told(count: number, summary: FleetSummary | undefined): string {
  const all = summary?.all ?? count;
  if (all === count) return counted(count, "device");
  return `${formatTotal(count)} of ${formatTotal(all)} devices`;
}
