/** Texts remembered; a few ten bytes each. */
const MOST_TEXTS = 50_000;
/** Bytes of the longest that are: no name is longer, and others may be of any length. */
const LONGEST = 128;
/** FNV-1a of 32 bits: https://datatracker.ietf.org/doc/html/draft-eastlake-fnv */
const [FNV_OFFSET, FNV_PRIME] = [0x811c9dc5, 0x01000193];

/**
 * Makes a reader of short UTF-8 texts that mostly have come before, such as names of devices. It gives the same string for the same ASCII bytes:
 * that takes no memory, and whoever looks it up needn't compute its hash again.
 */
export function createKnownTexts(): (bytes: Buffer, from: number, to: number) => string {
  const texts = new Map<number, string>();
  return (bytes, from, to) => {
    if (to - from > LONGEST) return bytes.toString("utf8", from, to);
    let hash = FNV_OFFSET;
    for (let i = from; i < to; i++) hash = Math.imul(hash ^ bytes[i]!, FNV_PRIME);
    const known = texts.get(hash);
    if (known !== undefined && stands(bytes, from, to, known)) return known;
    const text = bytes.toString("utf8", from, to);
    if (texts.size >= MOST_TEXTS) texts.clear();
    texts.set(hash, text);
    return text;
  };
}

function stands(bytes: Buffer, from: number, to: number, text: string): boolean {
  if (to - from !== text.length) return false;
  for (let i = 0; i < text.length; i++) {
    const byte = bytes[from + i]!;
    if (byte > 127 || byte !== text.charCodeAt(i)) return false;
  }
  return true;
}
