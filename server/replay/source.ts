import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { PassThrough, pipeline } from "node:stream";
import { createGunzip } from "node:zlib";
import { readJson, repeatedPlaces, writeJson } from "@/server/domain/json";
import { readCsv } from "./csv";
import { type CsvLayout, findLayout } from "./csv-layout";
import { planCsv } from "./csv-plan";
import { splitElements } from "./elements";
import { isBlank, splitLines } from "./lines";
import { createMapper, type GivenMapping, type Mapper, type ReadItem } from "./mapper";
import type { ReplayOptions, SourceFormat } from "./options";
import { type Plan, planJson } from "./said-mapping";
import { ReplayUsageError } from "./usage-error";

/** A line longer than this is not even sent: the route would refuse it. */
const LONGEST_LINE = 1024 * 1024;

/** One item of the recording, in its order. */
export interface SourceItem extends ReadItem {
  /** True for a row with more fields than there are columns: those behind aren't read. */
  readonly isLong: boolean;
  /** Counts from 1: the line of NDJSON, the row of CSV without its header, the element of an array. */
  readonly number: number;
  /** Where it is in the file, for a person: "line 3". */
  readonly place: string;
  /** Bytes of the file that are read up to the end of this item; for all but plain NDJSON about. */
  readonly bytes: number;
}

/** The place where a replay goes on: after this many items, which end at this byte. */
export interface SourcePlace {
  readonly number: number;
  readonly bytes: number;
}

export interface Source {
  readonly format: SourceFormat;
  /** Size of the file, in bytes. */
  readonly size: number;
  readonly modifiedMs: number;
  /** The mapping that reads it; null where the telemetry route does. */
  readonly plan: Plan | null;
  /**
   * Streams the items after a place; may be called more than once.
   * @param explain asks for the fate of each value.
   * @throws SourceBroken, ReplayUsageError
   */
  items(after: SourcePlace, explain?: boolean): AsyncGenerator<SourceItem>;
}

/** The file cannot be read any further; what came before it is fine. */
export class SourceBroken extends Error {
  override readonly name = "SourceBroken";
}

/** An item as it is in the file: bytes, or the fields of a row. */
interface RawItem {
  readonly number: number;
  readonly place: string;
  readonly text: Buffer | null;
  /** Length in bytes, of what is too long to be kept. */
  readonly length: number;
  readonly row?: Parameters<Mapper>[0]["row"];
  /** True for a row that isn't text. */
  readonly isBroken?: boolean;
  readonly isLong?: boolean;
  readonly bytes: number;
}

/**
 * Looks at a file and finds out how to read it.
 * @param given the mapping that was named; null finds out, or leaves it to the telemetry route.
 * @throws ReplayUsageError if it is missing, empty or no text.
 */
export async function openSource(options: ReplayOptions, given: GivenMapping | null = null): Promise<Source> {
  const { file } = options;
  const { size, modifiedMs, start } = await look(file);
  if (size === 0) throw new ReplayUsageError(`${file} is empty: there is nothing to replay.`);
  const packed = start[0] === 0x1f && start[1] === 0x8b;
  if (!packed) refuseBinary(file, start);
  const name = file.toLowerCase().replace(/\.gz$/, "");
  const format = options.format ?? formatOf(name, packed ? await unpackedStart(file) : start, given);
  const layout = format === "csv" ? await findRows(open(0, { bytes: 0 }), options, given) : null;
  const plan = planOf(layout, options, given);

  /** The file's bytes, unpacked; `read.bytes` follows how far the file itself was read. */
  function open(from: number, read: { bytes: number }): AsyncIterable<Buffer> {
    const raw = createReadStream(file, { start: from, highWaterMark: format === "ndjson" ? 256 * 1024 : 64 * 1024 });
    raw.on("data", (chunk) => (read.bytes += chunk.length));
    // The callback keeps an early end from being an unhandled error; reading the last stream reports it.
    return pipeline(raw, packed ? createGunzip() : new PassThrough(), () => undefined);
  }

  async function* ndjson(after: SourcePlace): AsyncGenerator<RawItem> {
    const seek = packed ? 0 : after.bytes;
    const read = { bytes: seek };
    let number = packed ? 0 : after.number;
    for await (const { bytes: line, length, end } of splitLines(open(seek, read), LONGEST_LINE, seek)) {
      number += 1;
      const bytes = packed ? read.bytes : end;
      const text = number === 1 && line ? withoutBom(line) : line;
      // A blank line counts as a line, but there is nothing to send.
      if (text === null || !isBlank(text)) yield { number, place: `line ${number}`, text, length, bytes };
    }
  }

  async function* array(): AsyncGenerator<RawItem> {
    const read = { bytes: 0 };
    let number = 0;
    for await (const { bytes: element, length } of splitElements(open(0, read), LONGEST_LINE)) {
      number += 1;
      const text = element && onOneLine(element);
      yield { number, place: `item ${number}`, text, length, bytes: read.bytes };
    }
  }

  async function* csv(): AsyncGenerator<RawItem> {
    const read = { bytes: 0 };
    let number = 0;
    for await (const rows of readCsv(open(0, read), layout!))
      for (const { value: row, isBroken, isLong, line } of rows) {
        number += 1;
        yield { number, place: `line ${line}`, text: null, length: 0, row, isBroken, isLong, bytes: read.bytes };
      }
  }

  return {
    ...{ format, size, modifiedMs, plan },
    async *items(after, explain = false) {
      const map = plan === null ? null : createMapper(plan.mapping, given, explain);
      // A mapping remembers the last times of a repeated hour: it reads what was sent before, too.
      const from = map === null ? after : { number: 0, bytes: 0 };
      let last = "";
      try {
        for await (const item of format === "csv" ? csv() : format === "json" ? array() : ndjson(from)) {
          const { number, place, text, length, bytes, row, isBroken = false, isLong = false } = item;
          const read = isBroken
            ? NOT_TEXT
            : map !== null && (text !== null || row !== undefined)
              ? map(item)
              : asItIs(text, length);
          if (number <= after.number) continue;
          last = place;
          yield { number, place, bytes, isLong, ...read };
        }
      } catch (error) {
        if (error instanceof ReplayUsageError) throw error;
        const where = last === "" ? "" : ` after ${last}`;
        throw new SourceBroken(`${file} cannot be read as ${format}${where}: ${(error as Error).message}`, {
          cause: error,
        });
      }
    },
  };
}

