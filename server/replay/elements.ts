import type { Line } from "./lines";

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN = 0x5b;
const CLOSE = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];

/**
 * Splits the stream of a file that holds one JSON array at its commas, byte for byte: what stands in an element is for others to read. Holds one
 * chunk and at most `maxBytes` of an unfinished element.
 * @throws Error when it is not an array of elements: nothing between two commas, more closed than opened, cut off, something behind it.
 */
export async function* splitElements(chunks: AsyncIterable<Buffer>, maxBytes: number): AsyncGenerator<Line> {
  let position = 0;
  /** 0 outside of the array, 1 between its elements. */
  let depth = 0;
  let state: "before" | "inside" | "string" | "escaped" | "after" = "before";
  let kept: Buffer[] = [];
  let length = 0;
  /** True if the element has anything but white space. */
  let filled = false;
  let elements = 0;

  const fail = (what: string, at: number): never => {
    throw new Error(`${what} at byte ${position + at}`);
  };
  const take = (part: Buffer) => {
    length += part.byteLength;
    if (length <= maxBytes) kept.push(part);
    else kept = [];
  };
  const finish = (at: number): Line => {
    if (!filled) fail("there is nothing before the comma or bracket", at);
    const element = { bytes: length > maxBytes ? null : Buffer.concat(kept), length, end: position + at + 1 };
    kept = [];
    length = 0;
    filled = false;
    elements += 1;
    return element;
  };

  for await (const chunk of chunks) {
    let from = 0;
    for (let at = 0; at < chunk.byteLength; at++) {
      const byte = chunk[at]!;
      if (state === "escaped") state = "string";
      else if (state === "string") {
        if (byte === BACKSLASH) state = "escaped";
        else if (byte === QUOTE) state = "inside";
      } else if (state !== "inside") {
        if (isSpace(byte) || (state === "before" && byte === BYTE_ORDER_MARK[position + at])) continue;
        if (state === "after" || byte !== OPEN)
          fail(state === "after" ? "something follows the array" : "no array begins", at);
        state = "inside";
        depth = 1;
        from = at + 1;
      } else if (depth === 1 && (byte === COMMA || byte === CLOSE)) {
        take(chunk.subarray(from, at));
        from = at + 1;
        if (byte === CLOSE) state = "after";
        // An empty array has no element.
        if (byte === COMMA || filled || elements > 0) yield finish(at);
      } else {
        if (byte === QUOTE) state = "string";
        else if (byte === OPEN || byte === OPEN_OBJECT) depth += 1;
        else if ((byte === CLOSE || byte === CLOSE_OBJECT) && --depth < 1) fail("more is closed than was opened", at);
        filled ||= !isSpace(byte);
      }
    }
    if (state !== "before" && state !== "after") take(chunk.subarray(from));
    position += chunk.byteLength;
  }
  if (state !== "after") fail("it ends within the array", 0);
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}
