"use client";
import { type RefObject, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import { useIsClient } from "./use-is-client";

/** The sticky head covers as much of the box. */
const HEAD_HEIGHT = 32;
const keptAs = (list: string) => `fieldwatch.${list}.place`;

interface ListPlaceOptions {
  /** The list's name in what is kept. */
  list: string;
  /** Height of every row, in pixels. */
  rowHeight: number;
  box: RefObject<HTMLElement | null>;
  /** Of all rows in order; each row has its own in `data-row`. */
  ids: readonly string[];
  /** The list's identity: coming back to the same list comes back to the same place. */
  key: string;
  isReady: boolean;
}

/** The row cursor, which stays with what its row is about, and the scrolled place, which is there again when coming back. */
export function useListPlace({ list, rowHeight, box, ids, key, isReady }: ListPlaceOptions) {
  // The place that was kept; on the server there is none.
  const [kept] = useState(() => readPlace(list, key));
  const [id, setId] = useState<string | null>(kept?.id ?? null);
  // The server draws no cursor, so neither does the browser's first draw of the same.
  const isOurs = useIsClient();
  const current = useMemo(() => (id === null || !isOurs ? -1 : ids.indexOf(id)), [ids, id, isOurs]);
  // The focus follows the cursor as soon as its row is drawn.
  const focusOn = useRef<string | null>(null);
  const onDrawn = () => {
    if (focusOn.current === null) return;
    const row = box.current?.querySelector<HTMLElement>(`[data-row="${CSS.escape(focusOn.current)}"]`);
    if (!row) return;
    focusOn.current = null;
    (row.querySelector<HTMLElement>("a, button") ?? row).focus({ preventScroll: true });
  };

  const setCurrent = useCallback((index: number) => setId(ids[index] ?? null), [ids]);
  const go = (index: number) => {
    const to = ids[index];
    if (to === undefined) return;
    setId(to);
    focusOn.current = to;
    if (box.current) reveal(box.current, index, rowHeight);
  };
  const move = (by: number) => go(current === -1 ? 0 : Math.max(0, Math.min(ids.length - 1, current + by)));
  const jump = (to: "first" | "last") => go(to === "first" ? 0 : ids.length - 1);

  const restored = useRef(false);
  useEffect(() => {
    if (!isReady || restored.current) return;
    restored.current = true;
    if (kept) box.current?.scrollTo({ top: kept.top });
  }, [isReady, kept, box]);
  // Another filter or sort begins at the top; sorting again stays where it is.
  const latest = useRef({ key, id });
  useEffect(() => {
    if (latest.current.key !== key) box.current?.scrollTo({ top: 0 });
    latest.current = { key, id };
  }, [key, id, box]);
  // Before the list is taken away: outside of the document nothing is scrolled.
  useLayoutEffect(() => {
    const element = box.current;
    return () => keepPlace(list, { ...latest.current, top: element?.scrollTop ?? 0 });
  }, [list, box]);

  return { current, setCurrent, onDrawn, move, jump };
}

/** Scrolls as little as it takes to see the row. */
function reveal(box: HTMLElement, index: number, rowHeight: number): void {
  const top = index * rowHeight;
  const seen = box.clientHeight - HEAD_HEIGHT - rowHeight;
  if (top < box.scrollTop) box.scrollTop = top;
  else if (top > box.scrollTop + seen) box.scrollTop = top - seen;
}

interface Place {
  readonly key: string;
  readonly id: string | null;
  readonly top: number;
}

function readPlace(list: string, key: string): Place | null {
  try {
    const place = JSON.parse(sessionStorage.getItem(keptAs(list)) ?? "null") as Place | null;
    return place?.key === key ? place : null;
  } catch {
    return null;
  }
}

function keepPlace(list: string, place: Place): void {
  try {
    sessionStorage.setItem(keptAs(list), JSON.stringify(place));
  } catch {
    // storage may be forbidden; then the list begins at its top
  }
}
