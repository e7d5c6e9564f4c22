import { KEPT, type Retention } from "./retention";

/** By what a rule selects series: the name of their metric, or the type or site of their device. The first beats those after it. */
export const SELECTORS = ["metric", "type", "site"] as const;

type Selector = (typeof SELECTORS)[number];

/** How long some series are kept, instead of the general times: all three kinds. */
export interface SeriesRule extends Retention {
  readonly selects: Selector;
  /** A name, or one with * for any characters. */
  readonly pattern: string;
}

/** What rules go by. */
export type SeriesMarks = Readonly<Record<Selector, string | null>>;

/**
 * The rules in the order in which the first that matches holds: metric before type before site; of one selector a name without * first,
 * then the longer pattern, then by the alphabet.
 */
export function inOrder<Rule extends SeriesRule>(rules: readonly Rule[]): Rule[] {
  const rank = ({ selects, pattern }: SeriesRule) => [
    SELECTORS.indexOf(selects),
    Number(pattern.includes("*")),
    -pattern.length,
  ];
  return [...rules].sort((a, b) => {
    const [left, right] = [rank(a), rank(b)];
    const i = left.findIndex((value, place) => value !== right[place]);
    return i < 0 ? (a.pattern < b.pattern ? -1 : 1) : left[i]! - right[i]!;
  });
}

/** Finds the rule that holds for series; null: they go by the general times. @param rules as {@link inOrder} has them. */
export function ruleChooser<Rule extends SeriesRule>(rules: readonly Rule[]): (marks: SeriesMarks) => Rule | null {
  const matchers = rules.map((rule) => ({ rule, matches: matcherOf(rule.pattern) }));
  return (marks) => {
    const found = matchers.find(({ rule, matches }) => {
      const mark = marks[rule.selects];
      return mark !== null && matches(mark);
    });
    return found?.rule ?? null;
  };
}

/** Tells whether a name matches a pattern. */
export function matcherOf(pattern: string): (name: string) => boolean {
  const parts = pattern.split("*");
  const [first, last] = [parts[0]!, parts.at(-1)!];
  if (parts.length === 1) return (name) => name === pattern;
  return (name) => {
    if (name.length < first.length + last.length || !name.startsWith(first) || !name.endsWith(last)) return false;
    let at = first.length;
    for (const part of parts.slice(1, -1)) {
      const found = name.indexOf(part, at);
      if (found < 0) return false;
      at = found + part.length;
    }
    return at <= name.length - last.length;
  };
}

/** The longest each kind is kept of any series: what is older can go as a whole. */
export function longestOf(general: Retention, rules: readonly Retention[]): Retention {
  const all = [general, ...rules];
  return Object.fromEntries(
    KEPT.map((keeps) => {
      const days = all.map((one) => one[keeps]);
      return [keeps, days.includes(null) ? null : Math.max(...days.map(Number))];
    }),
  ) as unknown as Retention;
}
