"use client";
import { useEffect, useEffectEvent } from "react";

/** Calls back on Esc, unless a dialog, a list of choices or a field takes the key. */
export function useEscape(isWanted: boolean, onEscape: () => void): void {
  const onKey = useEffectEvent((event: KeyboardEvent) => {
    if (event.key !== "Escape" || event.defaultPrevented || !isWanted) return;
    if (document.querySelector("[role=dialog]")) return;
    if (event.target instanceof Element && event.target.closest("input, textarea, select, [role=listbox]")) return;
    event.preventDefault();
    onEscape();
  });
  useEffect(() => {
    const listener = (event: KeyboardEvent) => onKey(event);
    document.addEventListener("keydown", listener);
    return () => document.removeEventListener("keydown", listener);
  }, []);
}
