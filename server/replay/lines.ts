/** One line of a file, byte for byte, without its line break. */
export interface Line {
  /** null if it is longer than the limit; its bytes were skipped, not kept. */
  readonly bytes: Buffer | null;
  /** Length in bytes. */
  readonly length: number;
  /** Start of the next line, in bytes from the start of the file. */
  readonly end: number;
}

const NEWLINE = 10;

/**
 * Splits a byte stream at line feeds. Holds one chunk and at most `maxBytes` of an unfinished line, whatever the file.
 * @param start the position of the stream's first byte in the file.
 */
export async function* splitLines(
  chunks: AsyncIterable<Buffer>,
  maxBytes: number,
  start: number,
): AsyncGenerator<Line> {
  let kept: Buffer[] = [];
  let length = 0;
  let position = start;

  const take = (part: Buffer) => {
    length += part.byteLength;
    if (length <= maxBytes) kept.push(part);
    else kept = [];
  };
  const finish = (end: number): Line => {
    const bytes = length > maxBytes ? null : kept.length === 1 ? (kept[0] as Buffer) : Buffer.concat(kept);
    const line = { bytes, length, end };
    kept = [];
    length = 0;
    return line;
  };

  for await (const chunk of chunks) {
    let from = 0;
    for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, from)) {
      take(chunk.subarray(from, at));
      from = at + 1;
      yield finish(position + from);
    }
    position += chunk.byteLength;
    if (from < chunk.byteLength) take(chunk.subarray(from));
  }
  if (length > 0) yield finish(position);
}

/** True if there is nothing but JSON's white space; the telemetry route does not count such a line. */
export function isBlank(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d || byte === 0x0a);
}
