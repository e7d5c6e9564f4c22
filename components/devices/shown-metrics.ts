import type { DeviceView } from "@/server/contracts/devices";
import { inMetricOrder } from "../ui/metric-order";

/** Charts a page draws at most. */
const MOST_METRICS = 12;

/** Stands in an address for no chart at all: nothing would be the one that opens by itself. No metric has such a name. */
export const NO_METRIC = "/";

/** The metrics whose charts are open: those the address names, else the first number, else the first boolean; none where it names texts alone. */
export function shownMetrics(values: DeviceView["values"], asked: string | null): string[] {
  if (asked === NO_METRIC) return [];
  const isDrawn = (name: string) => Object.hasOwn(values, name) && typeof values[name]?.value !== "string";
  const named = [...new Set((asked ?? "").split(",").filter(isDrawn))];
  if (named.length > 0 || openTexts(values, asked).length > 0) return named.slice(0, MOST_METRICS);
  const names = inMetricOrder(Object.keys(values));
  const ofType = (type: string) => names.filter((name) => typeof values[name]?.value === type).slice(0, 1);
  const [number, flag] = [ofType("number"), ofType("boolean")];
  return number.length > 0 ? number : flag;
}

/** The fields of words whose history is open: those the address names. */
export function openTexts(values: DeviceView["values"], asked: string | null): string[] {
  const isText = (name: string) => Object.hasOwn(values, name) && typeof values[name]?.value === "string";
  return [...new Set((asked ?? "").split(",").filter(isText))].slice(0, MOST_METRICS);
}
