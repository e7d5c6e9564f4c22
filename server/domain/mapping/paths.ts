import type { RepeatedPlaces } from "../json";

/** Keys and indexes from a root. */
export type Path = readonly string[];

/** Reads a path: keys apart by dots; a backslash keeps the dot or backslash after it in the key, and `\e` is an empty key. "" is the root itself. */
export function parsePath(text: string): Path {
  if (text === "") return [];
  const keys = [""];
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!;
    if (char === "\\" && i + 1 < text.length) keys[keys.length - 1] += text[++i] === "e" ? "" : text[i]!;
    else if (char === ".") keys.push("");
    else keys[keys.length - 1] += char;
  }
  return keys;
}

/** A dot at an end, or right after another; one behind an odd number of backslashes is of a key. */
const EMPTY_PART = /^\.|(?<!\\)(?:\\\\)*\.(?:\.|$)/;

/** True for a path with a part without a key, such as the last of "a.": hardly ever meant, and an empty key can be written. */
export function hasEmptyPart(text: string): boolean {
  return EMPTY_PART.test(text);
}

const EMPTY = String.raw`\e`;

function writeKey(key: string): string {
  if (key === "") return EMPTY;
  return /[.\\]/.test(key) ? key.replaceAll(/[.\\]/g, String.raw`\$&`) : key;
}

/** Writes a path, one way for each. */
export function writePath(path: Path): string {
  return path.map(writeKey).join(".");
}

/** The path of something below another. */
export function below(path: string, key: string): string {
  return path === "" ? writeKey(key) : `${path}.${writeKey(key)}`;
}

/** A place in a tree: a member of an object or array. The root is the member "" of a holder made for it. */
export interface Place {
  readonly parent: object;
  readonly key: string;
  readonly value: unknown;
}

/** The name of what comes more than once of these places; null if nothing does. */
export function nameTwice(places: readonly Place[], repeated: RepeatedPlaces | null): string | null {
  if (repeated === null) return null;
  for (const { parent, key } of places) {
    const name = repeated.nameAt(parent, key);
    if (name !== null) return name;
  }
  return null;
}

/** Says of what comes more than once, where one value is needed. */
export function moreThanOnce(name: string): string {
  return `${JSON.stringify(name.slice(0, 80))} is there more than once`;
}

/** Follows a path from a place; undefined where nothing is. */
export function follow(place: Place, path: Path): Place | undefined {
  if (path.length === 0) return place;
  let parent: unknown = place.value;
  for (let i = 0; ; i++) {
    if (typeof parent !== "object" || parent === null) return undefined;
    const key = path[i]!;
    if (!Object.hasOwn(parent, key)) return undefined;
    const value = (parent as Record<string, unknown>)[key];
    if (i === path.length - 1) return value === undefined ? undefined : { parent, key, value };
    parent = value;
  }
}
