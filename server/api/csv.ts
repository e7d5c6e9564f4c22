import { stringify } from "csv-stringify/sync";

/** A value of a CSV cell; null and undefined are empty. */
export type CsvValue = string | number | boolean | null | undefined;

/** Matches a text that a spreadsheet takes for a formula, also after white space it skips, which the library's own guard lets pass. */
const FORMULA = /^[\t\r\n ]*[=+\-@\uff1d\uff0b\uff0d\uff20]|^[\t\r]/;

/**
 * Lines of CSV as RFC 4180 has them, each with its line end. A text a spreadsheet would run as a formula gets an apostrophe
 * before it; numbers stay what they are.
 */
export function csvLines(rows: readonly (readonly CsvValue[])[]): string {
  return stringify(rows as CsvValue[][], {
    record_delimiter: "\r\n",
    cast: {
      boolean: String,
      string: (text) => (FORMULA.test(text) ? `'${text}` : text),
    },
  });
}

/** The heading of a metric's column beside columns of ours: one that has the name of one of them is written "metric time". */
export function metricHeading(heading: string, ours: readonly string[]): string {
  return ours.includes(heading) ? `metric ${heading}` : heading;
}
