import { parse, type Options } from "csv-parse/sync";
import { asWindows1252, csvParserOptions, type CsvSettings, doubledName } from "@/server/domain/mapping/csv";
import { counted } from "@/server/domain/counted";
import type { ReplayOptions } from "./options";
import { ReplayUsageError } from "./usage-error";

/** The way the text of a CSV file is cut into fields; `skip` counts all before the first row of data: a `sep=` line, a preface, the header. */
export interface CsvLayout extends Omit<CsvSettings, "comment" | "header"> {
  readonly comment: string | undefined;
  readonly header: readonly string[];
  /** The first rows of data. */
  readonly rows: readonly (readonly string[])[];
  /** Assumptions, in words. */
  readonly found: readonly string[];
}

const DELIMITERS = { ",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe" } as const;

/** Rows that a file is judged by before anything is sent. */
export const FIRST_ROWS = 100;

/**
 * Finds out how a file is laid out by its beginning.
 * @param whole whether `head` is all of the file.
 * @throws ReplayUsageError if there is no header line, or it names a column twice.
 */
export function findLayout(
  head: Buffer,
  whole: boolean,
  options: Pick<ReplayOptions, "delimiter" | "header" | "skip">,
  given?: CsvSettings,
): CsvLayout {
  if (given !== undefined) return layoutBy(given, head, whole);
  const { text, encoding } = decode(head);
  const found: string[] = encoding === "latin1" ? ["it is not UTF-8, so it is read as Latin-1"] : [];
  const separator = /^sep=(.)\r?[\n\r]/i.exec(text)?.[1];
  const comment = /^\s*#/.test(text) ? "#" : undefined;
  const delimiter = options.delimiter ?? separator ?? findDelimiter(text, comment, whole, options.skip);
  const name = DELIMITERS[delimiter as keyof typeof DELIMITERS] ?? JSON.stringify(delimiter);
  if (options.delimiter === null)
    found.push(`fields are parted by ${name}${separator === undefined ? "" : `, as its "sep=" line says`}`);

  const before = (separator === undefined ? 0 : 1) + options.skip;
  const records = recordsOf(text, { delimiter, comment }, whole, FIRST_ROWS + before + 1);
  const first = records[before];
  if (!first) throw new ReplayUsageError("The file has no rows: there is nothing to replay.");
  const commented = comment === undefined ? null : commentedHeader(text, delimiter, first);
  if (comment !== undefined)
    found.push(commented ? 'the header is its last line with "#"' : 'lines that begin with "#" are comments');

  const hasHeader = commented === null && !looksLikeData(first);
  if (options.header === null && commented === null && !hasHeader) throw noHeader(first);
  if (options.header !== null)
    found.push(hasHeader ? "--header stands for its first line" : "it has no header line; --header names the columns");
  const header = options.header ?? commented ?? first;
  if (options.header === null) refuseDoubled(header);
  const skip = before + (hasHeader ? 1 : 0);
  const rows = records.slice(skip, skip + FIRST_ROWS);
  const long = rows.filter((row) => isLongRow(row, header)).length;
  if (long > 0)
    found.push(`${counted(long, "row")} with more fields than there are columns: the last ones are not read`);
  return { encoding, delimiter, comment, skip, header, rows, found };
}

/** True if a row has something in fields behind the last column. */
export function isLongRow(row: readonly string[], header: readonly string[]): boolean {
  for (let i = header.length; i < row.length; i++) if (row[i]!.trim() !== "") return true;
  return false;
}

/** The layout that a mapping says. */
function layoutBy(given: CsvSettings, head: Buffer, whole: boolean): CsvLayout {
  const { encoding, comment, delimiter } = given;
  const records = recordsOf(
    encoding === "latin1" ? asWindows1252(head.toString(encoding)) : head.toString(encoding),
    { delimiter, comment },
    whole,
    FIRST_ROWS + given.skip + 1,
  );
  const header = given.header ?? records[given.skip];
  if (!header) throw new ReplayUsageError("The file has no rows: there is nothing to replay.");
  refuseDoubled(header);
  const skip = given.skip + (given.header ? 0 : 1);
  return { encoding, delimiter, comment, skip, header, rows: records.slice(skip, skip + FIRST_ROWS), found: [] };
}

