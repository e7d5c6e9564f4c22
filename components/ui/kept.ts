"use client";
import { useCallback, useSyncExternalStore } from "react";

/**
 * A text kept in this browser under a name, the same in every tab; null when there is none, and on the server.
 * Storage may be forbidden: then nothing is kept.
 */
export function useKept(name: string): [string | null, (text: string | null) => void] {
  const subscribe = useCallback(
    (listener: () => void) => {
      const changed = (event: Event) => {
        if (!(event instanceof StorageEvent) || event.key === name || event.key === null) listener();
      };
      window.addEventListener("storage", changed);
      window.addEventListener(nameOfEvent(name), changed);
      return () => {
        window.removeEventListener("storage", changed);
        window.removeEventListener(nameOfEvent(name), changed);
      };
    },
    [name],
  );
  const text = useSyncExternalStore(
    subscribe,
    () => readKept(name),
    () => null,
  );
  const keep = useCallback((next: string | null) => writeKept(name, next), [name]);
  return [text, keep];
}

/** Reads what is kept, at once. */
export function readKept(name: string): string | null {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

/** Keeps a text, and tells everything that shows it; null forgets it. */
export function writeKept(name: string, text: string | null): void {
  try {
    if (text === null) localStorage.removeItem(name);
    else localStorage.setItem(name, text);
  } catch {
    return;
  }
  window.dispatchEvent(new Event(nameOfEvent(name)));
}

function nameOfEvent(name: string): string {
  return `kept:${name}`;
}
