"use client";
import { Button } from "@mantine/core";
import { useState } from "react";
import classes from "./ui.module.css";

/** The page of a list that is shown: the cursors that led there, none on the first. */
export interface Pages {
  /** Cursor of the page shown; null on the first. */
  readonly cursor: string | null;
  readonly number: number;
  readonly toNext: (cursor: string) => void;
  readonly toPrevious: () => void;
}

/** Goes through a list that only knows its next page, and back. */
export function usePages(): Pages {
  const [cursors, setCursors] = useState<readonly string[]>([]);
  return {
    cursor: cursors.at(-1) ?? null,
    number: cursors.length + 1,
    toNext: (cursor) => setCursors((before) => [...before, cursor]),
    toPrevious: () => setCursors((before) => before.slice(0, -1)),
  };
}

interface PagerProps {
  pages: Pages;
  next: string | null;
  of: string;
  /** What the buttons are called. */
  words?: readonly [previous: string, next: string];
}

/** Previous and next page; nothing when there is only one. */
export function Pager({ pages, next, of, words = ["Newer", "Older"] }: PagerProps) {
  if (pages.number === 1 && next === null) return null;
  return (
    <nav className={classes.pager} aria-label={`Pages of ${of}`}>
      <Button size="xs" variant="default" disabled={pages.number === 1} onClick={pages.toPrevious}>
        {words[0]}
      </Button>
      <span>Page {pages.number}</span>
      <Button size="xs" variant="default" disabled={next === null} onClick={() => next && pages.toNext(next)}>
        {words[1]}
      </Button>
    </nav>
  );
}
