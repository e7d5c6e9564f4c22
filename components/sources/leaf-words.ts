import type { Leaf } from "./payload-lines";
import type { Mark } from "../ui/state-mark";
import { reasonWords } from "./words";

/** Rules that ignore a value, in words. */
const RULES: Readonly<Record<string, string>> = {
  when: "a condition doesn’t hold",
  outside: "not under what is read",
  include: "not among the names that are taken",
  exclude: "its name is left out",
  arrays: "lists are left out",
  depth: "deeper than is read",
  null: "no value",
  empty: "empty",
  absent: "stands for no value",
  unused: "another one was taken",
  topic: "not to a topic that is taken",
  noValues: "nothing was left",
};

/** A rule that ignores values, in words. */
export function ruleWords(rule: string): string {
  return Object.hasOwn(RULES, rule) ? RULES[rule]! : rule;
}

/** What became of a leaf: its mark, a word, and the rest. */
export function leafWords({ as, why }: Pick<Leaf, "as" | "why">): {
  readonly mark: Mark;
  readonly word: string;
  readonly more: string;
} {
  switch (as) {
    case "reading":
      return { mark: "ok", word: "reading", more: why };
    case "ignored":
      return { mark: "stale", word: "ignored", more: ruleWords(why) };
    case "refused":
      return { mark: "failing", word: "refused", more: reasonWords(why) };
    default:
      return { mark: "ok", word: as, more: "" };
  }
}
