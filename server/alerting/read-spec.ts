import { type RuleSpec, ruleSpec } from "@/server/domain/alerts/rule";

/** What a rule says, as it is kept; null: it can't be read, be it because somebody wrote it past the API. */
export function readSpec(kept: unknown): RuleSpec | null {
  return ruleSpec.safeParse(kept).data ?? null;
}

/** Those of which is known what they say. */
export function withSpec<T extends { readonly spec: unknown }>(
  rows: readonly T[],
): (T & { readonly spec: RuleSpec })[] {
  return rows.flatMap((row) => {
    const spec = readSpec(row.spec);
    return spec === null ? [] : [{ ...row, spec }];
  });
}
