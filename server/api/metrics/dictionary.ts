import { type CatalogMetric, findMetrics } from "@/server/catalog/metrics";
import type { PrismaClient } from "@/server/postgres/prisma";
import { csvLines, type CsvValue } from "../csv";
import { toInstant } from "../instant";
import { fileAnswer, NO_PARAMETERS, verb } from "../verb";

/** What the dictionary tells of a metric, by its heading. */
const COLUMNS: readonly (readonly [heading: string, of: (metric: CatalogMetric) => CsvValue])[] = [
  ["metric", ({ name }) => name],
  ["description", ({ shown }) => shown.description],
  ["kind", ({ kind }) => kind],
  ["unit", ({ unit }) => unit],
  ["min", ({ min }) => min],
  ["max", ({ max }) => max],
  ["decimals", ({ shown }) => shown.decimals],
  ["warning_below", ({ shown }) => shown.warningBelow],
  ["warning_above", ({ shown }) => shown.warningAbove],
  ["critical_below", ({ shown }) => shown.criticalBelow],
  ["critical_above", ({ shown }) => shown.criticalAbove],
  ["other_names", ({ aliases }) => aliases.join(" ")],
  ["devices_with_own_unit", ({ ownUnits }) => ownUnits],
  ["first_seen", ({ firstSeen }) => toInstant(firstSeen)],
];
const HEADINGS = COLUMNS.map(([heading]) => heading);
const rowOf = (metric: CatalogMetric) => COLUMNS.map(([, of]) => of(metric));

const ABOUT =
  "What each metric means, as people said it: unit, valid range, decimals, thresholds, other names. GET /api/v1/metrics has the same as JSON.";

export const exportDictionary = dictionary("csv", "CSV", "text/csv; charset=utf-8; header=present", (metrics) =>
  csvLines([HEADINGS, ...metrics.map(rowOf)]),
);

export const exportDictionaryMarkdown = dictionary("md", "Markdown", "text/markdown; charset=utf-8", (metrics) => {
  const line = (cells: readonly CsvValue[]) => `| ${cells.map(cellOf).join(" | ")} |`;
  const lines = [line(HEADINGS), line(HEADINGS.map(() => "---")), ...metrics.map((metric) => line(rowOf(metric)))];
  return `# Metrics\n\n${lines.join("\n")}\n`;
});

/** A table's cell: what Markdown would take for a mark of its own is escaped. */
function cellOf(value: CsvValue): string {
  if (value === null || value === undefined) return "";
  return String(value)
    .replace(/[\\`*_{}[\]<>|#]/g, "\\$&")
    .replace(/\s+/g, " ");
}

function dictionary(
  ending: "csv" | "md",
  form: string,
  contentType: string,
  write: (metrics: readonly CatalogMetric[]) => string,
) {
  return verb(
    {
      method: "GET",
      path: `/api/v1/metrics.${ending}`,
      access: "view",
      bySite: true,
      audited: "seen",
      summary: `The dictionary of metrics as ${form}`,
      description: ABOUT,
      params: NO_PARAMETERS,
      query: NO_PARAMETERS,
      answer: fileAnswer,
      status: 200,
      problems: [],
      file: { contentType, schema: { type: "string" } },
    },
    ({ prisma }: { readonly prisma: PrismaClient }) =>
      async ({ sites }) => ({ name: `metrics.${ending}`, text: once(write(await findMetrics(prisma, sites))) }),
  );
}

async function* once(text: string): AsyncGenerator<string> {
  yield text;
}
