import { CANONICAL_MAPPING } from "@/server/domain/message-mapping";
import { plainName, readHeading } from "@/server/domain/mapping/headings";
import { type Mapping, type MappingInput, mappingSchema } from "@/server/domain/mapping/mapping";
import { writePath } from "@/server/domain/mapping/paths";
import { refuseLongFormat, refuseLongRows, refuseOpenPoints, unreadColumns } from "./csv-doubts";
import { type CsvLayout, prefaceOf } from "./csv-layout";
import { type FieldKind, type FieldRules, findNumberStyle, isMissing, judgeFields, openThousands } from "./fields";
import type { ReplayOptions } from "./options";
import { type Plan, said, saidRules } from "./said-mapping";
import { findTimes } from "./times";
import { ReplayUsageError } from "./usage-error";

/** A metric, and where its values are. */
interface Column {
  readonly column: string;
  readonly index: number;
  /** The name that was asked for; null takes it from the header. */
  readonly named: string | null;
}
type NamedColumn = Column & FieldKind & { readonly metric: string };

/**
 * Makes the mapping that reads a CSV file, of what was stated and what its first rows reveal.
 * @throws ReplayUsageError if a needed column is missing, or something can be read in two ways.
 */
export function planCsv(layout: CsvLayout, options: ReplayOptions): Plan {
  const { header, rows } = layout;
  const place = (column: string, option: string) => placeOf(layout, column, option);
  const timeIndexes = timeColumns(options.mapping.time, header, place);
  const device = options.deviceName === null ? place(options.mapping.device, "--device") : null;
  refuseLongRows(layout, options);
  refuseLongFormat(layout, options);
  const labels = ["site", "type"].flatMap((label) => {
    const index = namedAlike(header, label);
    return index === null ? [] : [{ label, index }];
  });
  const unit = options.unitColumn === null ? null : place(options.unitColumn, "--unit-column");
  const long =
    options.metricColumn === null
      ? null
      : {
          metric: place(options.metricColumn, "--metric-column"),
          value: place(options.valueColumn ?? "value", "--value-column"),
        };
  const taken = new Set([...timeIndexes, device, unit, ...labels.map(({ index }) => index)]);
  const wide = header.flatMap((column, index) =>
    column === "" || taken.has(index) ? [] : [{ column, index, named: null }],
  );
  const chosen = options.columns
    ? [...options.columns].map(([column, named]) => ({ column, index: place(column, "--columns"), named }))
    : wide;
  for (const column of [...(options.text ?? []), ...(options.number ?? [])])
    if (long === null) place(column, options.text?.includes(column) ? "--text" : "--number");

  const columns = withNames(long ? longColumns(rows, long, options) : chosen);
  const fieldsOf = ({ column, index }: Column) =>
    rows.flatMap((row) => (long && row[long.metric] !== column ? [] : [row[index] ?? ""]));
  const isStatedText = ({ column }: Column) => options.text?.includes(column) === true;
  const columnsOfFields = columns.filter((column) => !isStatedText(column)).map(fieldsOf);
  if (options.decimal === null) columnsOfFields.forEach(refuseOpenPoints);
  const style = findNumberStyle(columnsOfFields.flat(), options.decimal);
  const rules: FieldRules = { style, ...saidRules(options) };
  const judged = columns.map((column): NamedColumn => {
    const found = judgeFields(fieldsOf(column), rules);
    if (isStatedText(column)) return { ...column, kind: "text", id: null, hasUnits: false };
    return options.number?.includes(column.column) ? { ...column, ...found, kind: "number" } : { ...column, ...found };
  });

  const times = rows.map((row) => timeIndexes.map((index) => row[index] ?? "").join(" ")).filter((text) => text.trim());
  const found = findTimes(times, options.timeFormat, options.zone ?? "UTC");
  const metrics = judged.filter((column) => !isStatedText(column)).map(({ metric }) => metric);
  const input: MappingInput = {
    decode: "csv",
    csv: settingsOf(layout),
    device: [device === null ? options.deviceName! : pathTemplate(header[device]!)],
    time: [{ from: timeFrom(timeIndexes.map((index) => header[index]!)), ...found.format }],
    withoutTime: "refuse",
    readings: [long ? longReadings(header[long.metric]!, header[long.value]!) : wideReadings(options, chosen)],
    names: "headings",
    rename: columns.flatMap(({ column, metric }) =>
      readHeading(column).metric === metric ? [] : [{ from: column, to: metric }],
    ),
    convertUnits: false,
    ...(unit === null ? {} : { units: [{ metric: "*", from: { path: writePath([header[unit]!]) } }] }),
    labels: Object.fromEntries(labels.map(({ label, index }) => [label, pathTemplate(header[index]!)])),
    ...said(options, {
      style,
      // A column that was stated to be text keeps the words that mean no value elsewhere.
      absentIn: options.text === null ? ["*"] : metrics,
      booleanIn: judged.flatMap(({ kind, metric }) => (kind === "boolean" ? [metric] : [])),
      texts: judged.flatMap(({ kind, metric }) => (kind === "text" ? [metric] : [])),
      unitsBehind: judged.some(({ hasUnits }) => hasUnits),
    }),
  };
  const ids = judged.flatMap(({ column, kind, id }) =>
    id === null || kind !== "text" ? [] : [`${column} stays text: ${id} would lose digits`],
  );
  const unread = options.header === null ? unreadColumns(header, rows) : null;
  const open = openThousands(columnsOfFields.flat(), style);
  const notes = [
    ...layout.found,
    ...(unread === null ? [] : [unread]),
    `times: ${found.how}`,
    ...(style.decimalComma ? [`numbers have a decimal comma${options.decimal === null ? "" : ", as stated"}`] : []),
    ...(open === undefined ? [] : [`${open} stays text; --decimal point takes commas as between thousands`]),
    ...ids,
    ...missingWords(rows, rules, timeIndexes),
  ];
  return { mapping: checked(input), found: notes, doubt: found.doubt };
}

