"use client";
import { useRouter } from "next/navigation";
import { memo } from "react";
import { deviceStateOf } from "@/server/domain/device-state";
import { toSegment } from "@/server/domain/segment";
import { useClock } from "../ui/clock";
import { Spoken } from "../ui/spoken";
import { DeviceMark, MarkShape } from "../ui/state-mark";
import { cellOf, titleOf, Trend } from "./cells";
import type { Column } from "./columns";
import classes from "./devices.module.css";
import { useKeyed } from "./keyed-store";
import type { KnownMetrics } from "../ui/meaning";
import type { FleetRows } from "./visible-rows";

interface RowProps {
  id: string;
  /** Place in the order, from 0. */
  index: number;
  rows: FleetRows;
  columns: readonly Column[];
  trend: string | null;
  metrics: KnownMetrics;
  /** The age that makes a device stale. */
  staleSeconds: number;
  /** How severe the worst is that fires of it; null while nothing does. */
  firing: "warning" | "critical" | null;
  isCurrent: boolean;
  isChosen: boolean;
  onToggle: (id: string) => void;
  onPeek: (id: string) => void;
  onCurrent: (index: number) => void;
}

/** The row of one device. It is drawn again when the device changes, and its state when the passing of time has changed that. */
export const Row = memo(function Row({
  id,
  index,
  rows,
  columns,
  trend,
  metrics,
  staleSeconds,
  firing,
  isCurrent,
  isChosen,
  onToggle,
  onPeek,
  onCurrent,
}: RowProps) {
  const router = useRouter();
  const device = useKeyed(rows.devices, id);
  const lastSeen = device?.lastSeen ? Date.parse(device.lastSeen) : null;
  const goneAt = device?.goneAt ? Date.parse(device.goneAt) : null;
  const state = useClock((now) => deviceStateOf({ lastSeen, goneAt }, now, device?.staleSeconds ?? staleSeconds));
  const address = `/devices/${toSegment(id)}`;
  return (
    <tr
      data-row={id}
      data-state={(device && state) ?? undefined}
      data-current={isCurrent || undefined}
      data-chosen={isChosen || undefined}
      aria-rowindex={index + 2}
      onClick={(event) => {
        onCurrent(index);
        if ((event.target as Element).closest("button, label")) return;
        // The id is the link, for keyboards and new tabs; the rest of the row is a larger target for it.
        if ((event.ctrlKey || event.metaKey) && !(event.target as Element).closest("a")) return onToggle(id);
        if (event.ctrlKey || event.metaKey || event.shiftKey || window.getSelection()?.toString()) return;
        event.preventDefault();
        router.push(address);
      }}
    >
      <td>
        <label className={classes.choose}>
          {/* The row's own link is what Tab and the row cursor go to; x chooses there. */}
          <input
            type="checkbox"
            tabIndex={-1}
            checked={isChosen}
            aria-label={`Choose ${id}`}
            onChange={() => onToggle(id)}
          />
        </label>
        {device && state ? <DeviceMark state={state} isGone={goneAt !== null} /> : null}
      </td>
      <td className={classes.id}>
        <span className={classes.named}>
          <a href={address} title={id} onFocus={() => onCurrent(index)}>
            {id}
          </a>
          {firing === null ? null : (
            <span className={classes.firing} title={`Firing: ${firing}`}>
              <MarkShape mark={firing === "critical" ? "failing" : "warning"} />
              <Spoken>fires</Spoken>
            </span>
          )}
        </span>
        <button
          type="button"
          className={classes.peek}
          aria-label={`Show ${id} beside the list`}
          title="Show it beside the list (p)"
          // The row's own link is what Tab and the row cursor go to.
          tabIndex={-1}
          onClick={() => onPeek(id)}
        >
          ›
        </button>
      </td>
      {columns.map((column) => (
        <td
          key={column.id}
          data-column={column.id}
          data-number={column.isNumber || undefined}
          title={device && titleOf(column, device)}
        >
          {column.id === "trend" ? (
            trend !== null && <Trend trends={rows.trends} id={id} metric={trend} />
          ) : device ? (
            cellOf(column, device, metrics)
          ) : (
            <span className={classes.pending} />
          )}
        </td>
      ))}
    </tr>
  );
});
