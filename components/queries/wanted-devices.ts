import type { DeviceState } from "@/server/contracts/devices";
import type { FleetFilter } from "@/server/contracts/fleet";
import { parseFilter } from "@/server/domain/device-filter";
import { type DeviceSort, isDeviceSort } from "@/server/domain/device-lists";
import { queryString } from "./request";

/** The selection and order of devices, as the list's address says it. */
export type WantedDevices = Omit<FleetFilter, "sort"> & { readonly sort: DeviceSort };

/** Trouble first. */
export const DEFAULT_SORT: DeviceSort = "state";

/** Rows that come in full with the order: the first screen. */
const FIRST_ROWS = 40;

/** Labels that a list is of at most. */
export const MOST_LABELS = 8;

const STATES: readonly string[] = ["live", "stale", "silent", "new"] satisfies DeviceState[];

/** Reads what the list's address asks for; what it can't mean is left out. */
export function readWanted(address: URLSearchParams): WantedDevices {
  const [search, site, state, conflicts, sort, where] = ["search", "site", "state", "conflicts", "sort", "where"].map(
    (name) => address.get(name),
  );
  const labels = [...new Set(address.getAll("label"))].filter(Boolean).slice(0, MOST_LABELS);
  return {
    ...(search ? { search } : {}),
    ...(site ? { site } : {}),
    ...(state && STATES.includes(state) ? { state: state as DeviceState } : {}),
    ...(labels.length > 0 ? { label: labels } : {}),
    ...(conflicts === "true" ? { conflicts: true } : {}),
    ...(where && "conditions" in parseFilter(where) ? { where } : {}),
    sort: sort && isDeviceSort(sort) ? sort : DEFAULT_SORT,
  };
}

/** Returns the address that is asked for the order. The page's own answer names it too, so that it is on its way before any script runs. */
export function fleetOrderAddress(wanted: WantedDevices): string {
  return `/api/v1/fleet/order${queryString({ ...wanted, rows: FIRST_ROWS })}`;
}
