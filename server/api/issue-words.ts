import type { z } from "zod";

/** What schemas call kinds of values, as people do. */
const KINDS: Readonly<Record<string, string>> = {
  ...{ string: "text", number: "a number", int: "a whole number", boolean: "true or false", null: "null" },
  ...{ array: "a list", tuple: "a list", object: "an object", record: "an object", nan: "no number" },
};

/** Says what is wrong with a value and what it has to be, where its schema says nothing of its own; undefined: as the schema library does. */
export function issueWords(issue: z.core.$ZodRawIssue): string | undefined {
  const wanted = wantedBy(issue);
  if (issue.code === "unrecognized_keys") return "isn't known here: leave it out";
  const nearest = issue.code === "invalid_union" ? nearestWay(issue.errors) : undefined;
  if (nearest !== undefined) return nearest;
  if (wanted === undefined) return undefined;
  // Where one member says which of several it is, it is that member that is wrong.
  const member = issue.code === "invalid_union" ? issue["discriminator"] : undefined;
  const input: unknown = issue.input;
  const given = typeof member === "string" && isObject(input) ? input[member] : input;
  return given === undefined ? `is missing: it must be ${wanted}` : `must be ${wanted}, not ${kindOf(given)}`;
}

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
