"use client";
import { Menu } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { type RefObject, useEffect, useEffectEvent } from "react";
import { counted } from "@/server/domain/counted";
import { spanWords, waysWords } from "@/server/domain/kept-words";
import { readable } from "@/server/domain/readable";
import { useMayEverywhere } from "../queries/access";
import { useRemovals } from "../shell/removals";
import { Age } from "../ui/age";
import { formatTotal } from "../ui/format";
import { None, SortHead, Space } from "../ui/list-table";
import { useRowWindow } from "../ui/row-window";
import { Spoken } from "../ui/spoken";
import { type ListedMetric, nextSort, type Sort, type SortField } from "./listed";
import { shortOwner } from "./lineage-words";
import classes from "./metrics.module.css";

/** What somebody wants to do with a metric. */
export interface Wish {
  readonly kind: "declare" | "rename" | "merge" | "delete";
  readonly metric: ListedMetric;
}

/** The height of every row, in pixels: on a phone a second line says what has no column there. The style sheet has the same. */
export function useRowHeight(): number {
  return useMediaQuery("(max-width: 48em)") ? 48 : 36;
}

const COLUMNS: readonly { readonly field: SortField; readonly label: string; readonly isNumber?: boolean }[] = [
  { field: "name", label: "Metric" },
  { field: "kind", label: "Kind" },
  { field: "unit", label: "Unit" },
  { field: "owner", label: "Owner" },
  { field: "devices", label: "Devices", isNumber: true },
  { field: "lastEventTime", label: "Last value", isNumber: true },
  { field: "firstSeen", label: "First seen", isNumber: true },
];

interface TableProps {
  box: RefObject<HTMLDivElement | null>;
  rows: readonly ListedMetric[];
  sort: Sort;
  rowHeight: number;
  /** Who answers for metrics without an owner of their own. */
  dataOwner: string | null;
  /** Place of the row cursor; -1 is nowhere. */
  current: number;
  onSort: (sort: Sort) => void;
  onCurrent: (index: number) => void;
  /** Called after other rows were drawn, or the cursor moved. */
  onDrawn: () => void;
  onWish: (wish: Wish) => void;
}

/** One row a metric, of which only those on screen are drawn. */
export function MetricTable({ box, rows, sort, rowHeight, dataOwner, current, onDrawn, ...on }: TableProps) {
  const { onSort, onCurrent, onWish } = on;
  const { start, end } = useRowWindow(box, rows.length, rowHeight);
  const tellDrawn = useEffectEvent(onDrawn);
  useEffect(() => tellDrawn(), [rows, start, end, current]);
  const may = { declare: useMayEverywhere("declare"), remove: useMayEverywhere("administer") };
  const removed = useRemovals("metric").items;
  const orderOf = (field: SortField) =>
    sort.replace("-", "") !== field ? null : sort.startsWith("-") ? "descending" : "ascending";
  return (
    <table className={classes.table} aria-label="Metrics" aria-rowcount={rows.length + 1}>
      <thead>
        <tr aria-rowindex={1}>
          {COLUMNS.map(({ field, label, isNumber = false }) => (
            <SortHead
              key={field}
              label={label}
              order={orderOf(field)}
              onSort={() => onSort(nextSort(sort, field))}
              isNumber={isNumber}
              className={classes[field]}
            />
          ))}
          <th scope="col" className={classes.kept} data-number>
            Readings kept
          </th>
          <th scope="col" className={classes.actions}>
            <Spoken>Actions</Spoken>
          </th>
        </tr>
      </thead>
      <tbody>
        {start > 0 ? <Space height={start * rowHeight} /> : null}
        {rows.slice(start, end).map((metric, i) => (
          <Row
            key={metric.name}
            metric={metric}
            dataOwner={dataOwner}
            index={start + i}
            isCurrent={start + i === current}
            may={may}
            isRemoved={removed.some(({ name, into }) => name === metric.name || into === metric.name)}
            onCurrent={() => onCurrent(start + i)}
            onWish={(kind) => onWish({ kind, metric })}
          />
        ))}
        {end < rows.length ? <Space height={(rows.length - end) * rowHeight} /> : null}
      </tbody>
    </table>
  );
}

interface RowProps {
  metric: ListedMetric;
  dataOwner: string | null;
  index: number;
  isCurrent: boolean;
  may: { readonly declare: boolean; readonly remove: boolean };
  /** True while an earlier metric of this name is being removed. */
  isRemoved: boolean;
  onCurrent: () => void;
  onWish: (kind: Wish["kind"]) => void;
}

