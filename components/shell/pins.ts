"use client";
import { useCallback, useMemo } from "react";
import { useKept } from "../ui/kept";

const NAME = "fieldwatch.pins";

/** A line that stays on the overview of this browser. Without a metric it is the device's first. */
export interface Pin {
  readonly device: string;
  readonly metric: string | null;
}

/** Most pins: as many as the strip has places. */
export const MOST_PINS = 6;

/** The pins in a kept text; what isn't one is left out, and a device has one pin at most. */
export function readPins(text: string | null): Pin[] {
  try {
    const kept = JSON.parse(text ?? "[]") as unknown;
    if (!Array.isArray(kept)) return [];
    const pins = new Map<string, Pin>();
    for (const one of kept as (Partial<Pin> | null)[]) {
      if (typeof one?.device !== "string" || pins.has(one.device)) continue;
      pins.set(one.device, { device: one.device, metric: typeof one.metric === "string" ? one.metric : null });
    }
    return [...pins.values()].slice(0, MOST_PINS);
  } catch {
    return [];
  }
}

/** Removes the device's pin, or adds one at the end; the oldest goes when there are too many. */
export function togglePin(pins: readonly Pin[], pin: Pin): Pin[] {
  const others = pins.filter(({ device }) => device !== pin.device);
  return others.length < pins.length ? others : [...others, pin].slice(-MOST_PINS);
}

/** The pins of this browser, and how to add or take one away. */
export function usePins(): [readonly Pin[], (pin: Pin) => void] {
  const [text, keep] = useKept(NAME);
  const pins = useMemo(() => readPins(text), [text]);
  const toggle = useCallback((pin: Pin) => keep(JSON.stringify(togglePin(readPins(text), pin))), [text, keep]);
  return [pins, toggle];
}

/** The first metric that the address of a device's page names; null for none. */
export function metricInAddress(): string | null {
  return new URLSearchParams(window.location.search).get("metric")?.split(",")[0] || null;
}
