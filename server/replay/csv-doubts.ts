import { counted } from "@/server/domain/counted";
import { numberInText } from "@/server/domain/mapping/numbers";
import { type CsvLayout, isLongRow } from "./csv-layout";
import type { ReplayOptions } from "./options";
import { ReplayUsageError } from "./usage-error";

/** Names that columns with the name of a row's metric have, and those of its value. */
const METRIC_NAME =
  /^_?(metric|measure(ment)?|param(eter)?|variable|field|quantity|channel|property|attribute|entity|key|tag|point|signal|observable)([ _-]?(name|id|key))?$/i;
const VALUE_NAME = /^_?(value|val|reading|state|result|number|(metric|sensor|measured|field)[ _-]?value)$/i;

/**
 * Stops at a file that has a metric's name and its value in each row, and nobody said so: read as if each column were a metric, the values of all would
 * become those of one.
 * @throws ReplayUsageError
 */
export function refuseLongFormat({ header, rows }: CsvLayout, options: ReplayOptions): void {
  if (options.metricColumn !== null || options.columns !== null) return;
  const metric = header.findIndex((name) => METRIC_NAME.test(name));
  const value = header.findIndex((name) => VALUE_NAME.test(name));
  if (metric === -1 || value === -1) return;
  const names = [...new Set(rows.map((row) => row[metric] ?? "").filter((name) => name !== ""))];
  if (names.length < 2) return;
  const unit = header.find((name) => /^(unit|units|uom)([ _-]?of[ _-]?measure(ment)?)?$/i.test(name));
  const [metricName, valueName] = [header[metric]!, header[value]!].map(quoted);
  throw new ReplayUsageError(
    `Each row seems to name its own metric (${names.slice(0, 3).join(", ")}) in ${metricName}. If so, say --metric-column ${metricName} --value-column ${valueName}${unit === undefined ? "" : ` --unit-column ${quoted(unit)}`}; if each column is a metric all the same, name those to take with --columns, for example --columns ${valueName}`,
  );
}

/**
 * Stops where the header doesn't fit most of the rows: what is behind its last name wouldn't be read, and if commas of numbers part the fields, what is
 * before it would be wrong.
 * @throws ReplayUsageError
 */
export function refuseLongRows({ header, rows }: CsvLayout, options: ReplayOptions): void {
  const long = rows.filter((row) => isLongRow(row, header));
  if (options.header !== null || long.length * 2 <= rows.length) return;
  throw new ReplayUsageError(
    `${counted(long.length, "row")} of the first ${rows.length} ${long.length === 1 ? "has" : "have"} more fields than the header has names (${header.length}), for example: ${long[0]!.join(" | ").slice(0, 200)}. If a name is missing, name all columns in their order with --header; if it is a decimal comma that parts them, the file has to be written with another delimiter or with quotes`,
  );
}

const OPEN_POINT = /^[+-]?[1-9]\d{0,2}\.\d{3}$/;
const POINTS = /^[+-]?[1-9]\d{0,2}(?:\.\d{3}){2,}$/;

/**
 * Stops where a column has 1.234.567 beside 1.234: the point is between thousands in one, and may be in the other.
 * @throws ReplayUsageError
 */
export function refuseOpenPoints(fields: readonly string[]): void {
  const thousands = fields.find((field) => POINTS.test(field));
  const open = thousands === undefined ? undefined : fields.find((field) => OPEN_POINT.test(field));
  const style = { decimalComma: false, thousands: false };
  const isNumber = (field: string) => field === "" || POINTS.test(field) || numberInText(field, style) !== null;
  if (open === undefined || !fields.every(isNumber)) return;
  throw new ReplayUsageError(
    `${open} may be ${open.replace(".", "")} or a decimal: ${thousands} beside it has points between thousands. Say which: --decimal comma (points are between thousands) or --decimal point`,
  );
}

/** Columns of which nothing is read, as they have no name that could be a metric's; null if there are none. */
export function unreadColumns(header: readonly string[], rows: CsvLayout["rows"]): string | null {
  const isFilled = (index: number) => rows.some((row) => (row[index] ?? "") !== "");
  const unread = header.flatMap((name, i) => ((name === "" || name === "__proto__") && isFilled(i) ? [i + 1] : []));
  if (unread.length === 0) return null;
  const which = unread.length === 1 ? `column ${unread[0]} has` : `columns ${unread.join(", ")} have`;
  return `${which} no name that can be kept, and ${unread.length === 1 ? "is" : "are"} not read; --header names all columns`;
}

function quoted(name: string): string {
  return /[^\w.:-]/.test(name) ? `"${name}"` : name;
}
