import { parseArgs } from "node:util";
import { CANONICAL_MAPPING, type MessageMapping } from "@/server/domain/message-mapping";
import { isName } from "@/server/domain/terms";
import { parse as parseCsv } from "csv-parse/sync";
import { SOURCE_NAME } from "@/server/domain/source";
import type { DecimalMark } from "./fields";
import { parseTimeFormat, parseZone } from "./times";
import { ReplayUsageError } from "./usage-error";

export type SourceFormat = "ndjson" | "json" | "csv";

export interface ReplayOptions {
  readonly file: string;
  /** A file with the mapping that reads the recording, or the name of a source whose mapping does; null for none. */
  readonly mappingFile: string | null;
  readonly sourceName: string | null;
  /** A file to write the mapping to by which the recording is read. */
  readonly saveMapping: string | null;
  readonly mapping: MessageMapping;
  /** A device for every message, in place of one in the file. */
  readonly deviceName: string | null;
  /**
   * CSV columns to take as readings, with the metric each becomes, or null to name it by its header; null takes all that
   * are not device, time, site or type.
   */
  readonly columns: ReadonlyMap<string, string | null> | null;
  /** Names for the columns of a CSV file, in place of its header line; null reads that. */
  readonly header: readonly string[] | null;
  /** Rows of a CSV file before its header. */
  readonly skip: number;
  /** The column with each row's metric, in a long CSV file; null for a wide one. */
  readonly metricColumn: string | null;
  readonly valueColumn: string | null;
  /** A column with the unit of each row's values. */
  readonly unitColumn: string | null;
  /** Zone of times without one: UTC, ±HH:MM, or a name such as Europe/Berlin; null is UTC. */
  readonly zone: string | null;
  /** s, ms, us or ns for epochs, or a pattern; null finds out. */
  readonly timeFormat: string | null;
  /** null finds out, as for the decimal mark. */
  readonly delimiter: string | null;
  readonly decimal: DecimalMark | null;
  /** Words that mean no value, besides the usual ones. */
  readonly missing: readonly string[] | null;
  /** Words for true and false, in lower case; null is true and false alone. */
  readonly booleans: ReadonlyMap<string, boolean> | null;
  /** CSV columns that are text, or numbers, whatever they look like. */
  readonly text: readonly string[] | null;
  readonly number: readonly string[] | null;
  /** null finds out from the name and the first bytes. */
  readonly format: SourceFormat | null;
  /** Times as fast as the recording; Infinity does not wait at all. */
  readonly speed: number;
  readonly shiftToNow: boolean;
  /** Fieldwatch's address; null is this machine's own. */
  readonly url: string | null;
  /** Messages in one request. */
  readonly batch: number;
  /** The longest outage that is waited for, in seconds. */
  readonly waitSeconds: number;
  readonly restart: boolean;
  /** Only look at the first rows, and send nothing. */
  readonly check: boolean;
  /** Send although nothing of the first rows can be read. */
  readonly anyway: boolean;
  /**
   * Share of messages of which something may be refused before the replay counts as failed, from 0 to 1. Null is 1 %, and none of which nothing
   * at all is taken.
   */
  readonly maxRefused: number | null;
}

/**
 * Reads the command line.
 * @returns "help" if that is what was asked for.
 * @throws ReplayUsageError
 */
