"use client";
import { Button } from "@mantine/core";
import { useSyncExternalStore } from "react";
import { counted } from "@/server/domain/counted";
import { readable } from "@/server/domain/readable";
import { formatDuration, formatInstant } from "../ui/format";
import { Link } from "../ui/link";
import { None, SortHead } from "../ui/list-table";
import type { Crosshair } from "../ui/time-chart-crosshair";
import type { PlotPoint } from "../ui/time-chart-plot";
import { atCursor, COLUMNS, type Drawn, nextOrder, type Order, type SortBy, sorted, type Writing } from "./drawn";
import classes from "./explore.module.css";
import type { ChartView } from "./chart-view";
import { placeOf } from "./places";

interface LegendTableProps extends ChartView {
  readonly all: readonly Drawn[];
  /** Those that are drawn, in the colors they have. */
  readonly shown: readonly Drawn[];
  readonly off: readonly string[];
  readonly onOff: (off: readonly string[]) => void;
  readonly onSort: (order: string) => void;
  readonly writing: Writing;
}

/** How far a value may be from the moment pointed at, as a share of the range. */
const REACH = 0.02;

/** Every series with its figures and its value at the moment pointed at. Pressing a name draws it or not; "Only" draws it alone. */
export function LegendTable(props: LegendTableProps) {
  const { answer, all, shown, off, onOff, onSort, order, from, to, zone, crosshair, writing } = props;
  const at = usePointed(crosshair);
  const reach = Math.max(answer.bucketMs, (to - from) * REACH);
  const pointed = (points: Drawn["points"]) => atCursor(points, at, reach);
  // The step that is read, which begins before the moment pointed at.
  const read = at === null ? null : (nearestStart(shown, pointed, at) ?? at);
  const rows = sorted(all, order, (one) => pointed(one.points)?.value ?? null);
  const colors = new Map(shown.map(({ id, color }) => [id, color]));
  const hasBefore = answer.previous !== null;
  const manyUnits = answer.units.length > 1;
  return (
    <div>
      <div className={classes.legendHead}>
        <p data-read-out>
          {read === null
            ? "Point at the chart, tap it, or read it with the arrow keys."
            : `${formatInstant(read, zone)}, ${formatDuration(answer.bucketMs)}`}
        </p>
        {off.length > 0 ? (
          <Button size="compact-xs" variant="default" onClick={() => onOff([])}>
            Draw all {counted(all.length, "series", "series")}
          </Button>
        ) : null}
      </div>
      <div className={classes.tableBox} tabIndex={0} role="region" aria-label="Figures of each series">
        <table className={classes.table}>
          <thead>
            <tr>
              <Heads order={order} onSort={onSort} name={NAMES[answer.by]} />
              {hasBefore ? (
                <th scope="col" data-number>
                  Before
                </th>
              ) : null}
              <th>
                <span className={classes.hidden}>Only this one</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map((one) => {
              const { id, label, unit, figures, points, before } = one;
              const color = colors.get(id);
              const place = placeOf(answer, id);
              const cursor = pointed(points);
              const earlier = before === null ? null : pointed(before.points);
              return (
                <tr key={id} data-series={id} data-off={color === undefined || undefined}>
                  <th scope="row">
                    <button
                      type="button"
                      aria-pressed={color !== undefined}
                      title={color === undefined ? `Draw ${label}` : `Don’t draw ${label}`}
                      onClick={() => onOff(off.includes(id) ? off.filter((other) => other !== id) : [...off, id])}
                    >
                      <i style={color === undefined ? undefined : { background: color }} />
                      {label}
                    </button>
                    {manyUnits ? <small>{readable(unit ?? "no unit")}</small> : null}
                  </th>
                  {COLUMNS.map((column) => (
                    <td key={column} data-number data-column={column}>
                      <Value value={figures[column]} writing={writing} />
                    </td>
                  ))}
                  <td data-number data-column="cursor">
                    <Value value={cursor?.value ?? null} writing={writing} />
                  </td>
                  {hasBefore ? (
                    <td data-number data-column="before">
                      <Value value={earlier?.value ?? null} writing={writing} />
                    </td>
                  ) : null}
                  <td className={classes.acts}>
                    <button
                      type="button"
                      aria-label={`Draw only ${label}`}
                      onClick={() => onOff(all.filter((other) => other.id !== id).map((other) => other.id))}
                    >
                      Only
                    </button>
                    {place === null ? null : (
                      <Link href={place} aria-label={`Open ${label}`}>
                        Open
                      </Link>
                    )}
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </div>
  );
}

/** The start of the step nearest to a moment, of any series. */
function nearestStart(
  series: readonly Drawn[],
  pointed: (points: Drawn["points"]) => PlotPoint | null,
  at: number,
): number | null {
  const found = series.flatMap(({ points }) => pointed(points) ?? []);
  return found.sort((a, b) => Math.abs(a.time - at) - Math.abs(b.time - at))[0]?.start ?? null;
}

export const NAMES = { device: "Device", site: "Site", type: "Type" } as const;

const LABELS: readonly (readonly [SortBy, string])[] = [
  ["last", "Last"],
  ["min", "Min"],
  ["mean", "Mean"],
  ["max", "Max"],
  ["cursor", "At cursor"],
];

/** The heads that a table of series is sorted by. */
function Heads({ order, onSort, name }: { order: Order; onSort: (order: string) => void; name: string }) {
  const orderOf = (column: SortBy) => (order.by !== column ? null : order.isDescending ? "descending" : "ascending");
  return (
    <>
      <SortHead label={name} order={orderOf("name")} onSort={() => onSort(nextOrder(order, "name"))} />
      {LABELS.map(([column, label]) => (
        <SortHead
          key={column}
          label={label}
          order={orderOf(column)}
          onSort={() => onSort(nextOrder(order, column))}
          isNumber
        />
      ))}
    </>
  );
}

/** A figure with its digits; one that isn't there is a dash. */
function Value({ value, writing }: { value: number | null; writing: Writing }) {
  return value === null ? <None /> : writing.exact(value);
}

/** The moment pointed at, epoch ms; null when none is. */
export function usePointed(crosshair: Crosshair): number | null {
  return useSyncExternalStore(crosshair.subscribe, crosshair.get, () => null);
}
