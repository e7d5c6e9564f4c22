import { z } from "zod";

/** What alerts can be told together by. */
export const GROUP_BY = ["rule", "severity", "site", "type", "device", "metric"] as const;
export type GroupBy = (typeof GROUP_BY)[number];

/** What of an alert a matcher may look at; `label` is one of its device, by the label's key. */
const MATCH_FIELDS = [...GROUP_BY, "label"] as const;
type MatchField = (typeof MATCH_FIELDS)[number];

/** What matchers see of an alert; null: it has none. */
export type Matchable = Readonly<Record<Exclude<MatchField, "label">, string | null>> & {
  readonly labels: Readonly<Record<string, string>>;
};

const value = z
  .string()
  .min(1)
  .max(128)
  .regex(/^[^\u0000-\u001f]*$/, "must not hold control characters");

/** One condition on an alert; `is` and `not` take names, or their beginnings with a * at the end. */
const matcherSchema = z
  .strictObject({
    field: z.enum(MATCH_FIELDS),
    key: value.optional().describe("The key of the label; with the field label, and only with it"),
    is: z.enum(["is", "not"]).default("is"),
    values: z.array(value).min(1).max(64).describe("Any of them; press-* is everything that begins with press-"),
  })
  .refine(({ field, key }) => (field === "label") === (key !== undefined), {
    path: ["key"],
    message: "goes with the field label, and only with it",
  });

export type Matcher = z.output<typeof matcherSchema>;

/** All of them must hold; none: any alert. */
export const matchersSchema = z.array(matcherSchema).max(16);

/** True if every matcher holds for the alert. What an alert doesn't have is no value: `is` fails, `not` holds. */
export function matches(matchers: readonly Matcher[], alert: Matchable): boolean {
  return matchers.every(({ field, key, is, values }) => {
    const own = field === "label" ? alert.labels : null;
    const found =
      own === null ? alert[field as Exclude<MatchField, "label">] : Object.hasOwn(own, key!) ? own[key!]! : null;
    const hit = found !== null && values.some((one) => isLike(found, one));
    return hit === (is === "is");
  });
}

function isLike(found: string, pattern: string): boolean {
  return pattern.endsWith("*") ? found.startsWith(pattern.slice(0, -1)) : found === pattern;
}

/** Matchers as a person reads them: "site is north; severity is not warning". */
export function wordsOfMatchers(matchers: readonly Matcher[]): string {
  if (matchers.length === 0) return "every alert";
  return matchers
    .map(({ field, key, is, values }) => {
      const what = field === "label" ? `label ${key}` : field;
      return `${what} is ${is === "not" ? "not " : ""}${values.join(" or ")}`;
    })
    .join("; ");
}
