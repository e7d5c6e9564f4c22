import { readLabel } from "./label";

/** Header of a record in the event log: the site its sender speaks for. */
export const SITE_HEADER = "fieldwatch-site";

/** Returns the headers of a record whose sender speaks for the devices of this site alone. */
export function siteHeaders(site: string): Record<string, string> {
  return { [SITE_HEADER]: site };
}

/**
 * The site a record's sender speaks for, which wins over the one its message names; null for any, and for what is no name of a site. Whoever
 * writes to the log directly can set it, and by that only narrow what the message may do.
 */
export function readSite(headers: Readonly<Record<string, string>>): string | null {
  const site = headers[SITE_HEADER];
  if (site === undefined) return null;
  const read = readLabel(site);
  return "label" in read && read.label === site ? site : null;
}
