import type { ReactNode } from "react";
import classes from "./list-table.module.css";

interface SortHeadProps {
  label: string;
  /** Null while the list is in another order. */
  order: "ascending" | "descending" | null;
  onSort: () => void;
  isNumber?: boolean;
  className?: string | undefined;
  /** What stands before its label. */
  before?: ReactNode;
}

/** The head of a column the list can be sorted by. */
export function SortHead({ label, order, onSort, isNumber, className, before }: SortHeadProps) {
  return (
    <th scope="col" className={className} data-number={isNumber || undefined} aria-sort={order ?? "none"}>
      {before}
      <button type="button" onClick={onSort} data-sorted={order !== null || undefined}>
        {label}
        <span aria-hidden="true">{order === null ? "" : order === "descending" ? "↓" : "↑"}</span>
      </button>
    </th>
  );
}

/** Stands for rows that aren't drawn, so that the scroll bar tells how many there are. `height` in pixels. */
export function Space({ height }: { height: number }) {
  return (
    <tr aria-hidden="true" className={classes.space}>
      <td style={{ height }} />
    </tr>
  );
}

/** A cell without a value: not zero, not unknown. */
export function None({ word = "–" }: { word?: string }) {
  return <span className={classes.none}>{word}</span>;
}
