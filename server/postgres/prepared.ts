import { createHash } from "node:crypto";
import type { QueryConfig } from "pg";

/**
 * Makes a statement that each connection parses once and plans a few times: of those that run all the time and touch few rows, that is most of
 * the cost. Only for one whose best plan is the same whatever the values are.
 * @returns what to give to `query` for these values.
 */
export function prepared(text: string): (values: readonly unknown[]) => QueryConfig {
  const name = createHash("sha256").update(text).digest("base64url").slice(0, 16);
  return (values) => ({ name, text, values: values as unknown[] });
}
