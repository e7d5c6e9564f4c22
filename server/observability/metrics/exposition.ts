import type { Family, HistogramValue, Sample } from "./metrics";

/** The two formats of Prometheus: its own, and OpenMetrics, which has exemplars. */
export type Format = "prometheus" | "openmetrics";

export const CONTENT_TYPES: Readonly<Record<Format, string>> = {
  prometheus: "text/plain; version=0.0.4; charset=utf-8",
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
};

/** The format that an Accept header asks for. */
export function formatOf(accept: string | undefined): Format {
  return accept?.includes("application/openmetrics-text") ? "openmetrics" : "prometheus";
}

/** Writes metrics as text. Those without a series are left out. */
export function expose(families: readonly Family[], format: Format): string {
  const lines: string[] = [];
  for (const { name, definition, samples } of families) {
    if (samples.length === 0) continue;
    const { kind, help, labels } = definition;
    // OpenMetrics calls a family of counters without the ending of its samples, and says the unit of what ends in one.
    const family = format === "openmetrics" && kind === "counter" ? name.replace(/_total$/, "") : name;
    lines.push(`# HELP ${family} ${escaped(help, format)}`, `# TYPE ${family} ${kind}`);
    for (const sample of samples) {
      if (typeof sample.value === "number")
        lines.push(`${name}${labelsIn(labels, sample.labels)} ${numberIn(sample.value)}`);
      else lines.push(...histogramLines(name, labels, definition.buckets ?? [], sample, sample.value, format));
    }
  }
  if (format === "openmetrics") lines.push("# EOF");
  return `${lines.join("\n")}\n`;
}

function histogramLines(
  name: string,
  labels: readonly string[],
  buckets: readonly number[],
  { labels: values }: Sample,
  { counts, sum, count, exemplars }: HistogramValue,
  format: Format,
): string[] {
  let upTo = 0;
  const classes = counts.map((of, i) => {
    upTo += of;
    const end = i < buckets.length ? numberIn(buckets[i]!, format) : "+Inf";
    const line = `${name}_bucket${labelsIn([...labels, "le"], [...values, end])} ${upTo}`;
    const exemplar = format === "openmetrics" ? exemplars[i] : undefined;
    if (exemplar === undefined) return line;
    return `${line} # {trace_id="${exemplar.traceId}"} ${numberIn(exemplar.value)} ${exemplar.at / 1000}`;
  });
  const own = labelsIn(labels, values);
  return [...classes, `${name}_sum${own} ${numberIn(sum)}`, `${name}_count${own} ${count}`];
}

function labelsIn(names: readonly string[], values: readonly string[]): string {
  if (names.length === 0) return "";
  return `{${names.map((name, i) => `${name}="${escapedValue(values[i]!)}"`).join(",")}}`;
}

function escapedValue(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');
}

function escaped(text: string, format: Format): string {
  const plain = text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
  return format === "openmetrics" ? plain.replaceAll('"', '\\"') : plain;
}

/** OpenMetrics writes ends of classes as floats: the same class must be the same series in both formats of one server. */
function numberIn(value: number, format: Format = "prometheus"): string {
  if (value === Infinity) return "+Inf";
  if (value === -Infinity) return "-Inf";
  return format === "openmetrics" && Number.isInteger(value) ? `${value}.0` : String(value);
}
