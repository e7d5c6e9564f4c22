/** A match of a text with what was typed: how good it is, and which letters matched. */
export interface Match {
  /** Higher is better. */
  readonly score: number;
  /** Places in the text, ascending. */
  readonly at: readonly number[];
}

const WORD_START = /[\s_.:/-]/;

/**
 * Finds what was typed in a text, any case: as a whole (best at its beginning, then at that of a word, then anywhere),
 * word by word in any order, or letter by letter. Null if it isn't there; nothing typed matches everything equally.
 */
export function match(typed: string, text: string): Match | null {
  const wanted = typed.trim().toLowerCase();
  if (wanted === "") return { score: 0, at: [] };
  const hay = text.toLowerCase();
  const whole = asWhole(wanted, hay);
  if (whole) return whole;
  const words = wanted.split(/\s+/);
  if (words.length > 1) {
    const found = words.map((word) => asWhole(word, hay));
    if (found.every((one) => one !== null))
      return {
        score: Math.min(...found.map(({ score }) => score)) - 10,
        at: [...new Set(found.flatMap(({ at }) => at))].sort((a, b) => a - b),
      };
  }
  return byLetters(words.join(""), hay);
}

function asWhole(wanted: string, hay: string): Match | null {
  let best: Match | null = null;
  for (let start = hay.indexOf(wanted); start !== -1; start = hay.indexOf(wanted, start + 1)) {
    const place = start === 0 ? 100 : WORD_START.test(hay[start - 1]!) ? 80 : 60;
    // Of two texts that begin alike, the shorter is closer to what was typed.
    const score = place + 10 * (wanted.length / hay.length);
    if (!best || score > best.score) best = { score, at: Array.from({ length: wanted.length }, (_, i) => start + i) };
  }
  return best;
}

/** Every letter in order; letters at the beginning of words and next to each other count for more. */
function byLetters(wanted: string, hay: string): Match | null {
  const at: number[] = [];
  let points = 0;
  for (const letter of wanted) {
    const from = (at.at(-1) ?? -1) + 1;
    const next = hay.indexOf(letter, from);
    if (next === -1) return null;
    const start = startOfWord(hay, letter, from);
    // A letter further on may begin a word: "dl" means Dead Letters, not DeadLetters' "dl" somewhere inside.
    const place = start !== -1 && next !== from ? start : next;
    points += place === from && at.length > 0 ? 2 : place === 0 || WORD_START.test(hay[place - 1]!) ? 3 : 0;
    at.push(place);
  }
  // Letters strewn over a long text are chance.
  if (points < 2 * wanted.length - 1) return null;
  return { score: 20 * (points / (3 * wanted.length)) + 5 * (wanted.length / hay.length), at };
}

function startOfWord(hay: string, letter: string, from: number): number {
  for (let i = from; i < hay.length; i++) {
    if (hay[i] === letter && (i === 0 || WORD_START.test(hay[i - 1]!))) return i;
  }
  return -1;
}
