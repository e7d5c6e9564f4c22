"use client";
import { createContext, type ReactNode, useContext, useMemo } from "react";
import type { Zone } from "./format";
import { useKept } from "./kept";
import { useIsClient } from "./use-is-client";

const ZoneContext = createContext<{ zone: Zone; setZone: (zone: Zone) => void }>({ zone: "UTC", setZone: () => {} });

/** Holds the one zone all times of a page are written in; remembered in this browser. */
export function ZoneProvider({ children }: { children: ReactNode }) {
  const [kept, setZone] = useKept("fieldwatch.zone");
  const isClient = useIsClient();
  const zone = isClient && kept !== "UTC" ? "local" : "UTC";
  const value = useMemo(() => ({ zone, setZone }) as const, [zone, setZone]);
  return <ZoneContext value={value}>{children}</ZoneContext>;
}

/** The page's zone and how to change it. */
export function useZone() {
  return useContext(ZoneContext);
}
