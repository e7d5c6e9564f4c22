import type { Pool, PoolClient } from "pg";
import { parseFilter } from "@/server/domain/device-filter";
import { listViews } from "./views";

/** What a view may name. */
type Named = "metric" | "site" | "type";

/** The names of the views an account sees that name a metric, site or type by any of its names. */
export async function viewsNaming(
  db: Pool | PoolClient,
  account: number | null,
  of: Named,
  names: readonly string[],
): Promise<string[]> {
  const views = await listViews(db, account);
  return views.filter(({ query }) => namedIn(query, of).some((name) => names.includes(name))).map(({ name }) => name);
}

/** What the query of a view names. */
function namedIn(query: string, of: Named): string[] {
  const parameters = new URLSearchParams(query);
  const where = parseFilter(parameters.get("where") ?? "");
  const conditions = "conditions" in where ? where.conditions : [];
  if (of !== "metric")
    return [
      ...(of === "site" ? parameters.getAll("site") : []),
      ...conditions.flatMap((one) => (one.of === of ? [one.text] : [])),
    ];
  const valueOf = (column: string) => /^-?value:(.+)$/.exec(column)?.[1] ?? [];
  return [
    ...parameters.getAll("metric"),
    ...parameters.getAll("trend"),
    ...[...parameters.getAll("sort"), ...(parameters.get("columns") ?? "").split(",")].flatMap(valueOf),
    ...conditions.flatMap((one) => (one.of === "metric" ? [one.metric] : [])),
  ];
}
