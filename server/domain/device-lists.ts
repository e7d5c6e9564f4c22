import { NAME_PATTERN } from "./terms";

/** Most devices that are changed together. */
export const MOST_CHANGED = 400;

/** Most devices that are named in an address; a filter may select more. */
export const MOST_NAMED = 200;

/** What devices are sorted by, besides a metric's latest value. */
export const SORT_FIELDS = [
  "id",
  "site",
  "type",
  "state",
  "messages",
  "conflicts",
  "lastSeen",
  "lastEventTime",
  "firstSeen",
] as const;

/** The order of a list of devices. */
export type DeviceSort =
  | (typeof SORT_FIELDS)[number]
  | `-${(typeof SORT_FIELDS)[number]}`
  | `value:${string}`
  | `-value:${string}`;

/** Every order of a list of devices as text. */
export const SORT_PATTERN = new RegExp(`^-?(?:${SORT_FIELDS.join("|")}|value:${NAME_PATTERN.source.slice(1, -1)})$`);

/** True if a list of devices can be sorted like that. */
export function isDeviceSort(text: string): text is DeviceSort {
  return SORT_PATTERN.test(text);
}
