"use client";
import { useKeys } from "../ui/use-keys";

/** Calls `onEscape` on Esc, unless a dialog, a list of choices or a field takes the key. */
export function useEscape(isWanted: boolean, onEscape: () => void): void {
  useKeys((event: KeyboardEvent) => {
    if (event.key !== "Escape" || event.defaultPrevented || !isWanted) return;
    if (document.querySelector("[role=dialog]")) return;
    if (event.target instanceof Element && event.target.closest("input, textarea, select, [role=listbox]")) return;
    event.preventDefault();
    onEscape();
  });
}
