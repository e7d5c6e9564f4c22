import { formatDuration } from "@/server/domain/duration";
import type { Limit } from "@/server/domain/alerts/rule";

const UNITS = { ms: 1, s: 1000, min: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Reads a length of time in milliseconds: "5 min", "1 h 30 min"; 0 for nothing, null for what is none. A bare number is of seconds. */
export function parseDuration(text: string): number | null {
  const said = text.trim();
  if (said === "") return 0;
  const parts = [...said.matchAll(/(\d+(?:\.\d+)?)\s*(ms|s|min|m|h|d)?\s*/gy)];
  if (parts.map(([whole]) => whole).join("") !== said) return null;
  const ms = parts.reduce(
    (sum, [, figure, unit = "s"]) => sum + Number(figure) * UNITS[(unit === "m" ? "min" : unit) as keyof typeof UNITS],
    0,
  );
  return Math.round(ms);
}

/** Writes a length of time as a field holds it; nothing for 0. */
export function durationText(ms: number): string {
  return ms === 0 ? "" : formatDuration(ms);
}

/** Writes a limit as a field holds it: "80", "10 to 80"; nothing for none. */
export function limitText(limit: Limit | undefined): string {
  return limit === undefined ? "" : typeof limit === "number" ? String(limit) : `${limit[0]} to ${limit[1]}`;
}

/** Reads a limit, or two where it is a pair. Undefined for nothing, null for what is none. */
export function parseLimit(text: string, isPair: boolean): Limit | undefined | null {
  const said = text.trim().replaceAll("−", "-");
  if (said === "") return undefined;
  const numbers = (isPair ? said.split(/\s+to\s+|\s*;\s*/) : [said]).map((one) => Number(one === "" ? NaN : one));
  if (numbers.length !== (isPair ? 2 : 1) || !numbers.every(Number.isFinite)) return null;
  return isPair ? [numbers[0]!, numbers[1]!] : numbers[0]!;
}
