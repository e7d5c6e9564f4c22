"use client";
import { useEffect, useRef, useState, type RefObject } from "react";
import type { ListedAlert } from "@/server/contracts/alerts";
import { keepStill, type StillAlert } from "./still";

/** A pointer that rests for so long is forgotten, not about to press. */
const REST_MS = 10_000;

/**
 * Rows that don't move while a pointer is among them, or while something is asked about one. `waiting` have no place yet; `release` gives it to them.
 * @param view what is listed: rows of another view don't stay
 */
export function useStill(
  now: readonly ListedAlert[],
  box: RefObject<HTMLElement | null>,
  isBusy: boolean,
  view: string,
): { readonly rows: readonly StillAlert[]; readonly waiting: number; readonly release: () => void } {
  const isPointed = usePointedAt(box);
  const [before, setBefore] = useState<{ rows: readonly StillAlert[]; view: string }>({ rows: now, view });
  const isHeld = (isPointed || isBusy) && before.view === view && before.rows.length > 0;
  if (!isHeld && (before.rows !== now || before.view !== view)) setBefore({ rows: now, view });
  const release = () => setBefore({ rows: now, view });
  return isHeld ? { ...keepStill(before.rows, now), release } : { rows: now, waiting: 0, release };
}

/** True while a pointer moves over an element or presses on it, and for a while after. */
function usePointedAt(box: RefObject<HTMLElement | null>): boolean {
  const [isPointed, setPointed] = useState(false);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const leave = () => {
      clearTimeout(timer.current);
      setPointed(false);
    };
    const stay = () => {
      clearTimeout(timer.current);
      timer.current = setTimeout(leave, REST_MS);
      setPointed(true);
    };
    // A finger that lifts leaves at once, but the next tap is meant for what is seen now: it stays for a while.
    const left = (event: PointerEvent) => (event.pointerType === "mouse" ? leave() : stay());
    element.addEventListener("pointermove", stay);
    element.addEventListener("pointerdown", stay);
    element.addEventListener("pointerleave", left);
    return () => {
      clearTimeout(timer.current);
      element.removeEventListener("pointermove", stay);
      element.removeEventListener("pointerdown", stay);
      element.removeEventListener("pointerleave", left);
    };
  }, [box]);
  return isPointed;
}
