import type { MetricUseAnswer, MetricView } from "@/server/contracts/metrics";

/** A metric as the list shows it. */
export interface ListedMetric extends MetricView {
  /** Devices that have it among their latest values; null while that isn't known. */
  readonly devices: number | null;
  /** Event time of the latest value of any device, RFC 3339. */
  readonly lastEventTime: string | null;
}

/** The metrics with their use; undefined while that isn't known. */
export function listedMetrics(
  metrics: readonly MetricView[],
  use: MetricUseAnswer["items"] | undefined,
): readonly ListedMetric[] {
  const used = new Map(use?.map((one) => [one.name, one]));
  return metrics.map((metric) => {
    const found = used.get(metric.name);
    return { ...metric, devices: use ? (found?.devices ?? 0) : null, lastEventTime: found?.lastEventTime ?? null };
  });
}

/** What the list can be narrowed to. */
export const ONLY = {
  number: { label: "Numbers", holds: (metric) => metric.kind === "number" },
  boolean: { label: "Booleans", holds: (metric) => metric.kind === "boolean" },
  "no-unit": { label: "No unit", holds: lacksUnit },
  unused: { label: "In no device", holds: (metric) => metric.devices === 0 },
} as const satisfies Record<string, { label: string; holds: (metric: ListedMetric) => boolean }>;

/** A number without a unit at some device; while it isn't known which devices have it, one without any unit. */
function lacksUnit({ kind, unit, ownUnits, devices }: ListedMetric): boolean {
  return kind === "number" && unit === null && ownUnits < Math.max(1, devices ?? 0);
}

export type Only = keyof typeof ONLY;

/** The fields the list can be sorted by; times and counts begin with the most. */
const SORTS = ["name", "kind", "unit", "owner", "devices", "lastEventTime", "firstSeen"] as const;
export type SortField = (typeof SORTS)[number];
export type Sort = SortField | `-${SortField}`;

const DESCENDING_FIRST: ReadonlySet<SortField> = new Set(["devices", "lastEventTime", "firstSeen"]);

/** What the address asks for; what it can't is as nothing. */
export function readWanted(address: URLSearchParams): { search: string; only: Only | null; sort: Sort } {
  const [only, sort] = [address.get("only") ?? "", address.get("sort") ?? ""];
  return {
    search: address.get("search") ?? "",
    only: Object.hasOwn(ONLY, only) ? (only as Only) : null,
    sort: (SORTS as readonly string[]).includes(sort.replace(/^-/, "")) ? (sort as Sort) : "name",
  };
}

/** The order after a click on a column's head: the same column turns around. */
export function nextSort(sort: Sort, field: SortField): Sort {
  const first: Sort = DESCENDING_FIRST.has(field) ? `-${field}` : field;
  if (sort !== first) return first;
  return DESCENDING_FIRST.has(field) ? field : `-${field}`;
}

/** True if part of the name, the unit or the owner is what is searched for. */
export function isFound(
  { name, unit, units, owner }: Pick<ListedMetric, "name" | "unit" | "units" | "owner">,
  search: string,
): boolean {
  const text = search.toLowerCase();
  return [name, unit ?? "", ...units.map((one) => one.unit), owner ?? ""].some((part) =>
    part.toLowerCase().includes(text),
  );
}

/** Metrics in order. What has no value in that column comes last either way; equal ones are in order of their names. */
export function inOrder(metrics: readonly ListedMetric[], sort: Sort): readonly ListedMetric[] {
  const field = sort.replace(/^-/, "") as SortField;
  const turn = sort.startsWith("-") ? -1 : 1;
  const byName = (a: ListedMetric, b: ListedMetric) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
  return metrics.toSorted((a, b) => {
    const [x, y] = [a[field], b[field]];
    if (x === y) return byName(a, b) * (field === "name" ? turn : 1);
    if (x === null) return 1;
    if (y === null) return -1;
    return (x < y ? -1 : 1) * turn;
  });
}
