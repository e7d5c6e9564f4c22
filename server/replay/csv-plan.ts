import { CANONICAL_MAPPING } from "@/server/domain/message";
import { type CsvLayout, findLayout } from "./csv-layout";
import {
  type FieldReading,
  type FieldRules,
  findDecimalMark,
  isMissing,
  judgeField,
  MISSING_WORDS,
  readField,
  TRUE_AND_FALSE,
} from "./fields";
import type { ReplayOptions } from "./options";
import { findTimeReading, type TimeReading } from "./times";
import { legalName, nameColumn } from "./units";
import { ReplayUsageError } from "./usage-error";

export type CsvOptions = Pick<
  ReplayOptions,
  | "mapping"
  | "deviceName"
  | "columns"
  | "header"
  | "metricColumn"
  | "valueColumn"
  | "zone"
  | "timeFormat"
  | "delimiter"
  | "decimal"
  | "missing"
  | "booleans"
  | "text"
  | "number"
>;

/** A metric read from one column. */
interface PlannedMetric extends FieldReading {
  readonly column: string;
  readonly index: number;
  readonly metric: string;
  readonly unit: string | null;
}

/** A row in Fieldwatch's own shape. */
export interface CsvMessage {
  readonly device: string;
  readonly time: string | number;
  readonly readings: Readonly<Record<string, number | boolean | string>>;
}

/** The plan by which a CSV file becomes messages, settled by its first rows before anything is sent. */
export interface CsvPlan {
  readonly layout: CsvLayout;
  readonly rules: FieldRules;
  readonly time: { readonly indexes: readonly number[]; readonly reading: TimeReading };
  /** Index of the device's column, or the one name of all rows. */
  readonly device: number | string;
  readonly labels: readonly (readonly ["site" | "type", number])[];
  /** One for each column of readings; for a long file one for each metric of the first rows. */
  readonly metrics: readonly PlannedMetric[];
  /** The columns of a long file, with a metric's name and its value in each row; null for a wide one. */
  readonly long: { readonly metric: number; readonly value: number } | null;
  /** Assumptions, in words. */
  readonly found: readonly string[];
}

/** Plans how to read a file. @throws ReplayUsageError if a needed column is missing, or something can be read in two ways. */
export function planCsv(head: Buffer, whole: boolean, options: CsvOptions): CsvPlan {
  const layout = findLayout(head, whole, options);
  const { header, rows } = layout;
  const place = (column: string, option: string) => placeOf(layout, column, option);
  const timeIndexes = timeColumns(options.mapping.time, header, place);
  const device = options.deviceName ?? place(options.mapping.device, "--device");
  const labels = (["site", "type"] as const).flatMap((label) =>
    header.includes(label) ? [[label, header.indexOf(label)] as const] : [],
  );
  const long =
    options.metricColumn === null
      ? null
      : {
          metric: place(options.metricColumn, "--metric-column"),
          value: place(options.valueColumn ?? "value", "--value-column"),
        };
  const taken = new Set([...timeIndexes, device, ...labels.map(([, index]) => index)]);
  const wide = header.flatMap((column, index) =>
    column === "" || taken.has(index) ? [] : [{ column, index, metric: null as string | null }],
  );
  const chosen = options.columns
    ? [...options.columns].map(([column, metric]) => ({ column, index: place(column, "--columns"), metric }))
    : wide;
  for (const column of [...(options.text ?? []), ...(options.number ?? [])])
    if (long === null) place(column, options.text?.includes(column) ? "--text" : "--number");

  const columns = long ? longColumns(rows, long, options) : chosen;
  const fieldsOf = (index: number, metric?: string) =>
    rows.flatMap((row) => (long && row[long.metric] !== metric ? [] : [row[long ? long.value : index] ?? ""]));
  const open = columns.filter(({ column }) => !options.text?.includes(column));
  const mark = findDecimalMark(
    open.flatMap(({ index, column }) => fieldsOf(index, column)),
    options.decimal,
  );
  const rules: FieldRules = {
    mark,
    stated: options.decimal !== null,
    missing: new Set([...MISSING_WORDS, ...(options.missing ?? [])].map(markerOf)),
    booleans: options.booleans ?? TRUE_AND_FALSE,
  };
  const metrics = withNames(columns).map((column): PlannedMetric => {
    const fields = fieldsOf(column.index, column.column);
    const stated = (kind: "text" | "number") => ({ ...judgeField(fields, rules), kind, why: "as stated" });
    const reading = options.text?.includes(column.column)
      ? { ...stated("text"), carriedUnit: null }
      : options.number?.includes(column.column)
        ? stated("number")
        : judgeField(fields, rules);
    return { ...column, ...reading, unit: column.unit ?? reading.carriedUnit };
  });

  const times = rows.map((row) => timeText(row, timeIndexes)).filter((text) => text !== "");
  const reading = findTimeReading(times, options.timeFormat, options.zone);
  const found = [
    ...layout.found,
    ...(mark === "comma" ? [`numbers have a decimal comma${options.decimal === null ? "" : ", as stated"}`] : []),
    ...missingWords(rows, rules, timeIndexes),
  ];
  return { layout, rules, time: { indexes: timeIndexes, reading }, device, labels, metrics, long, found };
}