export function parseReplayOptions(argv: readonly string[]): ReplayOptions | "help" {
  const { values, positionals } = parse(argv);
  if (values.help) return "help";
  if (positionals.length !== 1) {
    const which =
      positionals.length === 0 ? "Name the file to replay." : `One file at a time; got ${positionals.join(", ")}.`;
    throw new ReplayUsageError(`${which} For example: npm run replay -- recording.ndjson`);
  }
  if (values["device-name"] !== undefined && !isName(values["device-name"])) {
    throw new ReplayUsageError(
      "--device-name takes 1–128 of the characters A–Z a–z 0–9 _ . : - ; for example --device-name machine-1",
    );
  }
  refuseTwoMappings(values);
  return {
    file: positionals[0] as string,
    mappingFile: filled("--mapping", values.mapping) ?? null,
    sourceName: parseSource(values.source),
    saveMapping: filled("--save-mapping", values["save-mapping"]) ?? null,
    mapping: {
      device: filled("--device", values.device) ?? CANONICAL_MAPPING.device,
      time: filled("--time", values.time) ?? CANONICAL_MAPPING.time,
      readings: filled("--readings", values.readings) ?? CANONICAL_MAPPING.readings,
    },
    deviceName: values["device-name"] ?? null,
    columns: values.columns === undefined ? null : parseColumns(values.columns),
    header: list("--header", values.header),
    skip: parseWhole("--skip", values.skip ?? "0", 0, 1000),
    metricColumn: filled("--metric-column", values["metric-column"]) ?? null,
    valueColumn: filled("--value-column", values["value-column"]) ?? null,
    unitColumn: filled("--unit-column", values["unit-column"]) ?? null,
    zone: values.zone === undefined ? null : parseZone(values.zone),
    timeFormat: parseTimeFormat(values["time-format"]),
    decimal: parseDecimal(values.decimal),
    missing: list("--missing", values.missing),
    booleans: parseBooleans(values.booleans),
    text: list("--text", values.text),
    number: list("--number", values.number),
    delimiter: parseDelimiter(values.delimiter),
    format: parseFormat(values.format),
    speed: parseSpeed(values.speed),
    shiftToNow: values["shift-to-now"],
    url: parseUrl(values.url),
    batch: parseWhole("--batch", values.batch, 1, 10_000),
    waitSeconds: parseWhole("--wait", values.wait, 0, 7 * 86_400),
    restart: values.restart,
    check: values.check || values["dry-run"],
    anyway: values.anyway,
    maxRefused: values["max-refused"] === undefined ? null : parseShare(values["max-refused"]),
  };
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: withNegatives(argv),
      allowPositionals: true,
      options: {
        help: { type: "boolean", short: "h", default: false },
        mapping: { type: "string" },
        source: { type: "string" },
        "save-mapping": { type: "string" },
        device: { type: "string" },
        time: { type: "string" },
        readings: { type: "string" },
        "device-name": { type: "string" },
        columns: { type: "string" },
        zone: { type: "string" },
        header: { type: "string" },
        skip: { type: "string" },
        "unit-column": { type: "string" },
        "metric-column": { type: "string" },
        "value-column": { type: "string" },
        "time-format": { type: "string" },
        decimal: { type: "string" },
        missing: { type: "string" },
        booleans: { type: "string" },
        text: { type: "string" },
        number: { type: "string" },
        delimiter: { type: "string" },
        format: { type: "string" },
        speed: { type: "string", default: "max" },
        "shift-to-now": { type: "boolean", default: false },
        url: { type: "string" },
        batch: { type: "string", default: "500" },
        wait: { type: "string", default: "300" },
        restart: { type: "boolean", default: false },
        check: { type: "boolean", default: false },
        "dry-run": { type: "boolean", default: false },
        anyway: { type: "boolean", default: false },
        "max-refused": { type: "string" },
      },
    });
  } catch (error) {
    throw new ReplayUsageError(`${(error as Error).message}. See: npm run replay -- --help`);
  }
}

/** Options that say parts of a mapping, which one that is given whole says already. */
const PARTS = [
  ...["device", "time", "readings", "columns", "zone", "metric-column", "value-column", "unit-column", "time-format"],
  ...["decimal", "missing", "booleans", "text", "number"],
] as const;

function refuseTwoMappings(values: Readonly<Record<string, unknown>>): void {
  const whole = ["mapping", "source"].filter((option) => values[option] !== undefined);
  if (whole.length === 2) throw new ReplayUsageError("--mapping or --source: one of both reads the file.");
  const part = PARTS.find((option) => values[option] !== undefined);
  if (whole[0] !== undefined && part !== undefined)
    throw new ReplayUsageError(
      `--${whole[0]} says all of how the file is read; take --${part} away, or change the mapping (--save-mapping writes one to a file).`,
    );
}

function parseSource(text: string | undefined): string | null {
  if (text === undefined || SOURCE_NAME.test(text)) return text ?? null;
  throw new ReplayUsageError(`--source: ${JSON.stringify(text)} names no source; for example --source greenhouse`);
}

/** A value such as -200 or -05:00 is none of Node's options. */
function withNegatives(argv: readonly string[]): string[] {
  const args: string[] = [];
  for (const arg of argv) {
    const before = args.at(-1) ?? "";
    if (/^-($|\d|,)/.test(arg) && /^--[a-z-]+$/.test(before)) args[args.length - 1] = `${before}=${arg}`;
    else args.push(arg);
  }
  return args;
}

