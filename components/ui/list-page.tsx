"use client";
import { Button } from "@mantine/core";
import type { ReactNode } from "react";
import { Empty } from "./feedback";
import { formatTotal } from "./format";
import classes from "./list-page.module.css";
import { MarkShape } from "./state-mark";

interface ChipProps {
  isChosen: boolean;
  /** True for one nobody needs to look at. */
  isNone: boolean;
  /** Count of what it stands for; undefined until that is known. */
  count: number | undefined;
  onChoose: () => void;
  children: ReactNode;
}

/** One of the states a list can be narrowed to. */
export function Chip({ isChosen, isNone, count, onChoose, children }: ChipProps) {
  return (
    <button
      type="button"
      className={classes.chip}
      aria-pressed={isChosen}
      data-none={isNone || undefined}
      onClick={onChoose}
    >
      {children}
      <span className={classes.count}>{count === undefined ? "" : formatTotal(count)}</span>
    </button>
  );
}

interface ListBarProps {
  className: string | undefined;
  /** The length of the list, in words; empty while that isn't known. */
  total: string;
  /** The subject of a notice about age: "These devices". */
  what: string;
  /** The reason why it may be out of date; null when it isn't. */
  trouble: string | null;
  /** A button that takes over what has changed, or nothing. Its place is kept. */
  offer: ReactNode;
  onReload: () => void;
  onHelp: () => void;
  /** Actions on the list. */
  children: ReactNode;
}

/** Above a list: how much is listed, whether it is still right, and what can be done with it. */
export function ListBar({ className, total, what, trouble, offer, onReload, onHelp, children }: ListBarProps) {
  return (
    <div className={`${classes.bar} ${className}`}>
      <p className={classes.total} role="status">
        {total}
      </p>
      {trouble !== null ? (
        <p className={classes.trouble} role="alert">
          <MarkShape mark="stale" />
          <span title={trouble}>
            {what} may be out of date: {trouble}
          </span>
          <Button size="compact-xs" variant="default" onClick={onReload}>
            Try again
          </Button>
        </p>
      ) : (
        <span className={classes.offer}>{offer}</span>
      )}
      <div className={classes.actions}>
        {children}
        <Button
          size="compact-sm"
          variant="default"
          onClick={onHelp}
          aria-label="Keyboard help"
          title="Keyboard help (?)"
          className={classes.helpButton ?? ""}
        >
          ?
        </Button>
      </div>
    </div>
  );
}

/** The empty state of a list when nothing matches its filters. */
export function NoMatch({ children, onClear }: { children: ReactNode; onClear: () => void }) {
  return (
    <Empty
      action={
        <Button size="xs" variant="default" onClick={onClear}>
          Clear the filters
        </Button>
      }
    >
      {children}
    </Empty>
  );
}
