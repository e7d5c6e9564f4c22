"use client";
import { useState } from "react";
import type { SourceView } from "@/server/contracts/sources";
import { rateOf, type Seen } from "./standing";

/** The stretch a rate is taken over, in milliseconds. */
const STRETCH_MS = 15_000;

type History = ReadonlyMap<string, readonly Seen[]>;

/** Messages per second of each source by its name, from how its count grew while it was looked at; none where that is no rate. */
export function useRates(sources: readonly SourceView[] | undefined, loadedAt: number): ReadonlyMap<string, number> {
  const [history, setHistory] = useState<{ at: number; seen: History }>({ at: 0, seen: new Map() });
  if (sources && history.at !== loadedAt) setHistory({ at: loadedAt, seen: grown(history.seen, sources, loadedAt) });
  const rates = new Map<string, number>();
  for (const [name, seen] of history.seen) {
    const rate = rateOf(seen);
    if (rate !== null) rates.set(name, rate);
  }
  return rates;
}

function grown(before: History, sources: readonly SourceView[], at: number): History {
  return new Map(
    sources.map(({ name, counts: { accepted } }) => {
      const kept = (before.get(name) ?? []).filter((seen) => at - seen.at <= STRETCH_MS && seen.count <= accepted);
      return [name, [...kept, { at, count: accepted }]];
    }),
  );
}
