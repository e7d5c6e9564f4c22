"use client";
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import type { Alert } from "@/server/contracts/alerts";
import { alertsQuery, MOST_OPEN } from "../queries/alerts";

/** Those of these devices of which something fires, with the worst of it. */
export function useFiringDevices(ids: readonly string[]): ReadonlyMap<string, Alert["severity"]> {
  const devices = useMemo(() => ids.toSorted().join(","), [ids]);
  const { data } = useQuery({
    ...alertsQuery({ state: "open", devices, order: "worst", limit: MOST_OPEN }),
    enabled: devices !== "",
  });
  return useMemo(() => {
    const worst = new Map<string, Alert["severity"]>();
    // The worst stand first.
    for (const { device, severity } of data?.items ?? [])
      if (device !== null && !worst.has(device)) worst.set(device, severity);
    return worst;
  }, [data]);
}
