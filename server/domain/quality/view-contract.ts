import { CATALOG, type Dataset } from "../lineage";
import type { Contracted } from "./contract";

/** What the views hold that people read by SQL. */
const VIEWS: readonly (readonly [view: string, of: Dataset])[] = [
  ["reading", "readings"],
  ["reading_minute", "minutes"],
  ["reading_hour", "hours"],
];
/** Columns that are never NULL. */
const REQUIRED = new Set(["device", "metric", "time", "value", "block", "bucket", "count", "min", "max"]);
const LOGICAL = { text: "string", integer: "integer", "double precision": "number", timestamptz: "timestamp" } as const;

/**
 * The contract of the views as they lie in PostgreSQL, which a program that tests contracts can hold against a database: columns with their types, no
 * reading twice, each metric within its valid range, rollups that can be.
 * @param owner who answers for the data; null: nobody has said
 */
export function viewContractOf(
  { site, metrics }: Pick<Contracted, "site" | "metrics">,
  version: string,
  owner: string | null,
) {
  const here = site === null ? "" : ` AND site = ${quoted(site)}`;
  const ranges = metrics.flatMap(({ name, limits: { min, max } }) => {
    const outside = [...(min === null ? [] : [`value < ${min}`]), ...(max === null ? [] : [`value > ${max}`])].join(
      " OR ",
    );
    if (outside === "") return [];
    const query = `SELECT count(*) FROM reading WHERE metric = ${quoted(name)}${here} AND (${outside})`;
    return [rule(`${name}-range`, "conformity", `Readings of ${name} outside of its valid range`, query)];
  });
  const quality: Readonly<Record<string, readonly object[]>> = {
    reading: [
      rule(
        ...(["repeats", "uniqueness", "Readings that are there twice"] as const),
        `SELECT count(*) FROM (SELECT FROM reading WHERE true${here} GROUP BY device, metric, time HAVING count(*) > 1) AS twice`,
      ),
      ...ranges,
    ],
    reading_minute: [ordered("reading_minute")],
    reading_hour: [ordered("reading_hour")],
  };
  return {
    apiVersion: "v3.1.0" as const,
    kind: "DataContract" as const,
    id: ["fieldwatch", "views", site].filter((part) => part !== null).join("/"),
    name: `Views of readings${site === null ? "" : ` of ${site}`}`,
    version,
    status: "active",
    ...(owner !== null && { team: { name: owner } }),
    description: {
      purpose: "The views that SQL of others may rely on.",
      usage: "Columns may be added at the end; nothing else changes. Readings in cold storage aren't in them.",
    },
    schema: VIEWS.map(([view, of]) => ({
      name: view,
      physicalName: view,
      logicalType: "object",
      physicalType: "view",
      description: CATALOG[of].meaning,
      quality: quality[view]!,
      properties: CATALOG[of].fields.map(([name, physicalType, description]) => ({
        ...{ name, physicalType, logicalType: LOGICAL[physicalType as keyof typeof LOGICAL] },
        ...(REQUIRED.has(name) && { required: true }),
        ...(description !== undefined && { description }),
      })),
    })),
  };
}

const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`;

function ordered(view: string) {
  const query = `SELECT count(*) FROM ${view} WHERE count < 1 OR min > max`;
  return rule(`${view}-ordered`, "consistency", "Rollups of nothing, or whose lowest is above their highest", query);
}

/** A rule that holds when its query counts nothing. */
function rule(id: string, dimension: string, description: string, query: string) {
  return { id, type: "sql", description, dimension, severity: "error", query, mustBe: 0 };
}
