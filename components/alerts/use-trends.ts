"use client";
import { useQueries } from "@tanstack/react-query";
import { useCallback } from "react";
import type { ListedAlert } from "@/server/contracts/alerts";
import { sparklinesQuery } from "../queries/devices";

/** Trends are for what is seen first: so many rows, and so many devices in one question. */
const MOST_ROWS = 300;
const AT_ONCE = 150;

interface Trend {
  /** Means by minute of the last hour, null where there is none. */
  readonly values: readonly (number | null)[];
}

/** The last hour of what each of these alerts is about; undefined until it is known, and where there is none. */
export function useTrends(alerts: readonly ListedAlert[]): (alert: ListedAlert) => Trend | undefined {
  const metrics = new Map<string, string[]>();
  for (const { device, metric } of alerts.slice(0, MOST_ROWS)) {
    if (device === null || metric === null) continue;
    const devices = metrics.get(metric) ?? [];
    metrics.set(metric, devices);
    // In the order of their names: rows that change places ask for nothing new.
    if (!devices.includes(device)) devices.push(device);
  }
  const asked = [...metrics].flatMap(([metric, devices]) => parts(devices.toSorted()).map((ids) => ({ metric, ids })));
  const answers = useQueries({
    queries: asked.map(({ metric, ids }) => sparklinesQuery(ids, metric)),
    combine: useCallback(
      (results: readonly { data?: { metric: string; series: Record<string, (number | null)[]> } | undefined }[]) => {
        const known = new Map<string, Trend>();
        for (const { data } of results)
          for (const [device, values] of Object.entries(data?.series ?? {}))
            known.set(`${device} ${data!.metric}`, { values });
        return known;
      },
      [],
    ),
  });
  return ({ device, metric }) => answers.get(`${device} ${metric}`);
}

function parts(ids: readonly string[]): string[][] {
  return Array.from({ length: Math.ceil(ids.length / AT_ONCE) }, (_, i) => ids.slice(i * AT_ONCE, (i + 1) * AT_ONCE));
}
