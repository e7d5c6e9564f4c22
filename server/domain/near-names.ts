import { distance } from "fastest-levenshtein";

/** How many are told at most. */
const MOST = 3;

/** Those of `names` that `wanted` may be a slip of, nearest first: two letters or one in three are others, or it is a part. */
export function nearNames(wanted: string, names: readonly string[]): string[] {
  const folded = fold(wanted);
  return names
    .map((name) => ({ name, apart: apart(folded, fold(name)) }))
    .filter(({ apart }) => apart <= Math.max(folded.length < 4 ? 1 : 2, Math.floor(folded.length / 3)))
    .sort((a, b) => a.apart - b.apart || (a.name < b.name ? -1 : 1))
    .slice(0, MOST)
    .map(({ name }) => name);
}

function apart(wanted: string, name: string): number {
  const isPart = Math.min(wanted.length, name.length) > 2 && (name.includes(wanted) || wanted.includes(name));
  return isPart ? Math.min(1, distance(wanted, name)) : distance(wanted, name);
}

/** As it sounds: without case, spaces and what joins words. */
function fold(name: string): string {
  return name.toLowerCase().replace(/[\s_.:-]+/g, "");
}

/** What to say of a site that isn't there, as far as `sites` may be told. */
export function noSuchSite(wanted: string, sites: readonly string[]): string {
  const near = nearNames(wanted, sites);
  return `There is no site ${wanted}.${near.length === 0 ? "" : ` Is ${near.join(" or ")} meant?`}`;
}
