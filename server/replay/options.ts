import { parseArgs } from "node:util";
import { CANONICAL_MAPPING, type MessageMapping } from "@/server/domain/message";
import { isName } from "@/server/domain/terms";

export type SourceFormat = "ndjson" | "json" | "csv";

export interface ReplayOptions {
  readonly file: string;
  readonly mapping: MessageMapping;
  /** A device for every message, in place of one in the file. */
  readonly deviceName: string | null;
  /** CSV columns to take as readings, with the metric each becomes; null takes all that are not device, time, site or type. */
  readonly columns: ReadonlyMap<string, string> | null;
  /** Appended to CSV times without a zone: Z or ±HH:MM. */
  readonly zone: string;
  readonly delimiter: string | null;
  /** null finds out from the name and the first bytes. */
  readonly format: SourceFormat | null;
  /** Times as fast as the recording; Infinity does not wait at all. */
  readonly speed: number;
  readonly shiftToNow: boolean;
  /** Fieldwatch's address; null is this machine's own. */
  readonly url: string | null;
  /** Messages in one request. */
  readonly batch: number;
  /** How long one outage may last, in seconds. */
  readonly waitSeconds: number;
  readonly restart: boolean;
}

/** Something the caller has to correct; the message says what and how. */
export class ReplayUsageError extends Error {
  override readonly name = "ReplayUsageError";
}

export const HELP = `npm run replay -- <file> [options]

Sends a recording (NDJSON, a JSON array, or CSV; also .gz) of any size to Fieldwatch.

Where a message keeps its parts (dot-separated paths; for CSV: column names)
  --device P        the device's name          (default device)
  --time P          the event time             (default time)
  --readings P      the object with readings   (default readings; not for CSV)
  --device-name N   one name for every message, when the file has no device
  --columns MAP     CSV: columns to take, renamed if wanted: value=temperature,humidity
  --zone Z          CSV: zone of times without one: UTC or ±HH:MM (default UTC)
  --delimiter C     CSV: between fields        (default , and for .tsv a tab)
  --format F        ndjson, json or csv        (default: by name and content)

How it is sent
  --speed N|max     1 as recorded, 60 an hour a minute, max without waiting (default max)
  --shift-to-now    moves all times so that the recording plays as if it were now
  --url U           Fieldwatch's address       (default: this machine's, from HOST and PORT)
  --batch N         messages in one request    (default 500)
  --wait S          seconds to wait for a server that is away (default 300)
  --restart         from the beginning, instead of where an interrupted replay stopped

Examples
  npm run replay -- environment.ndjson --device device --time ts --readings data
  npm run replay -- machine.csv --device-name machine-1 --time timestamp --columns value=temperature
  npm run replay -- yesterday.json --speed 60 --shift-to-now
`;

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
  return {
    file: positionals[0] as string,
    mapping: {
      device: filled("--device", values.device) ?? CANONICAL_MAPPING.device,
      time: filled("--time", values.time) ?? CANONICAL_MAPPING.time,
      readings: filled("--readings", values.readings) ?? CANONICAL_MAPPING.readings,
    },
    deviceName: values["device-name"] ?? null,
    columns: values.columns === undefined ? null : parseColumns(values.columns),
    zone: parseZone(values.zone),
    delimiter: parseDelimiter(values.delimiter),
    format: parseFormat(values.format),
    speed: parseSpeed(values.speed),
    shiftToNow: values["shift-to-now"],
    url: parseUrl(values.url),
    batch: parseWhole("--batch", values.batch, 1, 10_000),
    waitSeconds: parseWhole("--wait", values.wait, 0, 7 * 86_400),
    restart: values.restart,
  };
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        help: { type: "boolean", short: "h", default: false },
        device: { type: "string" },
        time: { type: "string" },
        readings: { type: "string" },
        "device-name": { type: "string" },
        columns: { type: "string" },
        zone: { type: "string", default: "UTC" },
        delimiter: { type: "string" },
        format: { type: "string" },
        speed: { type: "string", default: "max" },
        "shift-to-now": { type: "boolean", default: false },
        url: { type: "string" },
        batch: { type: "string", default: "500" },
        wait: { type: "string", default: "300" },
        restart: { type: "boolean", default: false },
      },
    });
  } catch (error) {
    throw new ReplayUsageError(`${(error as Error).message}. See: npm run replay -- --help`);
  }
}

function filled(option: string, value: string | undefined): string | undefined {
  if (value === "") throw new ReplayUsageError(`${option} is empty; for example ${option} data.${option.slice(2)}`);
  return value;
}

function parseColumns(text: string): ReadonlyMap<string, string> {
  const columns = new Map<string, string>();
  for (const part of text.split(",")) {
    const [column = "", metric = column] = part.split("=").map((side) => side.trim());
    if (column === "" || metric === "") {
      throw new ReplayUsageError(
        `--columns: cannot read ${JSON.stringify(part)}; for example --columns value=temperature,humidity`,
      );
    }
    columns.set(column, metric);
  }
  return columns;
}

function parseZone(text: string): string {
  if (/^(utc|z)$/i.test(text)) return "Z";
  if (/^[+-]([01]\d|2[0-3]):[0-5]\d$/.test(text)) return text;
  throw new ReplayUsageError(`--zone: ${JSON.stringify(text)} is neither UTC nor ±HH:MM; for example --zone +02:00`);
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
