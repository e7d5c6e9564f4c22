import type { ReactNode } from "react";
import classes from "./wide-table.module.css";

interface WideTableProps {
  /** What it is called for who can't see it; no two of a page alike. */
  label: string;
  /** Cells of the row of heads. */
  head: ReactNode;
  /** Its bodies, and its foot if it has one. On a phone a cell stands below its row's head, with its `data-label` before it. */
  children: ReactNode;
  /** True where all columns but the first are figures, which stand on the right. */
  hasFigures?: boolean;
}

/** A table that may be wider than its place: then it is moved within it, by keys too. */
export function WideTable({ label, head, children, hasFigures = false }: WideTableProps) {
  return (
    <div className={classes.scroll} role="region" aria-label={label} tabIndex={0}>
      <table className={classes.table} data-figures={hasFigures || undefined}>
        <thead>
          <tr>{head}</tr>
        </thead>
        {children}
      </table>
    </div>
  );
}
