import type { EpochMs } from "@/server/domain/terms";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** The ranges a chart can show; null is everything there is. */
export const RANGES = [
  { key: "15m", label: "15 min", ms: 15 * MINUTE },
  { key: "1h", label: "1 h", ms: HOUR },
  { key: "6h", label: "6 h", ms: 6 * HOUR },
  { key: "24h", label: "24 h", ms: DAY },
  { key: "7d", label: "7 d", ms: 7 * DAY },
  { key: "30d", label: "30 d", ms: 30 * DAY },
  { key: "all", label: "All", ms: null },
] as const;

export type Range = (typeof RANGES)[number];

/** The range of that key; one hour when there is none. */
export function rangeOf(key: string | null): Range {
  return RANGES.find((range) => range.key === key) ?? RANGES[1];
}

/** A device not heard of (by its own clock) for this long is a recording or gone: charts then end at its last reading. */
export const RECENT_MS = HOUR;

/** Two moments, from before to. */
export interface Stretch {
  readonly from: EpochMs;
  readonly to: EpochMs;
}

/** The stretch an address names by `from` and `to` (RFC 3339), or null if it names none that makes sense. */
export function stretchIn(address: URLSearchParams): Stretch | null {
  const [from, to] = ["from", "to"].map((key) => Date.parse(address.get(key) ?? "")) as [number, number];
  return from >= 0 && from < to ? { from, to } : null;
}

/** The parameters of an address that name a range. */
export function stretchAddress({ from, to }: Stretch): { from: string; to: string } {
  return { from: new Date(from).toISOString(), to: new Date(to).toISOString() };
}
