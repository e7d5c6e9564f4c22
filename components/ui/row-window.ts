"use client";
import { type RefObject, useEffect, useState } from "react";
import { useIsPrinting } from "./printing";

/** Rows drawn: from `start` up to, not with, `end`. */
export interface RowWindow {
  readonly start: number;
  readonly end: number;
}

/** Rows drawn beyond what is seen, above and below. */
const BEYOND = 6;
/** The number of rows the window moves by: scrolling draws once for several. */
const STEP = 5;
const MOST = 100;
/** Rows on paper at most: some twenty pages. */
const MOST_ON_PAPER = 500;

/** The rows to draw of `count` when `top` pixels are scrolled away and `height` are seen. */
export function windowOf(top: number, height: number, rowHeight: number, count: number): RowWindow {
  const first = Math.floor(Math.max(0, top) / rowHeight / STEP) * STEP;
  const seen = Math.ceil(height / rowHeight / STEP) * STEP + STEP;
  const start = Math.max(0, Math.min(first - BEYOND, count - 1));
  return { start, end: Math.min(count, start + MOST, first + seen + BEYOND) };
}

/** Follows the rows a scrolled box shows, all of one height, below a head that sticks to its top. On paper it shows the first `known`, those that are loaded. */
export function useRowWindow(
  box: RefObject<HTMLElement | null>,
  count: number,
  rowHeight: number,
  known = count,
): RowWindow & { readonly width: number } {
  const isPrinting = useIsPrinting();
  const [place, setPlace] = useState({ top: 0, height: 800, width: Infinity });
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const look = () =>
      setPlace((before) => {
        const now = { top: element.scrollTop, height: element.clientHeight, width: element.clientWidth };
        const [a, b] = [before, now].map(({ top, height }) => windowOf(top, height, rowHeight, Infinity));
        return a!.start === b!.start && a!.end === b!.end && before.width === now.width ? before : now;
      });
    look();
    element.addEventListener("scroll", look, { passive: true });
    const sized = new ResizeObserver(look);
    sized.observe(element);
    return () => {
      element.removeEventListener("scroll", look);
      sized.disconnect();
    };
  }, [box, rowHeight]);
  if (isPrinting) return { start: 0, end: Math.min(known, MOST_ON_PAPER), width: Infinity };
  return { ...windowOf(place.top, place.height, rowHeight, count), width: place.width };
}

/** A value that follows another at most every `ms`: what is scrolled past isn't loaded. */
export function useThrottled<T>(value: T, ms: number): T {
  const [shown, setShown] = useState({ value, at: 0 });
  useEffect(() => {
    if (shown.value === value) return;
    const wait = Math.max(0, shown.at + ms - performance.now());
    const timer = setTimeout(() => setShown({ value, at: performance.now() }), wait);
    return () => clearTimeout(timer);
  }, [value, shown, ms]);
  return shown.value;
}
