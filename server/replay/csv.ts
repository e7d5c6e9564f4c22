import { parse } from "csv-parse";
import type { JsonReading } from "@/server/domain/json";
import { breaksIn, csvParserOptions, rowReader } from "@/server/domain/mapping/csv";
import type { CsvLayout } from "./csv-layout";

/** A row of data, as a flat object of texts. */
export interface CsvRow {
  /** Null for a row of empty fields. */
  readonly value: JsonReading | null;
  /** The line of the file it ends in, from 1. */
  readonly line: number;
}

/** Reads the rows of a CSV file, those of a chunk at once. */
export async function* readCsv(chunks: AsyncIterable<Buffer>, layout: CsvLayout): AsyncGenerator<readonly CsvRow[]> {
  const parser = parse({ ...csvParserOptions(layout), encoding: layout.encoding });
  // Whoever writes is told of it.
  parser.on("error", () => undefined);
  const read = rowReader(layout.header);
  let { skip } = layout;
  let rows: CsvRow[] = [];
  let breaks = 0;
  // Taken as they are made: a promise for each row would take longer than the parsing, and only now does the parser know the line.
  parser.push = (fields: string[] | null) => {
    if (fields === null) return true;
    breaks += breaksIn(fields);
    if (skip > 0) skip -= 1;
    else rows.push({ value: read(fields), line: parser.info.lines - breaks });
    return true;
  };
  const taken = () => {
    const all = rows;
    rows = [];
    return all;
  };
  try {
    for await (const chunk of chunks) {
      await done((callback) => parser.write(chunk, callback));
      yield taken();
    }
    await done((callback) => parser.end(callback));
    yield taken();
  } finally {
    parser.destroy();
  }
}

function done(write: (callback: (error?: Error | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => write((error) => (error ? reject(error) : resolve())));
}
