import { Button } from "@mantine/core";
import type { ReactNode } from "react";
import { Empty } from "../ui/feedback";
import { Section } from "../ui/section";
import { Spoken } from "../ui/spoken";
import classes from "./notifications.module.css";

interface Column {
  readonly title: ReactNode;
  /** number: at the right; age: as wide as an age gets; fromWide: left out where there is little room. */
  readonly kind?: "number" | "age" | "fromWide";
}

interface ActionTableProps {
  readonly title: string;
  /** Makes another of what is listed; null for who may not. */
  readonly make: ReactNode;
  /** Beside it, whatever is listed. */
  readonly aside?: ReactNode;
  /** What stands there while nothing is. */
  readonly empty: ReactNode;
  /** All but the last, which has what can be done. */
  readonly columns: readonly Column[];
  /** Its rows. */
  readonly children: readonly ReactNode[];
}

/** What there is of something, a row each with what can be done with it. On a phone rows are blocks. */
export function ActionTable({ title, make, aside = null, empty, columns, children }: ActionTableProps) {
  const isEmpty = children.length === 0;
  return (
    <Section
      title={title}
      aside={
        <span className={classes.rowActions}>
          {aside}
          {isEmpty ? null : make}
        </span>
      }
    >
      {isEmpty ? (
        <Empty action={make}>{empty}</Empty>
      ) : (
        <table className={classes.table} aria-label={title}>
          <thead>
            <tr>
              {columns.map(({ title: of, kind }, i) => (
                <th key={i} scope="col" className={kind && classes[kind]}>
                  {of}
                </th>
              ))}
              <th scope="col" className={classes.actions}>
                <Spoken>Actions</Spoken>
              </th>
            </tr>
          </thead>
          <tbody>{children}</tbody>
        </table>
      )}
    </Section>
  );
}

interface RowAction {
  readonly does: string;
  /** What it is done with, for who only hears it. */
  readonly of: string;
  readonly act: () => void;
  readonly isQuiet?: boolean;
}

/** The last cell of a row: what can be done with it. */
export function RowActions({ actions }: { readonly actions: readonly RowAction[] }) {
  return (
    <td className={classes.actions}>
      {actions.map(({ does, of, act, isQuiet = false }) => (
        <Button
          key={does}
          size="compact-xs"
          variant={isQuiet ? "subtle" : "default"}
          onClick={act}
          aria-label={`${does} ${of}`}
        >
          {does}…
        </Button>
      ))}
    </td>
  );
}
