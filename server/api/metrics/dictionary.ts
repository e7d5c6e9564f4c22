import { type CatalogMetric, type DevicesUnit, findMetrics, unitsOfDevices } from "@/server/catalog/metrics";
import { type KeptWay, waysWords } from "@/server/domain/kept-words";
import { readMetricRetention } from "@/server/readings/metric-retention";
import { csvLines, type CsvValue } from "../csv";
import { toInstant } from "../instant";
import { fileAnswer, NO_PARAMETERS, verb } from "../verb";
import type { MetricDeps } from "./list";

interface Entry extends CatalogMetric {
  /** Its own, or DATA_OWNER. */
  readonly owner: string | null;
  readonly kept: readonly KeptWay[];
  /** Those of devices that have one of their own, the commonest first. */
  readonly units: readonly DevicesUnit[];
}

/** What the dictionary tells of a metric, by its heading. */
const COLUMNS: readonly (readonly [heading: string, of: (metric: Entry) => CsvValue])[] = [
  ["metric", ({ name }) => name],
  ["description", ({ shown }) => shown.description],
  ["owner", ({ owner }) => owner],
  ["kind", ({ kind }) => kind],
  // Where nobody said one for all, what devices say themselves is what it is in.
  ["unit", ({ unit, units }) => unit ?? (units.map((one) => one.unit).join(", ") || null)],
  ["min", ({ min }) => min],
  ["max", ({ max }) => max],
  ["decimals", ({ shown }) => shown.decimals],
  ["warning_below", ({ shown }) => shown.warningBelow],
  ["warning_above", ({ shown }) => shown.warningAbove],
  ["critical_below", ({ shown }) => shown.criticalBelow],
  ["critical_above", ({ shown }) => shown.criticalAbove],
  ["kept", ({ kept }) => waysWords(kept)],
  ["other_names", ({ aliases }) => aliases.join(" ")],
  ["devices_with_own_unit", ({ ownUnits }) => ownUnits],
  ["first_seen", ({ firstSeen }) => toInstant(firstSeen)],
];
const HEADINGS = COLUMNS.map(([heading]) => heading);
const rowOf = (metric: Entry) => COLUMNS.map(([, of]) => of(metric));

const ABOUT =
  "What each metric means, as people said it: owner, unit, valid range, decimals, thresholds, other names; and how long it is kept. GET /api/v1/metrics has the same as JSON.";

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
  write: (metrics: readonly Entry[]) => string,
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
    ({ pool, prisma, lineage, retention }: MetricDeps) =>
      async ({ sites, now }) => {
        const keptOf = await readMetricRetention(pool, retention.startDays, { sites }, now);
        const units = await unitsOfDevices(pool, sites);
        const entries = (await findMetrics(prisma, sites)).map((metric): Entry => ({
          ...metric,
          ...{ owner: metric.shown.owner ?? lineage.owner, kept: keptOf(metric.name) },
          units: units.get(metric.name) ?? [],
        }));
        return { name: `metrics.${ending}`, text: once(write(entries)) };
      },
  );
}

async function* once(text: string): AsyncGenerator<string> {
  yield text;
}