function planOf(layout: CsvLayout | null, options: ReplayOptions, given: GivenMapping | null): Plan | null {
  if (given !== null) return { mapping: given.mapping, found: layout?.found ?? [], doubt: null };
  return layout === null ? planJson(options) : planCsv(layout, options);
}

const NOT_TEXT: ReadItem = {
  ...{ texts: [], messages: [], leaves: [] },
  refused: [{ reason: "unreadable", detail: "it has bytes that are not UTF-8, as the rows before it are" }],
};

/** What no mapping reads goes out byte for byte. */
function asItIs(text: Buffer | null, length: number): ReadItem {
  if (text !== null) return { texts: [text], messages: null, refused: [], leaves: null };
  const refused = [{ reason: "tooLarge", detail: `${length} bytes; not sent` }];
  return { texts: [], messages: null, refused, leaves: null };
}

async function look(file: string): Promise<{ size: number; modifiedMs: number; start: Buffer }> {
  try {
    const handle = await open(file, "r");
    try {
      const stat = await handle.stat();
      if (!stat.isFile())
        throw new ReplayUsageError(`${file} is not a file. For example: npm run replay -- recording.ndjson`);
      const start = Buffer.alloc(8192);
      const { bytesRead } = await handle.read(start, 0, start.byteLength, 0);
      return { size: stat.size, modifiedMs: Math.floor(stat.mtimeMs), start: start.subarray(0, bytesRead) };
    } finally {
      await handle.close();
    }
  } catch (error) {
    const why = UNREADABLE[(error as NodeJS.ErrnoException).code ?? ""];
    if (why === undefined) throw error;
    throw new ReplayUsageError(`${file} ${why}. For example: npm run replay -- recording.ndjson`);
  }
}

const UNREADABLE: Readonly<Record<string, string>> = {
  ENOENT: "is not there",
  ENOTDIR: "is not there",
  EACCES: "may not be read by this user",
  EPERM: "may not be read by this user",
  EISDIR: "is a folder, not a file",
};

function refuseBinary(file: string, start: Buffer): void {
  if (!start.includes(0)) return;
  const utf16 = (start[0] === 0xff && start[1] === 0xfe) || (start[0] === 0xfe && start[1] === 0xff);
  throw new ReplayUsageError(
    utf16
      ? `${file} is UTF-16. Save it as UTF-8 first; for example: iconv -f UTF-16 -t UTF-8 ${file} > utf8.csv`
      : `${file} looks binary, not like NDJSON, JSON or CSV. For example: npm run replay -- recording.ndjson`,
  );
}

/** Bytes that a CSV file's first rows are sought in. */
const HEAD_BYTES = 256 * 1024;

async function findRows(
  chunks: AsyncIterable<Buffer>,
  options: ReplayOptions,
  given: GivenMapping | null,
): Promise<CsvLayout> {
  const parts: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of chunks) {
      parts.push(chunk);
      length += chunk.byteLength;
      if (length > HEAD_BYTES) break;
    }
  } catch (error) {
    throw new SourceBroken(`${options.file} cannot be unpacked: ${(error as Error).message}`, { cause: error });
  }
  return findLayout(Buffer.concat(parts), length <= HEAD_BYTES, options, given?.mapping.csv);
}

async function unpackedStart(file: string): Promise<Buffer> {
  const unpacked = pipeline(createReadStream(file), createGunzip(), () => undefined);
  try {
    for await (const chunk of unpacked as AsyncIterable<Buffer>) {
      refuseBinary(file, chunk);
      return chunk;
    }
  } catch (error) {
    if (error instanceof ReplayUsageError) throw error;
    throw new SourceBroken(`${file} cannot be unpacked: ${(error as Error).message}`, { cause: error });
  }
  throw new ReplayUsageError(`${file} is empty once unpacked: there is nothing to replay.`);
}

function formatOf(name: string, start: Buffer, given: GivenMapping | null): SourceFormat {
  if (/\.(ndjson|jsonl)$/.test(name)) return "ndjson";
  if (/\.(csv|tsv)$/.test(name) || given?.mapping.decode === "csv") return "csv";
  const first = withoutBom(start).toString("latin1").trimStart()[0];
  if (first === "[") return "json";
  if (first === "{" || given !== null) return "ndjson";
  throw new ReplayUsageError(`Neither the name nor the first bytes tell the format. Say it; for example --format csv`);
}

function withoutBom(bytes: Buffer): Buffer {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;
}

/** The same JSON on one line, every number with the digits it has; what isn't JSON stays as it is, for the server to name. */
function onOneLine(element: Buffer): Buffer {
  const text = element.toString("utf8");
  try {
    const reading = readJson(text);
    return Buffer.from(writeJson(reading.json, reading.tokens, repeatedPlaces(reading)));
  } catch {
    return Buffer.from(text.trim().replaceAll(/[\r\n]+/g, " "));
  }
}