/** A reader of rows by the plan; null for a row that has no value at all. */
export function rowReader(plan: CsvPlan): (row: readonly string[]) => CsvMessage | null {
  const { rules, time, device, labels, metrics, long } = plan;
  const known = new Map(metrics.map((metric) => [metric.column, metric]));
  const place = (metric: PlannedMetric, field: string): [string, number | boolean | string][] => {
    if (field === "" || (metric.why !== "as stated" || metric.kind !== "text" ? isMissing(field, rules) : false))
      return [];
    return [[metric.metric, readField(field, metric, rules)]];
  };
  return (row) => {
    const readings = long
      ? place(metricOf(row[long.metric] ?? "", long.value, known), row[long.value] ?? "")
      : metrics.flatMap((metric) => place(metric, row[metric.index] ?? ""));
    if (readings.length === 0) return null;
    return {
      device: typeof device === "string" ? device : (row[device] ?? ""),
      time: time.reading.read(timeText(row, time.indexes)),
      ...Object.fromEntries(labels.filter(([, index]) => row[index]).map(([label, index]) => [label, row[index]])),
      readings: Object.fromEntries(readings),
    };
  };
}

/** A long file may bring a metric after its first rows. */
function metricOf(name: string, index: number, known: Map<string, PlannedMetric>): PlannedMetric {
  return known.get(name) ?? { column: name, index, ...nameColumn(name), kind: "each", carriedUnit: null, why: null };
}

function timeText(row: readonly string[], indexes: readonly number[]): string {
  return indexes
    .map((index) => row[index] ?? "")
    .join(" ")
    .trim();
}

/** A named word may be a number, which is the same however it is written. */
function markerOf(word: string): string {
  return /^[+-]?\d/.test(word) && Number.isFinite(Number(word)) ? String(Number(word)) : word.toLowerCase();
}

type Place = (column: string, option: string) => number;

/** The time's column, or several joined by + (a date and a time of day). */
function timeColumns(name: string, header: readonly string[], place: Place): number[] {
  if (header.includes(name) || !name.includes("+")) return [place(name, "--time")];
  return name.split("+").map((part) => place(part.trim(), "--time"));
}

function placeOf({ header, rows }: CsvLayout, column: string, option: string): number {
  const index = header.indexOf(column);
  if (index !== -1) return index;
  // The two names that nobody stated may differ by case.
  if (column === CANONICAL_MAPPING.device || column === CANONICAL_MAPPING.time) {
    const alike = header.flatMap((name, i) => (name.toLowerCase() === column ? [i] : []));
    if (alike.length === 1) return alike[0]!;
  }
  const isHistory = ["entity_id", "state", "last_changed"].every((name) => header.includes(name));
  const example = isHistory
    ? "--device-name home --time last_changed --metric-column entity_id --value-column state --booleans on/off (as for any history of Home Assistant)"
    : exampleOf(option, { header, rows });
  throw new ReplayUsageError(
    `The file has no column ${JSON.stringify(column)} (${option}). Its columns are: ${header.join(", ").slice(0, 500)}. For example: ${example}`,
  );
}

