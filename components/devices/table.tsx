"use client";
import { useRouter } from "next/navigation";
import Link from "next/link";
import { memo } from "react";
import type { DevicesQuery, DeviceView } from "@/server/contracts/devices";
import { Age } from "../ui/age";
import { formatCount } from "../ui/format";
import { Quantity } from "../ui/quantity";
import { DeviceMark } from "../ui/state-mark";
import classes from "./devices.module.css";
import { inMetricOrder } from "./metric-order";

type Sort = DevicesQuery["sort"];

interface TableProps {
  items: readonly DeviceView[];
  units: ReadonlyMap<string, string | null>;
  sort: Sort;
  /** True while another page is on its way. */
  dimmed: boolean;
  onSort: (sort: Sort) => void;
}

/** One row a device. Columns have fixed widths, so that changing values move nothing. */
export function DeviceTable({ items, units, sort, dimmed, onSort }: TableProps) {
  return (
    <div className={classes.scroll}>
      <table className={classes.table} aria-label="Devices" data-dimmed={dimmed || undefined}>
        <thead>
          <tr>
            <th scope="col" className={classes.state}>
              State
            </th>
            <SortHead field="id" label="Device" sort={sort} onSort={onSort} className={classes.id} />
            <th scope="col" className={classes.site}>
              Site
            </th>
            <th scope="col" className={classes.type}>
              Type
            </th>
            <th scope="col" className={classes.values}>
              Values
            </th>
            <SortHead
              field="lastSeen"
              label="Last seen"
              sort={sort}
              onSort={onSort}
              className={classes.seen}
              descendingFirst
            />
            <SortHead
              field="messages"
              label="Messages"
              sort={sort}
              onSort={onSort}
              className={classes.messages}
              descendingFirst
            />
          </tr>
        </thead>
        <tbody>
          {items.map((device) => (
            <Row key={device.id} device={device} units={units} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface SortHeadProps {
  field: "id" | "lastSeen" | "messages";
  label: string;
  sort: Sort;
  onSort: (sort: Sort) => void;
  className: string | undefined;
  descendingFirst?: boolean;
}

function SortHead({ field, label, sort, onSort, className, descendingFirst = false }: SortHeadProps) {
  const isSorted = sort === field || sort === `-${field}`;
  const isDescending = sort === `-${field}`;
  const next: Sort = isSorted ? (isDescending ? field : `-${field}`) : descendingFirst ? `-${field}` : field;
  return (
    <th scope="col" className={className} aria-sort={isSorted ? (isDescending ? "descending" : "ascending") : "none"}>
      <button type="button" onClick={() => onSort(next)} data-sorted={isSorted || undefined}>
        {label}
        <span aria-hidden="true">{isSorted ? (isDescending ? "↓" : "↑") : ""}</span>
      </button>
    </th>
  );
}

const Row = memo(function Row({ device, units }: { device: DeviceView; units: ReadonlyMap<string, string | null> }) {
  const router = useRouter();
  const { id, state, site, type, lastSeen, messages, values } = device;
  const address = `/devices/${encodeURIComponent(id)}`;
  return (
    <tr
      data-device={id}
      onClick={(event) => {
        // The id is the link, for keyboards and new tabs; the rest of the row is a larger target for it.
        if (!(event.target as Element).closest("a") && !window.getSelection()?.toString()) router.push(address);
      }}
    >
      <td className={classes.state}>
        <DeviceMark state={state} />
      </td>
      <td className={classes.id}>
        <Link href={address} prefetch={false} title={id}>
          {id}
        </Link>
      </td>
      <td className={classes.site} title={site ?? undefined}>
        {site ?? <span className={classes.none}>–</span>}
      </td>
      <td className={classes.type} title={type ?? undefined}>
        {type ?? <span className={classes.none}>–</span>}
      </td>
      <td className={classes.values}>
        <Values values={values} units={units} />
      </td>
      <td className={classes.seen}>
        {lastSeen ? <Age time={lastSeen} /> : <span className={classes.none}>never</span>}
      </td>
      <td className={classes.messages}>
        <Quantity value={messages} format={formatCount} />
      </td>
    </tr>
  );
});

const SHOWN = 3;

/** The first numbers of a device, in equal columns. */
function Values({ values, units }: { values: DeviceView["values"]; units: ReadonlyMap<string, string | null> }) {
  const numbers = Object.keys(values).filter((name) => typeof values[name]?.value === "number");
  const names = inMetricOrder(numbers).slice(0, SHOWN);
  if (names.length === 0) return <span className={classes.none}>none yet</span>;
  return (
    <div className={classes.valueGrid}>
      {names.map((name) => (
        <span key={name} title={name}>
          <small>{name}</small>
          <Quantity value={values[name]?.value} unit={units.get(name)} />
        </span>
      ))}
    </div>
  );
}
