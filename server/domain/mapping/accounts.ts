import type { Leaf } from "./delivery";
import { below, type Place } from "./paths";

type Fate = Omit<Leaf, "path">;

/** Deeper than any mapping reads; what is there counts as one leaf. */
const DEEPEST = 32;
const OUTSIDE: Fate = { as: "ignored", why: "outside" };

/** Notes what becomes of each place of a tree; a place's fate is that of all below it that have none of their own. */
export interface Accounts {
  /** A reading or a refusal outweighs all else, and any use being ignored. */
  note(parent: object, key: string, as: Leaf["as"], why: string): void;
  /** Every leaf under a root once. @param write the path of a leaf, as it is told. */
  leavesOf(root: Place, write: (path: string) => string): Leaf[];
}

export function createAccounts(): Accounts {
  const fates = new Map<object, Map<string, Fate>>();
  return {
    note(parent, key, as, why) {
      let of = fates.get(parent);
      if (!of) fates.set(parent, (of = new Map()));
      const before = of.get(key);
      if (before === undefined || before.as === "ignored" || as === "reading" || as === "refused")
        of.set(key, { as, why });
    },
    leavesOf(root, write) {
      const leaves: Leaf[] = [];
      const walk = (parent: object, key: string, path: string, inherited: Fate, depth: number): void => {
        const fate = fates.get(parent)?.get(key) ?? inherited;
        const value = (parent as Record<string, unknown>)[key];
        const keys = typeof value === "object" && value !== null ? Object.keys(value) : [];
        if (keys.length === 0 || depth > DEEPEST) leaves.push({ path: write(path), ...fate });
        else for (const child of keys) walk(value as object, child, below(path, child), fate, depth + 1);
      };
      walk(root.parent, root.key, "", OUTSIDE, 0);
      return leaves;
    },
  };
}
