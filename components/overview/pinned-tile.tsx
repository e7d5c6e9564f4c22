"use client";
import type { ReactNode } from "react";
import { addressOf, VIEW_PAGES } from "@/server/contracts/view-pages";
import type { SavedView } from "@/server/contracts/views";
import { readable } from "@/server/domain/readable";
import { Link } from "../ui/link";
import { MarkShape } from "../ui/state-mark";
import classes from "./pinned.module.css";

/** What each kind of tile is given. */
export interface PinnedProps {
  readonly view: SavedView;
  /** How many lines there is room for. */
  readonly rows: number;
  readonly tools?: ReactNode;
}

/** Says that what a tile shows may be old. */
export function troubleOf(error: Error | null): string | null {
  return error === null ? null : `May be out of date: ${error.message}`;
}

interface PinnedTileProps {
  readonly view: SavedView;
  /** The one figure, with what it counts; null while it isn't known, left out where there is none. */
  readonly figure?: ReactNode;
  /** Why what is shown may be out of date, or why there is nothing; null when all is well. */
  readonly trouble: string | null;
  /** What is done with the tile while tiles are arranged. */
  readonly tools?: ReactNode;
  readonly children: ReactNode;
}

/** A saved view as a tile: its name, which opens it, what it counts, and its first lines. Sizes are in em, so that a wall can have it larger. */
export function PinnedTile({ view, figure, trouble, tools, children }: PinnedTileProps) {
  return (
    <li className={classes.tile} data-trouble={trouble !== null || undefined}>
      <div className={classes.head}>
        <h3>
          <Link href={addressOf(view)}>{readable(view.name)}</Link>
        </h3>
        <span className={classes.figure}>{figure ?? VIEW_PAGES[view.page].label}</span>
      </div>
      {tools}
      <div className={classes.body}>{children}</div>
      {trouble === null ? null : (
        <p className={classes.trouble} title={trouble}>
          <MarkShape mark="stale" />
          <span>{trouble}</span>
        </p>
      )}
    </li>
  );
}

interface PinnedRowProps {
  readonly href: string;
  readonly mark: ReactNode;
  readonly what: string;
  /** True where what is shown was said a while ago and may not be so any more. */
  readonly isBehind?: boolean;
  readonly children: ReactNode;
}

/** One of the first lines of a list, which leads to what it is of. */
export function PinnedRow({ href, mark, what, isBehind = false, children }: PinnedRowProps) {
  return (
    <li>
      <Link href={href} className={classes.row}>
        <span className={classes.mark}>{mark}</span>
        <span className={classes.what} title={what}>
          {what}
        </span>
        <span className={classes.value} data-behind={isBehind || undefined}>
          {children}
        </span>
      </Link>
    </li>
  );
}

/** The first lines, or the one sentence that is said where there are none. */
export function PinnedRows({ isEmpty, none, children }: { isEmpty: boolean; none: string; children: ReactNode }) {
  return isEmpty ? <p className={classes.none}>{none}</p> : <ul className={classes.rows}>{children}</ul>;
}