/** @throws ReplayUsageError for what no mapping can say: a name that is too long, more columns than it takes. */
function checked(input: MappingInput): Mapping {
  const read = mappingSchema.safeParse(input);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  throw new ReplayUsageError(
    `The file can't be read so: ${issue!.path.join(".")}: ${issue!.message}. Take fewer columns with --columns, or shorter names with --header.`,
  );
}

function settingsOf({ delimiter, skip, header, comment, encoding }: CsvLayout): MappingInput["csv"] {
  return { delimiter, skip, header: [...header], encoding, ...(comment === undefined ? {} : { comment }) };
}

/** A template of one column. `envelope` is the row: a column may be called as what comes beside a payload. */
function pathTemplate(column: string): string {
  if (/[{}]/.test(column))
    throw new ReplayUsageError(
      `The column ${JSON.stringify(column)} has a brace in its name. Give it another; see --header in npm run replay -- --help`,
    );
  return `{${writePath(["envelope", column])}}`;
}

function timeFrom(columns: readonly string[]): MappingInputTime {
  if (columns.length > 1) return { template: columns.map(pathTemplate).join(" ") };
  return { path: writePath([columns[0]!]) };
}
type MappingInputTime = NonNullable<MappingInput["time"]>[number]["from"];

function wideReadings({ columns }: ReplayOptions, chosen: readonly Column[]): MappingInput["readings"][number] {
  return { root: "", ...(columns === null ? {} : { include: chosen.map(({ column }) => column) }) };
}

/** The value of a row that names its metric; a row without a name has none. */
function longReadings(metric: string, value: string): MappingInput["readings"][number] {
  const name = pathTemplate(metric);
  return { root: writePath([value]), name, when: [{ value: name, differs: [null] }] };
}

type Place = (column: string, option: string) => number;

/** The time's column, or several joined by + (a date and a time of day). */
function timeColumns(name: string, header: readonly string[], place: Place): number[] {
  if (header.includes(name) || !name.includes("+")) return [place(name, "--time")];
  return name.split("+").map((part) => place(part.trim(), "--time"));
}

/** The column of a name in lower case: the one that is called so, or the only one that is in another case; null if there is none. */
function namedAlike(header: readonly string[], name: string): number | null {
  const index = header.indexOf(name);
  if (index !== -1) return index;
  const alike = header.flatMap((other, i) => (other.toLowerCase() === name ? [i] : []));
  return alike.length === 1 ? alike[0]! : null;
}

function placeOf({ header, rows }: CsvLayout, column: string, option: string): number {
  const index = header.indexOf(column);
  if (index !== -1) return index;
  // The two names that nobody stated may differ by case.
  const alike =
    column === CANONICAL_MAPPING.device || column === CANONICAL_MAPPING.time ? namedAlike(header, column) : null;
  if (alike !== null) return alike;
  const isHistory = ["entity_id", "state", "last_changed"].every((name) => header.includes(name));
  const preface = prefaceOf(rows, header.length);
  const example = isHistory
    ? "--device-name home --time last_changed --metric-column entity_id --value-column state --booleans on/off (as for any history of Home Assistant)"
    : preface > 0
      ? `--skip ${preface}, if the header is the row ${JSON.stringify(rows[preface - 1]!.join(", ").slice(0, 200))}`
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

/** A column that is called a time, one that looks like a date in every row, or one whose name has to do with time. */
function timeLike({ header, rows }: Pick<CsvLayout, "header" | "rows">): string | undefined {
  const isDate = (field = "") => /^\D{0,6}\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}\b/.test(field);
  return (
    header.find((name) => /^(ts|time|timestamp|datetime)$/i.test(name)) ??
    header.find((_, i) => rows.length > 0 && rows.every((row) => isDate(row[i]))) ??
    header.find((name) => /time|date/i.test(name))
  );
}

function quoted(name: string): string {
  return /[^\w.:-]/.test(name) ? `"${name}"` : name;
}

function longColumns(
  rows: CsvLayout["rows"],
  long: { metric: number; value: number },
  options: ReplayOptions,
): Column[] {
  const names = new Set(rows.map((row) => row[long.metric] ?? "").filter((name) => name !== ""));
  return [...names].map((column) => ({ column, index: long.value, named: options.columns?.get(column) ?? null }));
}

/** Gives each column its metric; where two would get the same one, both keep their unit in their name. */
function withNames(columns: readonly Column[]): (Column & { readonly metric: string })[] {
  const all = columns.map((column) => ({ ...column, metric: column.named ?? readHeading(column.column).metric }));
  const once = (metric: string) => all.filter((other) => other.metric === metric).length === 1;
  const distinct = all.map((column) =>
    column.named !== null || once(column.metric) ? column : { ...column, metric: plainName(column.column) },
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
