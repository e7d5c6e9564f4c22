import { z } from "zod";
import type { JsonReading, NumberTokens } from "../json";

/** How CSV is laid out. Lines without anything are passed over, and so are rows of empty fields; fields are trimmed. */
export const csvSettings = z.strictObject({
  delimiter: z.string().length(1).default(","),
  /** Rows passed over at the beginning. */
  skip: z.number().int().min(0).max(1000).default(0),
  /** Names of the columns; where they are left out, the first row has them. A column without a name is not read. */
  header: z.array(z.string().max(256)).min(1).max(1000).optional(),
  /** What begins lines that are comments. */
  comment: z.string().min(1).max(8).optional(),
  encoding: z.enum(["utf8", "latin1"]).default("utf8"),
});

export type CsvSettings = z.infer<typeof csvSettings>;

/** Options for the parser of CSV, the same wherever rows are read. */
export function csvParserOptions({
  delimiter,
  comment,
}: {
  readonly delimiter: string;
  readonly comment?: string | undefined;
}) {
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
    ...(comment === undefined ? {} : { comment, comment_no_infix: true }),
  };
}

/** What Windows-1252 has at 0x80 to 0x9F, where Latin-1 has control characters; five of them are nothing in it either. */
const WINDOWS = "€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ";

/** Reads what was read as Latin-1 as Windows-1252, which has more letters. Not by TextDecoder: some versions of Node read Latin-1 by that name, too. */
export function asWindows1252(latin1: string): string {
  return latin1.replace(/[\x80-\x9f]/g, (char) => WINDOWS[char.charCodeAt(0) - 0x80]!);
}

const NO_TOKENS: NumberTokens = new Map();

/** Makes the function that reads rows as flat objects of texts, by the names of the columns; null for a row of empty fields. What a row has beyond the header isn't read. */
export function rowReader(header: readonly string[]): (fields: readonly string[]) => JsonReading | null {
  const columns = header.flatMap((name, index) => (name === "" || name === "__proto__" ? [] : [{ name, index }]));
  return (fields) => {
    const row: Record<string, string> = {};
    let isEmpty = true;
    for (const { name, index } of columns) {
      if (index >= fields.length) break;
      const field = fields[index]!.trim();
      if (field !== "") isEmpty = false;
      row[name] = field;
    }
    return isEmpty ? null : { json: row, tokens: NO_TOKENS };
  };
}

/** The first name that stands for two columns; null if all are different. */
export function doubledName(header: readonly string[]): string | null {
  return header.find((name, index) => name !== "" && header.indexOf(name) !== index) ?? null;
}

/** Line breaks of two characters within a row's fields, each of which the parser counts as two lines. */
export function breaksIn(fields: readonly string[]): number {
  let breaks = 0;
  for (const field of fields) if (field.includes("\r\n")) breaks += field.split("\r\n").length - 1;
  return breaks;
}
