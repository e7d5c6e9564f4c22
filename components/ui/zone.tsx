"use client";
import { createContext, type ReactNode, useCallback, useContext, useMemo, useSyncExternalStore } from "react";
import type { Zone } from "./format";

const KEY = "fieldwatch.zone";
const CHANGED = "fieldwatch:zone";

const ZoneContext = createContext<{ zone: Zone; setZone: (zone: Zone) => void }>({ zone: "UTC", setZone: () => {} });

function subscribe(listener: () => void): () => void {
  window.addEventListener("storage", listener);
  window.addEventListener(CHANGED, listener);
  return () => {
    window.removeEventListener("storage", listener);
    window.removeEventListener(CHANGED, listener);
  };
}

function read(): Zone {
  try {
    return localStorage.getItem(KEY) === "UTC" ? "UTC" : "local";
  } catch {
    return "local"; // storage may be forbidden; the switch then lasts as long as nothing does
  }
}

/** Holds the one zone all times of a page are written in; remembered in this browser. */
export function ZoneProvider({ children }: { children: ReactNode }) {
  const zone = useSyncExternalStore<Zone>(subscribe, read, () => "UTC");
  const setZone = useCallback((next: Zone) => {
    try {
      localStorage.setItem(KEY, next);
    } catch {
      return;
    }
    window.dispatchEvent(new Event(CHANGED));
  }, []);
  const value = useMemo(() => ({ zone, setZone }), [zone, setZone]);
  return <ZoneContext value={value}>{children}</ZoneContext>;
}

/** The page's zone and how to change it. */
export function useZone() {
  return useContext(ZoneContext);
}