function Row({ metric, dataOwner, index, isCurrent, may, isRemoved, onCurrent, onWish }: RowProps) {
  const { name, kind, devices, lastEventTime, firstSeen } = metric;
  const kindWord = kind === "number" ? "Number" : "Boolean";
  return (
    <tr
      data-row={name}
      data-current={isCurrent || undefined}
      aria-rowindex={index + 2}
      tabIndex={-1}
      onClick={onCurrent}
      onFocus={onCurrent}
    >
      <td className={classes.name} title={name}>
        {may.declare ? (
          <button type="button" onClick={() => onWish("declare")}>
            {name}
          </button>
        ) : (
          name
        )}
        <Beside metric={metric} />
        <span className={classes.below}>
          {[
            kindWord,
            metric.unit === null ? unitsWords(metric.units) : readable(metric.unit),
            devices === null ? null : devices === 0 ? "in no device" : counted(devices, "device"),
          ]
            .filter(Boolean)
            .join(" · ")}
        </span>
      </td>
      <td className={classes.kind}>{kindWord}</td>
      <td
        className={classes.unit}
        title={metric.unit === null ? unitsWords(metric.units) || undefined : readable(metric.unit)}
      >
        <Unit metric={metric} />
      </td>
      <td className={classes.owner} title={metric.owner ?? dataOwner ?? undefined}>
        {metric.owner !== null ? (
          shortOwner(metric.owner)
        ) : dataOwner === null ? (
          <None />
        ) : (
          <small>{shortOwner(dataOwner)}</small>
        )}
      </td>
      <td className={classes.devices} data-number>
        {devices === null ? "" : devices === 0 ? <None word="none" /> : formatTotal(devices)}
      </td>
      <td className={classes.lastEventTime} data-number>
        {lastEventTime ? <Age time={lastEventTime} /> : devices === null ? "" : <None />}
      </td>
      <td className={classes.firstSeen} data-number>
        <Age time={firstSeen} />
      </td>
      <td className={classes.kept} data-number title={waysWords(metric.kept)}>
        {spanWords(metric.kept, "raw")}
      </td>
      <td className={classes.actions}>
        {may.declare || may.remove ? <Actions name={name} may={may} isRemoved={isRemoved} onWish={onWish} /> : null}
      </td>
    </tr>
  );
}

/** What else is known of a metric: names under which it is sent, too, and what people say it is. */
function Beside({ metric: { aliases, description } }: { metric: ListedMetric }) {
  if (aliases.length === 0 && description === null) return null;
  const others = aliases.length > 0 ? `also sent as ${aliases.join(", ")}` : null;
  const text = [others, description && readable(description)].filter(Boolean).join(" · ");
  return (
    <small className={classes.beside} title={text}>
      {text}
    </small>
  );
}

/** Units of devices, where there is none for all. */
const unitsWords = (units: ListedMetric["units"]) => units.map(({ unit }) => readable(unit)).join(", ");

function Unit({ metric: { unit, units, meaning, ownUnits } }: { metric: ListedMetric }) {
  const own = ownUnits > 0 ? <small> own at {counted(ownUnits, "device")}</small> : null;
  return (
    <>
      {unit !== null ? readable(unit) : ownUnits > 0 ? unitsWords(units) : <None />}
      {unit !== null && meaning === "guessed" ? <small> guessed</small> : null}
      {own}
    </>
  );
}

/** The three dots of a menu. */
const DOTS = "⋯";

function Actions({ name, may, isRemoved, onWish }: Pick<RowProps, "may" | "isRemoved" | "onWish"> & { name: string }) {
  return (
    <Menu
      position="bottom-end"
      shadow="sm"
      width={220}
      withinPortal
      transitionProps={{ duration: 0 }}
      withInitialFocusPlaceholder={false}
    >
      <Menu.Target>
        <button type="button" className={classes.menu} aria-label={`Actions on ${name}`}>
          {DOTS}
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        {may.declare ? <Menu.Item onClick={() => onWish("declare")}>Meaning and look…</Menu.Item> : null}
        {may.remove ? (
          <>
            <Menu.Item disabled={isRemoved} onClick={() => onWish("rename")}>
              Rename…
            </Menu.Item>
            <Menu.Item disabled={isRemoved} onClick={() => onWish("merge")}>
              Merge into another…
            </Menu.Item>
            <Menu.Item disabled={isRemoved} onClick={() => onWish("delete")}>
              Delete…
            </Menu.Item>
            {isRemoved ? <Menu.Label>An earlier one of this name is still being removed.</Menu.Label> : null}
          </>
        ) : null}
      </Menu.Dropdown>
    </Menu>
  );
}
