import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import type { DevicesAnswer, DeviceView } from "@/server/contracts/devices";
import type { FleetOrder, FleetSummary, Sparklines } from "@/server/contracts/fleet";
import { fleetOrderAddress, type WantedDevices } from "./wanted-devices";
import type { LiveClient } from "../live/client";
import { snapshotDevices } from "../live/snapshot-devices";
import { browserNow, takeFirstTime } from "../ui/server-time";
import { queryString, readJson, readText } from "./request";

/** The order that came with the page itself, and the address it was asked for by. */
export interface FirstOrder {
  readonly asked: string;
  readonly order: FleetOrder;
}

/** The answer that came with the page itself, as if just loaded; it tells the server's time before any other answer does. */
function taken(order: FleetOrder): FleetOrder {
  takeFirstTime(Date.parse(order.time));
  return order;
}

export const FLEET_ORDER = "fleet order";

/**
 * The order of all devices that match. It is loaded once and stays, so that no row moves under the eye; the summary
 * tells when it would be another. Only an empty one, or none, is asked for again by itself.
 */
export const fleetOrderQuery = (wanted: WantedDevices, first: FirstOrder | null) =>
  queryOptions({
    queryKey: [FLEET_ORDER, wanted],
    queryFn: ({ signal }) => readJson<FleetOrder>(fleetOrderAddress(wanted), signal),
    ...(first?.asked === fleetOrderAddress(wanted)
      ? { initialData: () => taken(first.order), initialDataUpdatedAt: browserNow() }
      : {}),
    placeholderData: keepPreviousData,
    staleTime: 30_000,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
    refetchInterval: ({ state }) => (state.data === undefined || state.data.ids.length === 0 ? 3000 : false),
  });

/** Counts by state and site, and the fingerprint of the order as it would be now. */
export const fleetSummaryQuery = (wanted: WantedDevices) =>
  queryOptions({
    queryKey: ["fleet summary", wanted],
    queryFn: ({ signal }) => readJson<FleetSummary>(`/api/v1/fleet/summary${queryString({ ...wanted })}`, signal),
    placeholderData: keepPreviousData,
    refetchInterval: 5000,
  });

export const DEVICE_ROWS = "device rows";

/**
 * The devices on screen; each one's room keeps it up to date, and a reload now and then finds what rooms don't tell.
 * `take` gets each device at once, so that the room's next frame finds it.
 */
export const deviceRowsQuery = (live: LiveClient, ids: readonly string[], take: (device: DeviceView) => void) =>
  queryOptions({
    queryKey: [DEVICE_ROWS, ids],
    queryFn: async ({ signal }) => {
      const devices = await snapshotDevices(live, ids, async () => {
        const query = queryString({ ids: ids.join(","), limit: ids.length });
        return (await readJson<DevicesAnswer>(`/api/v1/devices${query}`, signal)).items;
      });
      devices.forEach(take);
      return devices.length;
    },
    enabled: ids.length > 0,
    refetchInterval: 15_000,
    staleTime: 0,
    gcTime: 10_000,
  });

/** The last hour of one metric of the devices on screen. */
export const sparklinesQuery = (ids: readonly string[], metric: string | null) =>
  queryOptions({
    queryKey: ["sparklines", metric, ids],
    queryFn: ({ signal }) => {
      const query = queryString({ ids: ids.join(","), metric: metric ?? "" });
      return readJson<Sparklines>(`/api/v1/fleet/sparklines${query}`, signal);
    },
    enabled: metric !== null && ids.length > 0,
    refetchInterval: 30_000,
    gcTime: 10_000,
  });

/** Returns the address of these devices' CSV, with a column for each of `metrics`. */
export function devicesCsv(wanted: WantedDevices, metrics: readonly string[]): string {
  return `/api/v1/devices.csv${queryString({ ...wanted, metrics: metrics.join(",") })}`;
}

/** Letters of names in one address: servers take no longer ones, with all that goes along. */
const NAMES_AT_ONCE = 4000;

/**
 * The CSV of these devices, in their order by name, with a column for each of `metrics`; asked for in as many requests as their names need.
 * @throws RequestError when one of them fails: then there is no file.
 */
export async function chosenDevicesCsv(ids: readonly string[], metrics: readonly string[]): Promise<string> {
  const parts: string[][] = [[]];
  let length = 0;
  for (const id of [...ids].sort()) {
    length += id.length + 1;
    if (length > NAMES_AT_ONCE) {
      parts.push([]);
      length = id.length + 1;
    }
    parts.at(-1)!.push(id);
  }
  const texts: string[] = [];
  for (const part of parts)
    texts.push(
      await readText(`/api/v1/devices.csv${queryString({ ids: part.join(","), metrics: metrics.join(",") })}`),
    );
  // Each begins with the same head.
  return texts.map((text, i) => (i === 0 ? text : text.slice(text.indexOf("\n") + 1))).join("");
}

/** Devices that hold a text in id, site or type, for choosing one. */
export const deviceSearchQuery = (search: string) =>
  queryOptions({
    queryKey: ["device search", search],
    queryFn: ({ signal }) =>
      readJson<DevicesAnswer>(`/api/v1/devices${queryString({ search, limit: 30, sort: "id" })}`, signal),
    placeholderData: keepPreviousData,
    enabled: search !== "",
    gcTime: 30_000,
  });
