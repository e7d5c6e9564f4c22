import { isName } from "../terms";
import { isUnit } from "../units/units";

/** What stands over a column, as a metric's name and its unit. */
export interface Heading {
  /** Empty if nothing of it can name a metric. */
  readonly metric: string;
  /** As it is written in the brackets. */
  readonly unit: string | null;
}

const BRACKETS = /[([]\s*([^()[\]]*(?:\([^()]*\))?)\s*[)\]]/g;

/** Reads a heading: a known unit in round or square brackets is its unit, the rest is the name; so is a sign or a fraction behind a space, as in `RH %`, whose letters stay in the name. A heading that is its unit alone has that as its name. */
export function readHeading(text: string): Heading {
  if (isName(text as unknown)) return { metric: text, unit: null };
  let unit: string | null = null;
  const rest = text.replace(BRACKETS, (all, inside: string) => {
    if (unit !== null || !isUnit(inside)) return all;
    unit = inside.trim();
    return " ";
  });
  if (unit === null) {
    // A word that is no unit by its letters alone: the A of "Sensor A" is none.
    const [, last] = /\s(\S*[^\w\s.:-]\S*)\s*$/.exec(text) ?? [];
    if (last !== undefined && isUnit(last)) unit = last;
  }
  return { metric: plainName(rest) || plainName(text), unit };
}

/** The name nearest to a text: letters lose their accents, runs of other characters become one `_`. Empty if nothing is left. */
export function plainName(text: string): string {
  const name = text
    .replaceAll("ß", "ss")
    .replaceAll(/[µμ]/g, "u")
    .normalize("NFKD")
    .replace(/\p{Mn}/gu, "")
    .replace(/[^A-Za-z0-9_.:-]+/g, "_")
    .replace(/^_+|_+$/g, "")
    .slice(0, 128);
  return isName(name) ? name : "";
}
