import type { TimeShade } from "../ui/time-chart-data";

/** Makes one of shades of a color that overlap: laid over each other they would hide the line. */
export function mergeShades(shades: readonly TimeShade[]): TimeShade[] {
  const merged: TimeShade[] = [];
  const lastOf = new Map<string, number>();
  for (const shade of shades.toSorted((a, b) => a.from - b.from)) {
    const at = lastOf.get(shade.color);
    const last = at === undefined ? undefined : merged[at];
    if (last && at !== undefined && shade.from <= last.to) merged[at] = { ...last, to: Math.max(last.to, shade.to) };
    else lastOf.set(shade.color, merged.push(shade) - 1);
  }
  return merged;
}
