import { parse, type Options } from "csv-parse/sync";
import type { ReplayOptions } from "./options";
import { ReplayUsageError } from "./usage-error";

/** The way the text of a CSV file is cut into fields. */
export interface CsvLayout {
  readonly encoding: "utf8" | "latin1";
  readonly delimiter: string;
  /** The beginning of a comment line; null when the file has none. */
  readonly comment: string | null;
  /** Records before the first row of data: a `sep=` line, the header. */
  readonly skip: number;
  readonly header: readonly string[];
  /** The first rows of data. */
  readonly rows: readonly (readonly string[])[];
  /** Assumptions, in words. */
  readonly found: readonly string[];
}

const DELIMITERS = { ",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe" } as const;

/** Rows that a file is judged by before anything is sent. */
export const FIRST_ROWS = 100;

/** Options that all reading of CSV shares; the parser does the rest. */
export function parserOptions({ delimiter, comment }: Pick<CsvLayout, "delimiter" | "comment">): Options {
  return {
    bom: true,
    delimiter,
    record_delimiter: ["\r\n", "\n", "\r"],
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: true,
    // A tab may be a field's border, so that fields are trimmed later.
    trim: delimiter !== "\t",
    max_record_size: 1024 * 1024,
    ...(comment === null ? {} : { comment, comment_no_infix: true }),
  };
}

/**
 * Finds out how a file is laid out by its beginning.
 * @param whole whether `head` is all of the file.
 * @throws ReplayUsageError if there is no header line, or it names a column twice.
 */
export function findLayout(
  head: Buffer,
  whole: boolean,
  options: Pick<ReplayOptions, "delimiter" | "header">,
): CsvLayout {
  const { text, encoding } = decode(head);
  const found: string[] = encoding === "latin1" ? ["it is not UTF-8, so it is read as Latin-1"] : [];
  const separator = /^sep=(.)\r?[\n\r]/i.exec(text)?.[1];
  const comment = /^\s*#/.test(text) ? "#" : null;
  const delimiter = options.delimiter ?? separator ?? findDelimiter(text, comment, whole);
  const name = DELIMITERS[delimiter as keyof typeof DELIMITERS] ?? JSON.stringify(delimiter);
  if (options.delimiter === null)
    found.push(`fields are parted by ${name}${separator === undefined ? "" : `, as its "sep=" line says`}`);

  const records = recordsOf(text, { delimiter, comment }, whole, FIRST_ROWS + 2);
  const before = separator === undefined ? 0 : 1;
  const first = records[before];
  if (!first) throw new ReplayUsageError("The file has no rows: there is nothing to replay.");
  const commented = comment === null ? null : commentedHeader(text, delimiter, first);
  if (comment !== null)
    found.push(commented ? 'the header is its last line with "#"' : 'lines that begin with "#" are comments');

  const hasHeader = commented === null && !looksLikeData(first);
  if (options.header === null && commented === null && !hasHeader) throw noHeader(first);
  if (options.header !== null)
    found.push(hasHeader ? "--header stands for its first line" : "it has no header line; --header names the columns");
  const header = options.header ?? commented ?? first;
  if (options.header === null) refuseDoubled(header);
  const skip = before + (hasHeader ? 1 : 0);
  return { encoding, delimiter, comment, skip, header, rows: records.slice(skip, skip + FIRST_ROWS), found };
}

/** Text, and whether it is UTF-8; the last bytes may be cut off within a character. */
function decode(head: Buffer): { text: string; encoding: CsvLayout["encoding"] } {
  try {
    return { text: new TextDecoder("utf-8", { fatal: true }).decode(head, { stream: true }), encoding: "utf8" };
  } catch {
    return { text: head.toString("latin1"), encoding: "latin1" };
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
    ...parserOptions(layout),
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
function findDelimiter(text: string, comment: string | null, whole: boolean): string {
  let best = { delimiter: ",", even: 0, fields: 1 };
  for (const delimiter of Object.keys(DELIMITERS)) {
    const rows = safely(() => recordsOf(text, { delimiter, comment }, whole, 20)) ?? [];
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
  const [names] = recordsOf(last.replace(/^\s*#+\s*/, ""), { delimiter, comment: null }, true, 1);
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
  const twice = header.find((name, index) => name !== "" && header.indexOf(name) !== index);
  if (twice === undefined) return;
  const times = header.filter((name) => name === twice).length;
  let number = 0;
  const names = header.map((name) => (name === twice ? `${name}_${++number}` : name));
  const quoted = names.map((name) => (/[",]/.test(name) ? `"${name.replaceAll('"', '""')}"` : name));
  throw new ReplayUsageError(
    `The header names ${JSON.stringify(twice)} ${times} times. Name all columns in their order (leave a name empty to pass one over); for example --header '${quoted.join(",")}'`,
  );
}
