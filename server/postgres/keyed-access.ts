/** The join strategies a few thousand keys against a large table must not fall into, nor checks of foreign keys against one that was empty. Goes with BEGIN. */
export const KEYED_ACCESS = [
  "SET LOCAL enable_hashjoin = off",
  "SET LOCAL enable_mergejoin = off",
  "SET LOCAL enable_seqscan = off",
  "SET LOCAL jit = off",
] as const;
