/** What was open over the page has closed after this many milliseconds. */
const CLOSING_MS = 100;

/** Opens the browser's dialog to print the page, or to save it as PDF. */
export function printPage(): void {
  setTimeout(() => window.print(), CLOSING_MS);
}
