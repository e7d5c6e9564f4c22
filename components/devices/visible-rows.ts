"use client";
import { ownMember } from "@/server/domain/own-member";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import type { DeviceView } from "@/server/contracts/devices";
import { applyToDevice, hasGoodbye } from "../live/apply";
import type { LiveClient } from "../live/client";
import { useLive } from "../live/provider";
import { DEVICE_ROWS, deviceRowsQuery, sparklinesQuery } from "../queries/devices";
import { createKeyedStore, type KeyedStore } from "./keyed-store";

/** Rows kept after they left the screen, to show at once when they come back. */
const KEPT = 1000;
/** The time in which requests to reload are gathered, in milliseconds: on a reconnect every room makes one. */
const RELOAD_AFTER_MS = 100;

export interface FleetRows {
  readonly devices: KeyedStore<DeviceView>;
  /** Means by minute of the trend's metric. */
  readonly trends: KeyedStore<readonly (number | null)[]>;
}

/** Devices by id for the rows of one list, those of `first` from the first draw on, and the trends of one metric: another metric begins with none. */
export function useFleetRows(trend: string | null, first: readonly DeviceView[]): FleetRows {
  const [devices] = useState(() => {
    const store = createKeyedStore<DeviceView>(KEPT);
    for (const device of first) store.set(device.id, device);
    return store;
  });
  const [trends, setTrends] = useState(() => ({
    metric: trend,
    store: createKeyedStore<readonly (number | null)[]>(KEPT),
  }));
  if (trends.metric !== trend) setTrends({ metric: trend, store: createKeyedStore(KEPT) });
  const [rows, setRows] = useState<FleetRows>({ devices, trends: trends.store });
  if (rows.trends !== trends.store) setRows({ devices, trends: trends.store });
  return rows;
}

/** Takes in a loaded device. What its room told meanwhile is newer than an answer that was on its way. */
export function putDevice(devices: KeyedStore<DeviceView>, loaded: DeviceView): void {
  const known = devices.get(loaded.id);
  if (!known) return devices.set(loaded.id, loaded);
  const { site, type } = loaded;
  const labels = sameLabels(known.labels, loaded.labels) ? known.labels : loaded.labels;
  const described = known.site === site && known.type === type && known.labels === labels;
  if (known.lastSeen !== null && (loaded.lastSeen === null || known.lastSeen > loaded.lastSeen))
    return devices.set(loaded.id, described ? known : { ...known, site, type, labels });
  const same =
    described &&
    known.goneAt === loaded.goneAt &&
    known.lastSeen === loaded.lastSeen &&
    known.messages === loaded.messages;
  devices.set(loaded.id, same && sameValues(known.values, loaded.values) ? known : loaded);
}

function sameLabels(a: DeviceView["labels"], b: DeviceView["labels"]): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}

function sameValues(a: DeviceView["values"], b: DeviceView["values"]): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name]?.time === b[name]?.time);
}

/** Loads the devices on screen, keeps them up to date by their rooms, and brings their trends. */
export function useVisibleRows({ devices, trends }: FleetRows, ids: readonly string[], trend: string | null) {
  const live = useLive();
  useRooms(live, ids, devices);
  const rows = useQuery(deviceRowsQuery(live, ids, (device) => putDevice(devices, device)));
  const lines = useQuery(sparklinesQuery(ids, trend));
  useEffect(() => {
    if (lines.data?.metric !== trend) return;
    for (const id of ids) trends.set(id, ownMember(lines.data.series, id) ?? []);
  }, [lines.data, trend, trends, ids]);
  return { error: rows.error, reload: rows.refetch };
}

/** Watches the rooms of these devices, and leaves those that are no longer among them. */
function useRooms(live: LiveClient, ids: readonly string[], devices: KeyedStore<DeviceView>): void {
  const queries = useQueryClient();
  const watched = useRef(new Map<string, () => void>());
  const reload = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => {
    const wanted = new Set(ids);
    for (const [id, leave] of watched.current) {
      if (wanted.has(id)) continue;
      leave();
      watched.current.delete(id);
    }
    for (const id of ids) {
      if (watched.current.has(id)) continue;
      const reloadSoon = () => {
        reload.current ??= setTimeout(() => {
          reload.current = undefined;
          void queries.invalidateQueries({ queryKey: [DEVICE_ROWS] });
        }, RELOAD_AFTER_MS);
      };
      const leave = live.watch(`device:${id}`, {
        onFrame(data) {
          const device = devices.get(id);
          if (device) devices.set(id, applyToDevice(device, data));
          if (hasGoodbye(data)) reloadSoon();
        },
        onMissed: reloadSoon,
      });
      watched.current.set(id, leave);
    }
  }, [live, ids, devices, queries]);
  useEffect(() => {
    const rooms = watched.current;
    return () => {
      clearTimeout(reload.current);
      reload.current = undefined;
      for (const leave of rooms.values()) leave();
      rooms.clear();
    };
  }, [live, devices]);
}
