/** Longest name that a glob is matched with; no longer one is legal. */
const LONGEST = 512;

/** Tells what of a name each star of a glob stood for; null if the name doesn't match. */
export type Glob = (name: string) => readonly string[] | null;

const NO_STARS: readonly string[] = [];

/** Reads a glob: `*` is any run of characters, `?` one. Matching takes time by the product of both lengths at most. */
export function compileGlob(glob: string): Glob {
  if (!/[*?]/.test(glob)) return (name) => (name === glob ? NO_STARS : null);
  if (glob === "*") return (name) => [name];
  return (name) => match(glob, name);
}

function match(glob: string, name: string): readonly string[] | null {
  if (name.length > LONGEST) return null;
  const begins: number[] = [];
  const ends: number[] = [];
  let [at, pos] = [0, 0];
  /** Where matching goes on when the last star has to take one more: nothing before it ever has to change. */
  let afterStar = -1;
  while (pos < name.length || at < glob.length) {
    const char = glob[at];
    if (char === "*") {
      begins.push(pos);
      ends.push(pos);
      afterStar = ++at;
    } else if (pos < name.length && (char === "?" || char === name[pos])) {
      at++;
      pos++;
    } else if (afterStar >= 0 && ends.at(-1)! < name.length) {
      pos = ++ends[ends.length - 1]!;
      at = afterStar;
    } else return null;
  }
  return begins.map((begin, i) => name.slice(begin, ends[i]));
}
