"use client";
import { useSyncExternalStore } from "react";
import { Spoken } from "../ui/spoken";
import { useKeyboard } from "./keyboard";
import classes from "./shell.module.css";

/** Opens the palette, and says which keys do. */
export function SearchButton() {
  const { openPalette } = useKeyboard();
  const isMac = useSyncExternalStore(
    () => () => {},
    () => navigator.platform.startsWith("Mac"),
    () => false,
  );
  return (
    <button type="button" className={classes.search} onClick={openPalette} aria-keyshortcuts="Control+K Meta+K">
      <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">
        <path
          d="M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9ZM10.3 10.3 14 14"
          fill="none"
          stroke="currentColor"
          strokeWidth="1.5"
        />
      </svg>
      <Spoken>Find a device, a page or an action</Spoken>
      <span aria-hidden="true">Find</span>
      <kbd aria-hidden="true">{isMac ? "⌘ K" : "Ctrl K"}</kbd>
    </button>
  );
}
