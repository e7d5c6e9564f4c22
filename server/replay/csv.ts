import { isAscii } from "node:buffer";
import { parse } from "csv-parse";
import type { JsonReading } from "@/server/domain/json";
import { asWindows1252, breaksIn, csvParserOptions, rowReader } from "@/server/domain/mapping/csv";
import { type CsvLayout, isLongRow } from "./csv-layout";

/** A row of data, as a flat object of texts. */
export interface CsvRow {
  /** Null for a row of empty fields. */
  readonly value: JsonReading | null;
  /** True if it has bytes that no encoding tells: it can't be read as what it says. */
  readonly isBroken: boolean;
  /** True if it has more fields than there are columns: those behind aren't read. */
  readonly isLong: boolean;
  /** The line of the file it ends in, from 1. */
  readonly line: number;
}

/** Reads the rows of a CSV file, those of a chunk at once. */
export async function* readCsv(chunks: AsyncIterable<Buffer>, layout: CsvLayout): AsyncGenerator<readonly CsvRow[]> {
  const parser = parse({ ...csvParserOptions(layout), encoding: "utf8" });
  // Whoever writes is told of it.
  parser.on("error", () => undefined);
  const read = rowReader(layout.header);
  const text = createText(layout.encoding);
  let { skip } = layout;
  let rows: CsvRow[] = [];
  let breaks = 0;
  // Taken as they are made: a promise for each row would take longer than the parsing, and only now does the parser know the line.
  parser.push = (fields: string[] | null) => {
    if (fields === null) return true;
    breaks += breaksIn(fields);
    if (skip > 0) skip -= 1;
    else {
      const isBroken = text.isBroken() && fields.some((field) => field.includes(REPLACED));
      const isLong = isLongRow(fields, layout.header);
      rows.push({ value: read(fields), isBroken, isLong, line: parser.info.lines - breaks });
    }
    return true;
  };
  const taken = () => {
    const all = rows;
    rows = [];
    return all;
  };
  try {
    for await (const chunk of chunks) {
      const problem = await done((callback) => parser.write(text.utf8(chunk), callback));
      yield taken();
      if (problem) throw problem;
    }
    const problem = await done((callback) => parser.end(callback));
    yield taken();
    if (problem) throw problem;
  } finally {
    parser.destroy();
  }
}

/** What stands for bytes that aren't UTF-8 once they are read as that. */
const REPLACED = "\ufffd";

/**
 * Makes chunks UTF-8. A file whose beginning is ASCII may turn out to be Latin-1 far behind its first rows: it is read as that from there on, since
 * up to there both are the same. One that has been UTF-8 and has other bytes then is broken.
 */
function createText(encoding: CsvLayout["encoding"]) {
  let read: "ascii" | "utf8" | "latin1" | "broken" = encoding === "latin1" ? "latin1" : "ascii";
  const decoder = new TextDecoder("utf-8", { fatal: true });
  return {
    isBroken: () => read === "broken",
    utf8(chunk: Buffer): Buffer {
      if (read === "latin1") return Buffer.from(asWindows1252(chunk.toString("latin1")));
      if (read === "broken" || (read === "ascii" && isAscii(chunk))) return chunk;
      try {
        decoder.decode(chunk, { stream: true });
        read = "utf8";
        return chunk;
      } catch {
        read = read === "ascii" ? "latin1" : "broken";
        return this.utf8(chunk);
      }
    },
  };
}

/** @returns what went wrong, after the rows before it were made; null if nothing did. */
function done(write: (callback: (error?: Error | null) => void) => void): Promise<Error | null> {
  return new Promise((resolve) => write((error) => resolve(error ?? null)));
}
