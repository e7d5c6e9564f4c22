"use client";
import { formatExact, formatInstant, formatMeasure, type Zone } from "../ui/format";
import classes from "./device.module.css";
import type { ChartRow } from "./series";

interface HistoryTableProps {
  rows: readonly ChartRow[];
  unit: string;
  zone: Zone;
  isBoolean: boolean;
  /** True for single readings, where mean, lowest and highest are the same. */
  isRaw: boolean;
}

/** The same points as the chart, newest first. */
export function HistoryTable({ rows, unit, zone, isBoolean, isRaw }: HistoryTableProps) {
  const points = rows.flatMap((row) => (row.point ? [row.point] : [])).reverse();
  const heads = isRaw
    ? ["Time", "Value"]
    : isBoolean
      ? ["Time", "Share true", "Readings"]
      : ["Time", "Mean", "Lowest", "Highest", "Readings"];
  return (
    <div className={classes.tableBox} role="region" aria-label="History as a table" tabIndex={0}>
      <table className={classes.table}>
        <thead>
          <tr>
            {heads.map((head) => (
              <th key={head} scope="col">
                {head}
                {unit && head !== "Time" && head !== "Readings" ? <small> {unit}</small> : null}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {points.map(({ time, mean, min, max, count }) => (
            <tr key={time}>
              <td>{formatInstant(time, zone)}</td>
              {(isRaw || isBoolean ? [mean] : [mean, min, max]).map((number, i) => (
                <td key={i} title={formatExact(number)}>
                  {isBoolean ? (isRaw ? String(number !== 0) : `${Math.round(number * 100)} %`) : formatMeasure(number)}
                </td>
              ))}
              {isRaw ? null : <td>{count}</td>}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
