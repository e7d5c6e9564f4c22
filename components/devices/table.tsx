"use client";
import { type RefObject, useEffect, useEffectEvent, useMemo } from "react";
import type { DeviceSort } from "@/server/contracts/fleet";
import { counted } from "@/server/domain/counted";
import { MOST_CHANGED } from "@/server/domain/device-lists";
import { formatTotal } from "../ui/format";
import { Space, SortHead } from "../ui/list-table";
import { type Column, nextSort, type SortField } from "./columns";
import classes from "./devices.module.css";
import type { KnownMetrics } from "../ui/meaning";
import { Row } from "./row";
import { useRowHeight } from "./row-height";
import { useFiringDevices } from "./use-firing-devices";
import { useIsPrinting } from "../ui/printing";
import { useRowWindow, useThrottled } from "../ui/row-window";
import { type FleetRows, useVisibleRows } from "./visible-rows";

/** As for a mouse on a wide screen: for fingers and on a phone the style sheet has others. */
const [STATE_WIDTH, ID_WIDTH] = [104, 160];
/** Rows are loaded at most this often while scrolling, in milliseconds. */
const LOAD_EVERY_MS = 120;

interface TableProps {
  box: RefObject<HTMLDivElement | null>;
  ids: readonly string[];
  rows: FleetRows;
  columns: readonly Column[];
  trend: string | null;
  metrics: KnownMetrics;
  sort: DeviceSort;
  /** The age that makes a device stale. */
  staleSeconds: number;
  /** Place of the row cursor; -1 is nowhere. */
  current: number;
  /** The chosen devices. */
  chosen: ReadonlySet<string>;
  onToggle: (id: string) => void;
  /** Chooses all that are listed, as many as can be changed at once; or none, where all are. */
  onToggleAll: () => void;
  /** Shows a device beside the list. */
  onPeek: (id: string) => void;
  /** True while another order is on its way. */
  dimmed: boolean;
  onSort: (sort: DeviceSort) => void;
  onCurrent: (index: number) => void;
  /** Called after other rows were drawn, or the cursor moved. */
  onDrawn: () => void;
}

/** One row a device, of which only those on screen are drawn. Columns have fixed widths, so that changing values move nothing. */
export function DeviceTable(props: TableProps) {
  const { box, ids, rows, columns, trend, metrics, sort, staleSeconds, current, dimmed, onSort, onCurrent, onDrawn } =
    props;
  const { chosen, onToggle, onToggleAll, onPeek } = props;
  const rowHeight = useRowHeight();
  const isPrinting = useIsPrinting();
  const unknown = isPrinting ? ids.findIndex((id) => rows.devices.get(id) === undefined) : -1;
  const known = unknown === -1 ? ids.length : unknown;
  const { start, end, width: boxWidth } = useRowWindow(box, ids.length, rowHeight, known);
  const drawn = useMemo(() => ids.slice(start, end), [ids, start, end]);
  const tellDrawn = useEffectEvent(onDrawn);
  useEffect(() => tellDrawn(), [drawn, current]);
  const hasTrend = columns.some(({ id }) => id === "trend");
  const shown = useThrottled(drawn, LOAD_EVERY_MS);
  useVisibleRows(rows, shown, hasTrend ? trend : null);
  const firing = useFiringDevices(shown);

  const headOf = (field: SortField) => ({
    order: orderBy(field, sort),
    onSort: () => onSort(nextSort(sort, field)),
  });
  const others = columns.reduce((sum, column) => sum + column.width, 0);
  return (
    <table
      className={classes.table}
      style={{ minWidth: `calc(${others}px + var(--state-width) + var(--id-width))` }}
      aria-label="Devices"
      aria-rowcount={ids.length + 1}
      data-dimmed={dimmed || undefined}
      data-wide={STATE_WIDTH + others + ID_WIDTH > boxWidth || undefined}
      data-choosing={chosen.size > 0 || undefined}
    >
      {isPrinting && end < ids.length ? (
        <caption>
          The first {formatTotal(end)} of {formatTotal(ids.length)} devices. Rows further down are on paper once they
          were scrolled to; the CSV has all.
        </caption>
      ) : null}
      <colgroup>
        <col style={{ width: "var(--state-width)" }} />
        <col />
        {columns.map(({ id, width: columnWidth }) => (
          <col key={id} style={{ width: columnWidth }} />
        ))}
      </colgroup>
      <thead>
        <tr aria-rowindex={1}>
          <SortHead label="State" {...headOf("state")} before={<ChooseAll {...{ ids, chosen, onToggleAll }} />} />
          <SortHead label="Device" {...headOf("id")} className={classes.id} />
          {columns.map((column) =>
            column.sort ? (
              <SortHead key={column.id} label={column.label} {...headOf(column.sort)} isNumber={column.isNumber} />
            ) : (
              <th
                key={column.id}
                scope="col"
                data-number={column.isNumber || undefined}
                title={headTitle(column, trend)}
              >
                {column.label}
                {column.id === "trend" && trend ? <small>{trend}, 1 h</small> : null}
              </th>
            ),
          )}
        </tr>
      </thead>
      <tbody>
        {start > 0 ? <Space height={start * rowHeight} /> : null}
        {drawn.map((id, i) => (
          <Row
            key={id}
            id={id}
            index={start + i}
            rows={rows}
            columns={columns}
            trend={trend}
            metrics={metrics}
            staleSeconds={staleSeconds}
            firing={firing.get(id) ?? null}
            isCurrent={start + i === current}
            isChosen={chosen.has(id)}
            onToggle={onToggle}
            onPeek={onPeek}
            onCurrent={onCurrent}
          />
        ))}
        {end < ids.length ? <Space height={(ids.length - end) * rowHeight} /> : null}
      </tbody>
    </table>
  );
}

/** Chooses all devices of the list, or none. */
function ChooseAll({ ids, chosen, onToggleAll }: Pick<TableProps, "ids" | "chosen" | "onToggleAll">) {
  const many = Math.min(ids.length, MOST_CHANGED);
  const isAll = many > 0 && chosen.size >= many;
  const words = many < ids.length ? `Choose the first ${many} devices` : `Choose all ${counted(many, "device")} listed`;
  return (
    <label className={classes.choose} title={isAll ? "Choose none" : words}>
      <input
        type="checkbox"
        checked={isAll}
        aria-label={words}
        ref={(input) => {
          if (input) input.indeterminate = chosen.size > 0 && !isAll;
        }}
        onChange={onToggleAll}
      />
    </label>
  );
}

function headTitle({ id, label }: Column, trend: string | null): string {
  return id === "trend" && trend ? `${trend}, the last hour by minute` : label;
}

/** Returns the list's order in one column; null while another column decides it. */
function orderBy(field: SortField, sort: DeviceSort): "ascending" | "descending" | null {
  if ((sort.startsWith("-") ? sort.slice(1) : sort) !== field) return null;
  return sort.startsWith("-") ? "descending" : "ascending";
}
