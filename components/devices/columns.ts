import type { MetricsAnswer } from "@/server/contracts/metrics";
import type { DeviceSort } from "@/server/contracts/fleet";
import { isName } from "@/server/domain/terms";
import { inMetricOrder } from "../ui/metric-order";

/** A column of the list besides state and id, which are always there. `value:` is one metric's latest value. */
export type ColumnId = (typeof PLAIN)[number]["id"] | `value:${string}`;

export interface Column {
  readonly id: ColumnId;
  readonly label: string;
  /** Pixels; a column never changes its width. */
  readonly width: number;
  readonly isNumber: boolean;
  /** The order that its head asks for; without one, it sorts nothing. */
  readonly sort?: SortField;
}

/** The columns in display order; values come before the trend. */
const PLAIN = [
  { id: "lastSeen", label: "Last seen", width: 120, isNumber: true, sort: "lastSeen" },
  { id: "site", label: "Site", width: 108, isNumber: false, sort: "site" },
  { id: "type", label: "Type", width: 108, isNumber: false, sort: "type" },
  { id: "labels", label: "Labels", width: 200, isNumber: false },
  { id: "trend", label: "Trend", width: 120, isNumber: false },
  { id: "messages", label: "Messages", width: 100, isNumber: true, sort: "messages" },
  { id: "conflicts", label: "Conflicts", width: 100, isNumber: true, sort: "conflicts" },
  { id: "lastEventTime", label: "Event time", width: 100, isNumber: true, sort: "lastEventTime" },
  { id: "firstSeen", label: "First seen", width: 100, isNumber: true, sort: "firstSeen" },
] as const satisfies readonly (Omit<Column, "id"> & { id: string })[];

/** Columns from this one on come after the values. */
const AFTER_VALUES = PLAIN.findIndex(({ id }) => id === "trend");

/** Columns that can be chosen besides the metrics. */
export const PLAIN_COLUMNS: readonly { readonly id: ColumnId; readonly label: string }[] = PLAIN;

const VALUE_WIDTH = 112;
const DEFAULT_PLAIN: readonly ColumnId[] = ["lastSeen", "site", "type", "trend", "messages"];
const DEFAULT_VALUES = 3;
/** More would make the list slow, and nobody reads them. */
export const MOST_VALUES = 12;

/** The columns somebody chose; null is the default, which follows what the fleet reports. */
export interface ColumnChoice {
  readonly columns: readonly ColumnId[] | null;
  /** The metric of the trend. */
  readonly trend: string | null;
}

export const NO_CHOICE: ColumnChoice = { columns: null, trend: null };

/** The metric a column shows, or null if it shows something else. */
export function metricOf(column: ColumnId): string | null {
  return column.startsWith("value:") ? column.slice("value:".length) : null;
}

/** Columns chosen and their trend, made whole by the default: `common` are metrics, the most common first; labels are shown where devices have some. */
export function resolveChoice({ columns, trend }: ColumnChoice, common: readonly string[], hasLabels = false) {
  const values = inMetricOrder(common.slice(0, DEFAULT_VALUES)).map((name): ColumnId => `value:${name}`);
  const chosen = columns ?? [...DEFAULT_PLAIN, ...(hasLabels ? (["labels"] as const) : []), ...values];
  return { columns: toColumns(chosen), trend: trend ?? inMetricOrder(common.slice(0, DEFAULT_VALUES))[0] ?? null };
}

function toColumns(chosen: readonly ColumnId[]): Column[] {
  const plain: readonly Column[] = PLAIN.filter(({ id }) => chosen.includes(id));
  const names = inMetricOrder(chosen.flatMap((id) => metricOf(id) ?? []));
  const values = names.map((name): Column => ({
    id: `value:${name}`,
    label: name,
    width: VALUE_WIDTH,
    isNumber: true,
    sort: `value:${name}`,
  }));
  const at = plain.findIndex(({ id }) => PLAIN.findIndex((one) => one.id === id) >= AFTER_VALUES);
  return at === -1 ? [...plain, ...values] : [...plain.slice(0, at), ...values, ...plain.slice(at)];
}

/** Metrics in the order of the list's columns. */
export function metricNames(metrics: MetricsAnswer["items"]): string[] {
  return inMetricOrder(metrics.map(({ name }) => name));
}

/** Reads a kept choice; what can't be read is none. */
export function readChoice(text: string | null): ColumnChoice {
  try {
    const { columns, trend } = JSON.parse(text ?? "") as { columns?: unknown; trend?: unknown };
    return {
      columns: Array.isArray(columns) ? columns.filter(isColumnId).slice(0, PLAIN.length + MOST_VALUES) : null,
      trend: isName(trend) ? trend : null,
    };
  } catch {
    return NO_CHOICE;
  }
}

function isColumnId(id: unknown): id is ColumnId {
  if (typeof id !== "string") return false;
  return PLAIN.some((column) => column.id === id) || (id.startsWith("value:") && isName(id.slice("value:".length)));
}

/** The order after a click on a column's head: the same column turns around. */
export function nextSort(sort: DeviceSort, field: SortField): DeviceSort {
  // The latest and the most come first; names from a, states from trouble, values from the lowest.
  const first: DeviceSort = LATEST_FIRST.includes(field) ? (`-${field}` as DeviceSort) : field;
  if (sort !== first) return first;
  return first.startsWith("-") ? field : (`-${field}` as DeviceSort);
}

/** What a list can be sorted by, either way. */
export type SortField = Exclude<DeviceSort, `-${string}`>;

const LATEST_FIRST: readonly SortField[] = ["lastSeen", "lastEventTime", "firstSeen", "messages", "conflicts"];

/** Writes chosen columns for the address, which a link takes along; nothing is the default. */
export function choiceText({ columns, trend }: ColumnChoice): { columns: string | null; trend: string | null } {
  return { columns: columns === null ? null : columns.join(","), trend };
}

/** Reads the columns of the address; null where it names none. */
export function choiceIn(address: URLSearchParams): ColumnChoice | null {
  const [columns, trend] = [address.get("columns"), address.get("trend")];
  if (columns === null && trend === null) return null;
  return readChoice(JSON.stringify({ columns: columns?.split(","), trend }));
}