function exampleOf(option: string, layout: Pick<CsvLayout, "header" | "rows">): string {
  const device = layout.header.find((name) => DEVICE_NAME.test(name));
  if (option === "--device" && device === undefined) return "--device-name machine-1";
  const likely = option === "--device" ? device : option === "--time" ? timeLike(layout) : undefined;
  return `${option} ${quoted(likely ?? layout.header[0] ?? "")}`;
}

/** Names that columns of device names have. */
const DEVICE_NAME =
  /^(device|sensor|node|station|machine|asset|meter)[ _-]?(id|name|no|nr)$|^(sensor|node|station|machine|asset|meter)$/i;

/** A column that looks like a date in every row, else one that is called a time. */
function timeLike({ header, rows }: Pick<CsvLayout, "header" | "rows">): string | undefined {
  const isDate = (field = "") => /\d[-/.:]\d+[-/.:]\d/.test(field);
  return (
    header.find((_, i) => rows.length > 0 && rows.every((row) => isDate(row[i]))) ??
    header.find((name) => /time|date|^ts$/i.test(name))
  );
}

function quoted(name: string): string {
  return /[^\w.:-]/.test(name) ? `"${name}"` : name;
}

interface ColumnNames {
  readonly column: string;
  readonly index: number;
  /** The columns that --columns names; null takes them from the header. */
  readonly metric: string | null;
}

function longColumns(
  rows: CsvLayout["rows"],
  long: { metric: number; value: number },
  options: CsvOptions,
): ColumnNames[] {
  const names = new Set(rows.map((row) => row[long.metric] ?? "").filter((name) => name !== ""));
  return [...names].map((column) => ({ column, index: long.value, metric: options.columns?.get(column) ?? null }));
}

/** Gives each column its metric; where two would get the same one, both keep their unit in their name. */
function withNames(columns: readonly ColumnNames[]): (ColumnNames & { metric: string; unit: string | null })[] {
  const named = columns.map((column) => {
    const own = nameColumn(column.column);
    return { ...column, unit: own.unit, metric: column.metric ?? own.metric };
  });
  const once = (metric: string) => named.filter((other) => other.metric === metric).length === 1;
  const distinct = named.map((column, i) =>
    columns[i]!.metric !== null || once(column.metric) ? column : { ...column, metric: legalName(column.column) },
  );
  const seen = new Map<string, string>();
  for (const { metric, column } of distinct) {
    const before = seen.get(metric);
    if (metric === "")
      throw new ReplayUsageError(
        `The column ${JSON.stringify(column)} cannot name a metric. Name it; for example --columns "${column}=metric_1"`,
      );
    if (before !== undefined)
      throw new ReplayUsageError(
        `The columns ${JSON.stringify(before)} and ${JSON.stringify(column)} would both become ${metric}. Name them; for example --columns "${before}=${metric}_1,${column}=${metric}_2"`,
      );
    seen.set(metric, column);
  }
  return distinct;
}

/** Returns the words of the first rows that were taken for no value, with how often. */
function missingWords(rows: CsvLayout["rows"], rules: FieldRules, times: readonly number[]): string[] {
  const words = new Map<string, number>();
  for (const row of rows)
    for (const [index, field] of row.entries())
      if (field !== "" && !times.includes(index) && isMissing(field, rules))
        words.set(field, (words.get(field) ?? 0) + 1);
  return words.size === 0
    ? []
    : [
        `no value: ${[...words].map(([word, times]) => `${word} (${times})`).join(", ")}; --text COLUMN keeps such a word`,
      ];
}
