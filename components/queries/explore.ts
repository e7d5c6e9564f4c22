import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import type { ExploreAnswer, ExploreQuery } from "@/server/contracts/explore";
import type { EpochMs } from "@/server/domain/terms";
import { serverNow } from "../ui/server-time";
import { queryString, readJson } from "./request";
import { readWanted, type WantedDevices } from "./wanted-devices";

/** What Explore shows, as its address says it: one metric of some devices, as series of each device, site or type. */
export interface WantedExplore extends Omit<WantedDevices, "sort"> {
  readonly metric: string | null;
  /** Only these devices; none: all that the filter lets through. */
  readonly devices: readonly string[];
  readonly by: ExploreAnswer["by"];
  readonly previous: NonNullable<ExploreQuery["previous"]> | null;
}

/** A stretch of time by its length, ending now, or by both its ends; in milliseconds. */
type ExploreRange = { readonly spanMs: number } | { readonly from: EpochMs; readonly to: EpochMs };

/** An answer with the stretch it was asked for, epoch milliseconds. */
export interface Explored {
  readonly answer: ExploreAnswer;
  readonly from: EpochMs;
  readonly to: EpochMs;
}

const PREVIOUS: readonly string[] = ["range", "day", "week"] satisfies WantedExplore["previous"][];

/** Reads what Explore's address asks for; what it can't mean is left out. */
export function readExplore(address: URLSearchParams): WantedExplore {
  const { sort: _, ...filter } = readWanted(address);
  const [by, previous] = [address.get("by"), address.get("previous")];
  return {
    ...filter,
    metric: address.get("metric"),
    devices: [...new Set((address.get("devices") ?? "").split(",").filter(Boolean))],
    by: by === "site" || by === "type" ? by : "device",
    previous: previous !== null && PREVIOUS.includes(previous) ? (previous as WantedExplore["previous"]) : null,
  };
}

function parametersOf({ metric, devices, by, previous, ...filter }: WantedExplore, from: EpochMs, to: EpochMs): string {
  return queryString({
    ...{ metric: metric ?? "", devices: devices.length > 0 ? devices.join(",") : undefined, ...filter, by },
    ...{ previous: previous ?? undefined, from: new Date(Math.max(0, from)).toISOString() },
    to: new Date(to).toISOString(),
  });
}

/** How often what goes on live is asked for again: by about a two-hundredth of what is shown. */
function everyMs(spanMs: number): number {
  return Math.min(60_000, Math.max(5000, spanMs / 200));
}

/** One metric of many devices; nothing is asked without a metric. */
export const exploreQuery = (wanted: WantedExplore, range: ExploreRange) =>
  queryOptions({
    queryKey: ["explore", wanted, range],
    queryFn: async ({ signal }): Promise<Explored> => {
      const to = "to" in range ? range.to : serverNow();
      const from = "from" in range ? range.from : to - range.spanMs;
      const answer = await readJson<ExploreAnswer>(`/api/v1/explore${parametersOf(wanted, from, to)}`, signal);
      return { answer, from, to };
    },
    enabled: wanted.metric !== null,
    placeholderData: keepPreviousData,
    staleTime: 5000,
    refetchInterval: "spanMs" in range ? everyMs(range.spanMs) : false,
  });

/** Returns the address of what is shown, as CSV. */
export function exploreCsv(wanted: WantedExplore, { from, to }: Pick<Explored, "from" | "to">): string {
  return `/api/v1/explore.csv${parametersOf(wanted, from, to)}`;
}

/** What a link to Explore may say. */
interface ExploreLink extends Partial<Omit<WantedDevices, "sort">> {
  readonly metric: string | null;
  readonly devices?: readonly string[] | undefined;
  readonly by?: WantedExplore["by"] | undefined;
  /** A range that ends now, as the address has it. */
  readonly range?: string | null | undefined;
  readonly from?: string | null | undefined;
  readonly to?: string | null | undefined;
}

/** Returns the address of the page Explore that shows this. */
export function exploreAddress({ metric, devices, by, range, from, to, ...filter }: ExploreLink): string {
  return `/explore${queryString({
    ...{ metric: metric ?? undefined, devices: devices?.join(",") || undefined, ...filter },
    ...{
      by: by === "device" ? undefined : by,
      range: range ?? undefined,
      from: from ?? undefined,
      to: to ?? undefined,
    },
  })}`;
}
