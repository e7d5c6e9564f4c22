"use client";
import { useCallback, useMemo, useSyncExternalStore } from "react";
import { type ColumnChoice, readChoice } from "./columns";

const KEY = "fieldwatch.devices.columns";
const CHANGED = "fieldwatch:devices.columns";

function subscribe(listener: () => void): () => void {
  window.addEventListener("storage", listener);
  window.addEventListener(CHANGED, listener);
  return () => {
    window.removeEventListener("storage", listener);
    window.removeEventListener(CHANGED, listener);
  };
}

function read(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null; // storage may be forbidden; the default stays
  }
}

/** The columns chosen in this browser; null takes the choice back. */
export function useColumnChoice(): [ColumnChoice, (choice: ColumnChoice | null) => void] {
  const text = useSyncExternalStore(subscribe, read, () => null);
  const choose = useCallback((choice: ColumnChoice | null) => {
    try {
      if (choice === null) localStorage.removeItem(KEY);
      else localStorage.setItem(KEY, JSON.stringify(choice));
    } catch {
      return;
    }
    window.dispatchEvent(new Event(CHANGED));
  }, []);
  return [useMemo(() => readChoice(text), [text]), choose];
}
