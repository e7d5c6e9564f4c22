import type { Mapping } from "./mapping";
import { below, follow, parsePath, type Place, writePath } from "./paths";

/** One of the things in a part that has a device and a time. */
export interface Element {
  readonly place: Place;
  /** From the part's root. */
  readonly path: string;
  /** Its key or index; "" where there is only one. */
  readonly key: string;
}

/** Finds a part's elements; a text says why there are none. */
export function compileElements(each: Mapping["each"]): (root: Place) => readonly Element[] | string {
  if (each === null) return (root) => [{ place: root, path: "", key: "" }];
  const path = parsePath(each.path);
  const written = writePath(path);
  const name = written === "" ? "the payload" : written;
  return (root) => {
    const found = follow(root, path);
    const value = found?.value;
    const isThere = typeof value === "object" && value !== null && Array.isArray(value) === (each.of === "array");
    if (!isThere && each.optional) return [{ place: root, path: "", key: "" }];
    if (!isThere) return `${name} is no ${each.of}`;
    return Object.keys(value).map((key) => ({
      place: { parent: value, key, value: (value as Record<string, unknown>)[key] },
      path: below(written, key),
      key,
    }));
  };
}
