import { IngestRefusedError } from "./refused";

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/**
 * The bytes of each element of a JSON array. Only the array's own brackets and commas are judged here: the array is valid
 * exactly if each element is. @throws IngestRefusedError when it doesn't end, or something comes after it.
 */
export function* arrayElements(json: Buffer): Generator<Buffer> {
  const start = json.indexOf(OPEN_ARRAY);
  let depth = 0;
  let begin = start + 1;
  let count = 0;
  for (let i = start; i < json.length; i++) {
    const byte = json[i];
    if (byte === QUOTE) i = endOfString(json, i);
    else if (byte === OPEN_ARRAY || byte === OPEN_OBJECT) depth++;
    else if (byte === COMMA && depth === 1) {
      yield element(json, begin, i, count++);
      begin = i + 1;
    } else if ((byte === CLOSE_ARRAY || byte === CLOSE_OBJECT) && --depth === 0) {
      if (byte !== CLOSE_ARRAY) throw broken(`at byte ${i}: the array ends with }`);
      if (count > 0 || !isBlank(json.subarray(begin, i))) yield element(json, begin, i, count);
      if (!isBlank(json.subarray(i + 1))) throw broken(`at byte ${i + 1}: something comes after the array`);
      return;
    }
  }
  throw broken("it ends before the array does");
}

/** JSON's white space only. */
export function isBlank(bytes: Uint8Array): boolean {
  return bytes.every(isSpace);
}

/** The body is no JSON, and why. */
export function broken(why: string): IngestRefusedError {
  return new IngestRefusedError("unreadable-body", `The body is not UTF-8 JSON: ${why}.`);
}

function element(json: Buffer, from: number, to: number, index: number): Buffer {
  let start = from;
  let end = to;
  while (start < end && isSpace(json[start])) start++;
  while (end > start && isSpace(json[end - 1])) end--;
  if (start === end) throw broken(`element ${index} of the array is empty`);
  return json.subarray(start, end);
}

function endOfString(json: Buffer, open: number): number {
  for (let i = open + 1; i < json.length; i++) {
    if (json[i] === BACKSLASH) i++;
    else if (json[i] === QUOTE) return i;
  }
  return json.length;
}

/** One of JSON's white space. */
export function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d;
}
