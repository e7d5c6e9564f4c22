import { writeNumber } from "./numbers";
import type { NumberTokens, RepeatedPlaces } from "../json";
import type { Delivery } from "./delivery";
import { follow, hasEmptyPart, parsePath, type Path, type Place } from "./paths";

/** What a template is filled in from: the element at hand, and what is around it. */
export interface Scope {
  readonly delivery: Delivery;
  readonly element: Place;
  /** The key or index by which `each` took the element. */
  readonly key: string;
  /** The root of what the decoder made. */
  readonly envelope: Place;
  /** What the decoder knows of the part. */
  readonly part: Readonly<Record<string, string>>;
  readonly tokens: NumberTokens;
  /** What comes again in its object: which value is meant can't be known. Null if nothing does. */
  readonly repeated: RepeatedPlaces | null;
}

export interface Template {
  /** The text, or null where something of it isn't there or empty. */
  fill(scope: Scope): string | null;
  /** The places in the payload it is filled in from. */
  places(scope: Scope): readonly Place[];
  /** Paths from the element that it reads. */
  readonly paths: readonly Path[];
  /** Paths from the envelope that it reads. */
  readonly outerPaths: readonly Path[];
  /** True if it reads only what came beside the payload. */
  readonly isOutside: boolean;
}

type Read = (scope: Scope) => string | null;

/** What a template reads besides the part, by the word before the dot. */
const BESIDE: Readonly<Record<string, (rest: Path, scope: Scope) => string | number | null | undefined>> = {
  "@key": (_rest, { key }) => key,
  topic: ([level], { delivery: { beside } }) =>
    level === undefined || beside.topic === null ? beside.topic : levelAt(beside.topic.split("/"), level),
  path: ([level], { delivery: { beside } }) =>
    level === undefined ? beside.path.join("/") : levelAt(beside.path, level),
  query: ([name], { delivery: { beside } }) => member(beside.query, name),
  header: ([name], { delivery: { beside } }) => member(beside.headers, name?.toLowerCase()),
  kafka: ([what, name], { delivery: { beside } }) => {
    if (beside.kafka === null) return null;
    if (what === "headers") return member(beside.kafka.headers, name);
    return what === "key" || what === "topic" || what === "timestamp" ? beside.kafka[what] : null;
  },
  part: ([name], { part }) => member(part, name),
};

/** What is wrong with a template, or null. */
export function problemOf(template: string): string | null {
  let open = false;
  for (const char of template) {
    if (char === "{" && open) return "has a { within braces";
    if (char === "}" && !open) return "has a } without its {";
    if (char === "{" || char === "}") open = char === "{";
  }
  if (open) return "has a { without its }";
  const bad = template.split(/\{([^{}]*)\}/).find((piece, i) => i % 2 === 1 && hasEmptyPart(piece));
  return bad === undefined
    ? null
    : String.raw`has a dot without a key before or behind it in {${bad}}; an empty key is written \e`;
}

/** Reads a template; `stars` are what {@link Glob} found, written {*} or {*1} for the first, {*2} for the second. */
export function compileTemplate(template: string): Template {
  const pieces = template.split(/\{([^{}]*)\}/);
  const paths: Path[] = [];
  const inEnvelope: Path[] = [];
  let isOutside = true;
  const reads = pieces.map((piece, i): Read => {
    if (i % 2 === 0) return () => piece;
    const path = parsePath(piece);
    const [first, ...rest] = path;
    if (first === "envelope") {
      inEnvelope.push(rest);
      isOutside = false;
      return (scope) => textAt(scope.envelope, rest, scope.tokens);
    }
    const beside = first !== undefined && Object.hasOwn(BESIDE, first) ? BESIDE[first]! : null;
    if (first === "part" || first === "@key" || beside === null) isOutside = false;
    if (beside !== null) return (scope) => textOf(beside(rest, scope));
    paths.push(path);
    return (scope) => textAt(scope.element, path, scope.tokens);
  });
  const read = reads.filter((_read, i) => i % 2 === 1 || pieces[i] !== "");
  return {
    paths,
    outerPaths: inEnvelope,
    isOutside,
    fill:
      read.length === 1
        ? read[0]!
        : (scope) => {
            let text = "";
            for (const next of read) {
              const piece = next(scope);
              if (piece === null) return null;
              text += piece;
            }
            return text;
          },
    places: (scope) =>
      [
        ...paths.map((path) => follow(scope.element, path)),
        ...inEnvelope.map((path) => follow(scope.envelope, path)),
      ].filter((place) => place !== undefined),
  };
}

/** One level (from the last, if below 0), with a + all from it on, or all from one to another (`1:-2`). */
function levelAt(levels: readonly string[], level: string): string | undefined {
  const range = /^(-?\d+):(-?\d+)$/.exec(level);
  if (range !== null) {
    const [first, last] = [Number(range[1]), Number(range[2])];
    return levels.slice(first, last === -1 ? undefined : last + 1).join("/");
  }
  if (/^-?\d+\+$/.test(level)) return levels.slice(Number(level.slice(0, -1))).join("/");
  return /^-?\d+$/.test(level) ? levels.at(Number(level)) : undefined;
}

function member(record: Readonly<Record<string, string>>, name: string | undefined): string | undefined {
  return name !== undefined && Object.hasOwn(record, name) ? record[name] : undefined;
}

function textOf(value: string | number | null | undefined): string | null {
  return value === undefined || value === null || value === "" ? null : String(value);
}

/** A scalar as text, numbers with the digits they were written with; null for none, nothing and what holds others. */
function textAt(from: Place, path: Path, tokens: NumberTokens): string | null {
  const place = follow(from, path);
  if (place === undefined) return null;
  const { value } = place;
  if (typeof value === "string") return value === "" ? null : value;
  if (typeof value === "number") return writeNumber(value, tokens.get(place.parent)?.get(place.key));
  return typeof value === "boolean" ? String(value) : null;
}
