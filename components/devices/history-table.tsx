"use client";
import { decimalsIn, formatDecimals, formatExact, formatInstant, type Zone } from "../ui/format";
import { metricColor } from "../ui/theme";
import base from "./figures-table.module.css";
import classes from "./history.module.css";
import { flagWord } from "./history-charts";
import type { Stretch } from "../ui/ranges";
import { type HistoryPoint, type Series, visiblePoints } from "../live/series";

interface HistoryTableProps extends Stretch {
  series: readonly Series[];
  zone: Zone;
}

/** The same points as the chart, newest first: a row a time, the metrics side by side. */
export function HistoryTable({ series, from, to, zone }: HistoryTableProps) {
  const columns = series.map((one) => ({ one, figures: figuresOf(one) }));
  return (
    <div className={classes.tableBox} role="region" aria-label="History as a table" tabIndex={0}>
      <table className={`${base.table} ${classes.table}`}>
        <thead>
          {series.length > 1 ? (
            <tr>
              <th scope="col" />
              {columns.map(({ one, figures }) => (
                <th key={one.metric} scope="colgroup" colSpan={figures.length} className={classes.group}>
                  <i style={{ background: metricColor(one.metric) }} aria-hidden="true" /> {one.metric}
                </th>
              ))}
            </tr>
          ) : null}
          <tr>
            <th scope="col">Time</th>
            {columns.flatMap(({ one, figures }) =>
              figures.map(({ head, hasUnit }) => (
                <th key={`${one.metric} ${head}`} scope="col">
                  {head}
                  {one.unit && hasUnit ? <small> {one.unit}</small> : null}
                </th>
              )),
            )}
          </tr>
        </thead>
        <tbody>
          {rowsOf(series, from, to).map(([time, cells]) => (
            <tr key={time}>
              <td>{formatInstant(time, zone)}</td>
              {columns.flatMap(({ one, figures }, i) =>
                figures.map(({ head, of, write }) => {
                  const point = cells[i];
                  return (
                    <td key={`${one.metric} ${head}`} title={point ? formatExact(of(point)) : undefined}>
                      {point ? write(of(point)) : ""}
                    </td>
                  );
                }),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface Figure {
  readonly head: string;
  readonly hasUnit: boolean;
  readonly of: (point: HistoryPoint) => number;
  readonly write: (value: number) => string;
}

function figuresOf({ kind, bucketMs, points }: Series): Figure[] {
  const isFlag = kind === "boolean";
  const figure = (head: string, of: Figure["of"], write = isFlag ? flagWord : formatExact, hasUnit = true) => {
    return { head, of, write, hasUnit };
  };
  if (bucketMs === 0) return [figure("Value", ({ last }) => last)];
  const count = figure("Readings", (point) => point.count, String, false);
  const decimals = decimalsIn(points.flatMap(({ min, max }) => [min, max])) + 1;
  const mean = figure("Mean", (point) => point.mean, isFlag ? flagWord : (value) => formatDecimals(value, decimals));
  if (isFlag) return [{ ...mean, head: "True", write: (share) => `${Math.round(share * 100)} %` }, count];
  return [mean, figure("Lowest", (point) => point.min), figure("Highest", (point) => point.max), count];
}

/** Newest first: each time any series has a point at, with the point of each. */
function rowsOf(series: readonly Series[], from: number, to: number): [number, (HistoryPoint | undefined)[]][] {
  const rows = new Map<number, (HistoryPoint | undefined)[]>();
  series.forEach((one, i) => {
    for (const point of visiblePoints(one, from, to)) {
      let row = rows.get(point.time);
      if (!row) rows.set(point.time, (row = series.map(() => undefined)));
      row[i] = point;
    }
  });
  return [...rows].sort(([a], [b]) => b - a);
}
