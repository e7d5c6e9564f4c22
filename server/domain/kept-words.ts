import { counted } from "./counted";
import { KEPT, type Kept, type Retention } from "./retention";
import type { SeriesRule } from "./series-rules";

/** One way in which readings of a metric are kept. */
export interface KeptWay extends Retention {
  /** The rule it goes by; null: the general times. */
  readonly rule: Pick<SeriesRule, "selects" | "pattern"> | null;
}

const LABELS: Readonly<Record<Kept, string>> = { raw: "readings", minutes: "minutes", hours: "hours" };

/** "90 days", "2 years", "for ever" */
export function keptWords(days: number | null): string {
  if (days === null) return "for ever";
  return days % 365 === 0 ? counted(days / 365, "year") : counted(days, "day");
}

/** The ways in order: who keeps readings for the shortest time first, then minutes, then hours. */
export function shortestFirst<Way extends Retention>(ways: readonly Way[]): Way[] {
  return [...ways].sort((a, b) => {
    const kind = KEPT.find((keeps) => a[keeps] !== b[keeps]);
    return kind === undefined ? 0 : (a[kind] ?? Infinity) - (b[kind] ?? Infinity);
  });
}

/** "90 days", or "30 days to 2 years" where ways differ, of one kind. */
export function spanWords(ways: readonly KeptWay[], keeps: Kept): string {
  const { shortest, longest } = endsOf(ways, keeps);
  const [from, to] = [keptWords(shortest[keeps]), keptWords(longest[keeps])];
  return from === to ? from : `${from} to ${to}`;
}

/** "readings 90 days, minutes 2 years, hours for ever"; where ways differ the shortest and the longest, each with what it goes by. */
export function waysWords(ways: readonly KeptWay[]): string {
  const parts = KEPT.map((keeps) => {
    const { shortest, longest } = endsOf(ways, keeps);
    if (shortest[keeps] === longest[keeps]) return `${LABELS[keeps]} ${keptWords(shortest[keeps])}`;
    return `${LABELS[keeps]} ${keptWords(shortest[keeps])} (${by(shortest)}) to ${keptWords(longest[keeps])} (${by(longest)})`;
  });
  const [only, another] = ways;
  return `${parts.join(", ")}${another === undefined && only?.rule ? `, by the rule for ${by(only)}` : ""}`;
}

function endsOf(ways: readonly KeptWay[], keeps: Kept): { readonly shortest: KeptWay; readonly longest: KeptWay } {
  const inOrder = [...ways].sort((a, b) => (a[keeps] ?? Infinity) - (b[keeps] ?? Infinity));
  return { shortest: inOrder[0]!, longest: inOrder.at(-1)! };
}

function by({ rule }: KeptWay): string {
  return rule === null ? "generally" : `${rule.selects} ${rule.pattern}`;
}
