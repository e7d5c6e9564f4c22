import type { z } from "zod";
import { counted } from "@/server/domain/counted";

/** What schemas call kinds of values, as people do. */
const KINDS: Readonly<Record<string, string>> = {
  ...{ string: "text", number: "a number", int: "a whole number", boolean: "true or false", null: "null" },
  ...{ array: "a list", tuple: "a list", object: "an object", record: "an object", nan: "no number" },
};

/** Says what is wrong with a value and what it has to be, where its schema says nothing of its own; undefined: as the schema library does. */
export function issueWords(issue: z.core.$ZodRawIssue): string | undefined {
  const wanted = wantedBy(issue);
  if (issue.code === "unrecognized_keys") return "isn't known here: leave it out";
  if (issue.code === "too_small" || issue.code === "too_big") return boundWords(issue);
  const nearest = issue.code === "invalid_union" ? nearestWay(issue.errors) : undefined;
  if (nearest !== undefined) return nearest;
  if (wanted === undefined) return undefined;
  // Where one member says which of several it is, it is that member that is wrong.
  const member = issue.code === "invalid_union" ? issue["discriminator"] : undefined;
  const input: unknown = issue.input;
  const given = typeof member === "string" && isObject(input) ? input[member] : input;
  return given === undefined ? `is missing: it must be ${wanted}` : `must be ${wanted}, not ${kindOf(given)}`;
}

/** Says by which bound a value is too small or too large. */
function boundWords(issue: z.core.$ZodRawIssue<z.core.$ZodIssueTooSmall | z.core.$ZodIssueTooBig>): string | undefined {
  const { origin, input } = issue;
  const isLeast = issue.code === "too_small";
  const bound = Number(isLeast ? issue.minimum : issue.maximum);
  if (origin === "number" || origin === "int" || origin === "bigint") {
    const words = issue.inclusive ? `at ${isLeast ? "least" : "most"}` : isLeast ? "more than" : "less than";
    return `must be ${words} ${bound}, not ${kindOf(input)}`;
  }
  const counts = COUNTED[origin];
  if (counts === undefined) return undefined;
  if (isLeast && bound === 1) return "must not be empty";
  const words = issue.exact ? "exactly" : `at ${isLeast ? "least" : "most"}`;
  const { length, size } = input as { readonly length?: number; readonly size?: number };
  return `must have ${words} ${counted(bound, ...counts)}, not ${length ?? size}`;
}

/** What kinds of values are long by. */
const COUNTED: Readonly<Record<string, readonly [one: string, many: string]>> = {
  string: ["character", "characters"],
  array: ["entry", "entries"],
  set: ["entry", "entries"],
};

type Way = readonly z.core.$ZodIssue[];

/** What is wrong by the one of several ways that the value is likest to: it is of its kind, all its members are known, least is wrong with it. Undefined if it is of no way's kind. */
function nearestWay(ways: readonly Way[]): string | undefined {
  const unknown = (way: Way) => way.filter(({ code }) => code === "unrecognized_keys").length;
  const [least] = ways
    .flatMap(waysIn)
    .filter((way) => way.every(({ path, code }) => path.length > 0 || !OF_KIND.has(code)))
    .toSorted((a, b) => unknown(a) - unknown(b) || a.length - b.length);
  return least?.map(({ path, message }) => (path.length === 0 ? message : `${path.join(".")}: ${message}`)).join(", ");
}

/** The ways of a way that is several itself. */
function waysIn(way: Way): readonly Way[] {
  const [only] = way;
  return only?.code === "invalid_union" && only.path.length === 0 ? only.errors.flatMap(waysIn) : [way];
}

/** What is said of a value that is another kind of thing altogether. */
const OF_KIND: ReadonlySet<string> = new Set(["invalid_type", "invalid_value"]);

function wantedBy(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case "invalid_type":
      return KINDS[String(issue.expected)];
    case "invalid_value":
      return (issue.values as readonly unknown[]).map(String).join(" or ");
    case "invalid_union": {
      const options = issue["options"] as readonly unknown[] | undefined;
      if (options !== undefined) return options.map(String).join(" or ");
      // What is wrong within one of the ways isn't that it is none of them.
      const ways = (issue.errors as z.core.$ZodIssue[][]).map(
        ([first]) => first && wantedBy(first as z.core.$ZodRawIssue),
      );
      return ways.length === 0 || ways.includes(undefined) ? undefined : [...new Set(ways)].join(" or ");
    }
    default:
      return undefined;
  }
}

function kindOf(input: unknown): string {
  if (input === null) return "null";
  if (typeof input === "string") return input.length <= 40 ? `the text ${JSON.stringify(input)}` : "a text";
  if (Array.isArray(input)) return "a list";
  return typeof input === "object" ? "an object" : String(input);
}

function isObject(input: unknown): input is Record<string, unknown> {
  return typeof input === "object" && input !== null && !Array.isArray(input);
}