function filled(option: string, value: string | undefined): string | undefined {
  if (value === "") throw new ReplayUsageError(`${option} is empty; for example ${option} data.${option.slice(2)}`);
  return value;
}

/** Names parted by commas, in double quotes where they hold one. */
function list(option: string, text: string | undefined): string[] | null {
  if (text === undefined) return null;
  try {
    const [names = []] = parseCsv(text, { trim: true, relax_column_count: true }) as string[][];
    if (names.some((name) => name !== "")) return names;
  } catch {
    // Said below, in the words of the command line.
  }
  throw new ReplayUsageError(
    `${option}: cannot read ${JSON.stringify(text)}; for example ${option} 'a,b' or ${option} '"a, with a comma",b'`,
  );
}

function parseColumns(text: string): ReadonlyMap<string, string | null> {
  const columns = new Map<string, string | null>();
  for (const part of list("--columns", text) ?? []) {
    const at = part.lastIndexOf("=");
    const column = (at === -1 ? part : part.slice(0, at)).trim();
    const metric = at === -1 ? null : part.slice(at + 1).trim();
    if (column === "" || metric === "") {
      throw new ReplayUsageError(
        `--columns: cannot read ${JSON.stringify(part)}; for example --columns value=temperature,humidity`,
      );
    }
    if (metric !== null && !isName(metric)) {
      throw new ReplayUsageError(
        `--columns: ${JSON.stringify(metric)} cannot name a metric; use 1–128 of the characters A–Z a–z 0–9 _ . : -`,
      );
    }
    columns.set(column, metric);
  }
  return columns;
}

function parseDecimal(text: string | undefined): DecimalMark | null {
  if (text === undefined) return null;
  if (text === "comma" || text === ",") return "comma";
  if (text === "point" || text === ".") return "point";
  throw new ReplayUsageError(
    `--decimal: ${JSON.stringify(text)} is neither comma nor point; for example --decimal comma`,
  );
}

function parseBooleans(text: string | undefined): ReadonlyMap<string, boolean> | null {
  if (text === undefined) return null;
  const words = new Map([
    ["true", true],
    ["false", false],
  ]);
  for (const pair of list("--booleans", text) ?? []) {
    const [yes = "", no = "", ...more] = pair.toLowerCase().split("/");
    if (yes === "" || no === "" || yes === no || more.length > 0)
      throw new ReplayUsageError(
        `--booleans: cannot read ${JSON.stringify(pair)}; give the words for true and false, for example --booleans on/off,open/closed`,
      );
    words.set(yes, true).set(no, false);
  }
  return words;
}

/** A percentage as a share. */
function parseShare(text: string): number {
  const percent = /^\d{1,3}(\.\d+)?%?$/.test(text) ? Number(text.replace("%", "")) : NaN;
  if (percent >= 0 && percent <= 100) return percent / 100;
  throw new ReplayUsageError(`--max-refused: ${JSON.stringify(text)} is no percentage; for example --max-refused 5`);
}

function parseDelimiter(text: string | undefined): string | null {
  if (text === undefined) return null;
  if (text === "\\t" || text === "tab") return "\t";
  if (text.length === 1) return text;
  throw new ReplayUsageError('--delimiter takes one character; for example --delimiter ";"');
}

function parseFormat(text: string | undefined): SourceFormat | null {
  if (text === undefined) return null;
  if (text === "ndjson" || text === "json" || text === "csv") return text;
  throw new ReplayUsageError(
    `--format: ${JSON.stringify(text)} is none of ndjson, json, csv; for example --format ndjson`,
  );
}

function parseSpeed(text: string): number {
  if (text === "max") return Infinity;
  const speed = /^\d+(\.\d+)?$/.test(text) ? Number(text) : 0;
  if (speed > 0 && Number.isFinite(speed)) return speed;
  throw new ReplayUsageError(
    `--speed: ${JSON.stringify(text)} is neither a number above 0 nor max; for example --speed 60`,
  );
}

function parseUrl(text: string | undefined): string | null {
  if (text === undefined) return null;
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return text;
  throw new ReplayUsageError(
    `--url: ${JSON.stringify(text)} is no http address; for example --url http://127.0.0.1:3000`,
  );
}

function parseWhole(option: string, text: string, min: number, max: number): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : NaN;
  if (value >= min && value <= max) return value;
  throw new ReplayUsageError(`${option}: ${JSON.stringify(text)} is no whole number from ${min} to ${max}`);
}
