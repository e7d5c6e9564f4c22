import { isHeld, type JsonReading } from "@/server/domain/json";

type Branch = Record<string, unknown>;

/** Builds a tree of something that isn't JSON: numbers keep their digits as those of JSON do, and no key is special. */
export interface TreeBuilder {
  branch(): Branch;
  set(branch: Branch, key: string, value: unknown): void;
  /** Sets a number as it is written in decimal. */
  setNumber(branch: Branch, key: string, token: string): void;
  done(root: unknown): JsonReading;
}

/** A number of at most so many characters is always held by a double: 15 digits. */
const SURELY_HELD = 15;

export function buildTree(): TreeBuilder {
  const tokens = new Map<object, Map<string, string>>();
  function set(branch: Branch, key: string, value: unknown) {
    if (key === "__proto__")
      Object.defineProperty(branch, key, { value, enumerable: true, configurable: true, writable: true });
    else branch[key] = value;
  }
  return {
    branch: () => ({}),
    set,
    setNumber(branch, key, token) {
      set(branch, key, Number(token));
      if (token.length <= SURELY_HELD || isHeld(token)) return;
      const there = tokens.get(branch);
      if (there) there.set(key, token);
      else tokens.set(branch, new Map([[key, token]]));
    },
    done: (json) => ({ json, tokens }),
  };
}
