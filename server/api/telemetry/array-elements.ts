const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** The bytes of each element of a JSON array, which must be known to be valid JSON (a byte order mark may stand before it). */
export function* arrayElements(json: Buffer): Generator<Buffer> {
  let depth = 0;
  let start = json.indexOf(OPEN_ARRAY) + 1;
  for (let i = start - 1; i < json.length; i++) {
    const byte = json[i];
    if (byte === QUOTE) i = endOfString(json, i);
    else if (byte === OPEN_ARRAY || byte === OPEN_OBJECT) depth++;
    else if (byte === COMMA && depth === 1) {
      yield trimmed(json, start, i);
      start = i + 1;
    } else if ((byte === CLOSE_ARRAY || byte === CLOSE_OBJECT) && --depth === 0) {
      const last = trimmed(json, start, i);
      if (last.length > 0) yield last;
      return;
    }
  }
}

function endOfString(json: Buffer, open: number): number {
  for (let i = open + 1; i < json.length; i++) {
    if (json[i] === BACKSLASH) i++;
    else if (json[i] === QUOTE) return i;
  }
  return json.length;
}

function trimmed(json: Buffer, from: number, to: number): Buffer {
  const isSpace = (byte: number | undefined) => byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d;
  let start = from;
  let end = to;
  while (start < end && isSpace(json[start])) start++;
  while (end > start && isSpace(json[end - 1])) end--;
  return json.subarray(start, end);
}
