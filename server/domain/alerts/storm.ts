import type { EpochMs } from "../terms";
import type { JudgedRule } from "./condition";
import type { ShareOfSiteRule } from "./rule";

/** A device of a site that is silent. */
export interface SilentDevice {
  readonly device: number;
  /** When it was last heard, or said goodbye. */
  readonly since: EpochMs;
  /** The alert of the site that it is beneath; null: of none. */
  readonly parent: string | null;
}

/** What of a site is silent for the same reason. */
export interface Storm {
  /** When the first of them fell silent. */
  readonly from: EpochMs;
  readonly silent: number;
  /** How many of its devices there were to fall silent: those silent for longer don't count. */
  readonly of: number;
  /** So many silent ones make it one. */
  readonly needed: number;
}

/** The most devices that fell silent within one stretch of `withinMs`, and when it began; null: none did. */
function fellTogether(
  silent: readonly Pick<SilentDevice, "since">[],
  withinMs: number,
): { readonly from: EpochMs; readonly count: number } | null {
  const times = silent.map(({ since }) => since).sort((a, b) => a - b);
  let best: { from: EpochMs; count: number } | null = null;
  for (let first = 0, last = 0; last < times.length; last++) {
    while (times[last]! - times[first]! > withinMs) first++;
    const count = last - first + 1;
    // Of the same number, the later: what is new.
    if (best === null || count >= best.count) best = { from: times[first]!, count };
  }
  return best;
}

/**
 * Looks at a site as a rule does.
 * @param silent its silent devices. @param devices how many devices of it the rule is about
 * @param open the alert of the site that there is: it is about what has fallen silent since it began
 * @returns null where nothing is silent for the same reason
 */
export function lookAtSite(
  rule: Pick<ShareOfSiteRule, "atLeast" | "share" | "withinMs">,
  silent: readonly SilentDevice[],
  devices: number,
  open: { readonly id: string; readonly startedAt: EpochMs } | null,
): Storm | null {
  const together = open === null ? fellTogether(silent, rule.withinMs) : null;
  const from = open?.startedAt ?? together?.from;
  if (from === undefined) return null;
  const isOf = ({ since, parent }: SilentDevice) => since >= from || (open !== null && parent === open.id);
  const members = silent.filter(isOf).length;
  const of = devices - (silent.length - members);
  return {
    ...{ from, of, silent: together?.count ?? members },
    // A share like 0.3 isn't quite one: 0.3 × 10 are 3.
    needed: Math.max(rule.atLeast, Math.ceil(rule.share * of - 1e-9)),
  };
}

/** What a rule decides by for a site of which `needed` silent devices are too many: by their number. */
export function shareOf({ severity }: Pick<ShareOfSiteRule, "severity">, needed: number, forMs: number): JudgedRule {
  const bounds = [-Infinity, needed - 0.5] as const;
  const levels = severity === "critical" ? { warning: null, critical: bounds } : { warning: bounds, critical: null };
  const condition = {
    metric: 0,
    place: 0,
    what: "value",
    ...levels,
    clear: null,
    equals: false,
    holdMs: Infinity,
  } as const;
  return { match: "all", conditions: [condition], forMs, keepMs: 0, least: severity };
}