/** Rows before one that has as many fields as most rows have, if the first ones have another number; else 0. */
export function prefaceOf(rows: readonly (readonly string[])[], columns: number): number {
  const counts = rows.map((row) => row.length);
  const usual = counts.toSorted((a, b) => a - b)[counts.length >> 1];
  return usual === undefined || usual === columns ? 0 : counts.indexOf(usual) + 1;
}

/** Text, and whether it is UTF-8; the last bytes may be cut off within a character. */
function decode(head: Buffer): { text: string; encoding: CsvLayout["encoding"] } {
  try {
    return { text: new TextDecoder("utf-8", { fatal: true }).decode(head, { stream: true }), encoding: "utf8" };
  } catch {
    return { text: asWindows1252(head.toString("latin1")), encoding: "latin1" };
  }
}

function recordsOf(
  text: string,
  layout: Pick<CsvLayout, "delimiter" | "comment">,
  whole: boolean,
  most: number,
): string[][] {
  // Cut off within a record, the head may end within quotes; what came before is whole.
  const records: string[][] = [];
  const options: Options = {
    ...csvParserOptions(layout),
    to: most,
    on_record: (record: string[]) => (records.push(record.map((field) => field.trim())), null),
  };
  try {
    parse(text, options);
    if (!whole && records.length < most) records.pop();
  } catch (error) {
    if (records.length === 0)
      throw new ReplayUsageError(`The file cannot be read as CSV: ${(error as Error).message}`, { cause: error });
  }
  return records;
}

/** The delimiter that parts the header, and most of the next rows, into as many fields; a comma when none does. */
function findDelimiter(text: string, comment: string | undefined, whole: boolean, skip: number): string {
  let best = { delimiter: ",", even: 0, fields: 1 };
  for (const delimiter of Object.keys(DELIMITERS)) {
    const rows = safely(() => recordsOf(text, { delimiter, comment }, whole, 20 + skip).slice(skip)) ?? [];
    const fields = rows[0]?.length ?? 0;
    if (fields < 2) continue;
    const even = rows.filter((row) => row.length === fields).length / rows.length;
    if (even > best.even + 0.2 || (even > best.even - 0.2 && fields > best.fields)) best = { delimiter, even, fields };
  }
  return best.delimiter;
}

function safely<T>(run: () => T): T | null {
  try {
    return run();
  } catch {
    return null;
  }
}

/** A header that a program wrote as a comment: as many names as the first row has fields, and that row is data. */
function commentedHeader(text: string, delimiter: string, first: readonly string[]): string[] | null {
  if (!looksLikeData(first)) return null;
  const last = /^(?:\s*#[^\r\n]*(?:\r\n|\n|\r))+/
    .exec(text)?.[0]
    .trimEnd()
    .split(/\r\n|\n|\r/)
    .at(-1);
  if (last === undefined) return null;
  const [names] = recordsOf(last.replace(/^\s*#+\s*/, ""), { delimiter, comment: undefined }, true, 1);
  return names && names.length === first.length && names.length > 1 && !looksLikeData(names) ? names : null;
}

/** Names are words; a row of data has a number or a time among its fields. */
function looksLikeData(row: readonly string[]): boolean {
  return row.some(
    (field) => /^[+-]?\d+([.,]\d+)*(e[+-]?\d+)?$/i.test(field) || /^\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}\b/.test(field),
  );
}

function noHeader(first: readonly string[]): ReplayUsageError {
  const names = first.map((_, index) => (index === 0 ? "time" : `metric_${index}`));
  return new ReplayUsageError(
    `The first line names no columns, it is data: ${first.join(", ").slice(0, 200)}. Name them in their order (leave a name empty to pass a column over); for example --header ${names.join(",")}`,
  );
}

function refuseDoubled(header: readonly string[]): void {
  const twice = doubledName(header);
  if (twice === null) return;
  const times = header.filter((name) => name === twice).length;
  let number = 0;
  const names = header.map((name) => (name === twice ? `${name}_${++number}` : name));
  const quoted = names.map((name) => (/[",]/.test(name) ? `"${name.replaceAll('"', '""')}"` : name));
  throw new ReplayUsageError(
    `The header names ${JSON.stringify(twice)} ${times} times. Name all columns in their order (leave a name empty to pass one over); for example --header '${quoted.join(",")}'`,
  );
}
