"use client";
import { useEffect, useEffectEvent } from "react";

/** Calls back on every key pressed on the page. */
export function useKeys(onKey: (event: KeyboardEvent) => void): void {
  const tell = useEffectEvent(onKey);
  useEffect(() => {
    const listener = (event: KeyboardEvent) => tell(event);
    document.addEventListener("keydown", listener);
    return () => document.removeEventListener("keydown", listener);
  }, []);
}
