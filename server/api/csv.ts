/** A value of a CSV cell; null and undefined are empty. */
export type CsvValue = string | number | boolean | null | undefined;

/** What makes a spreadsheet take a text for a formula, also after white space it skips. */
const FORMULA = /^[\t\r\n ]*[=+\-@]|^[\t\r]/;

/**
 * One line of CSV as RFC 4180 has it, with its line end. A text a spreadsheet would run as a formula gets an apostrophe
 * before it; numbers stay what they are.
 */
export function csvLine(values: readonly CsvValue[]): string {
  return `${values.map(cell).join(",")}\r\n`;
}

function cell(value: CsvValue): string {
  if (value === null || value === undefined) return "";
  if (typeof value !== "string") return String(value);
  const safe = FORMULA.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
