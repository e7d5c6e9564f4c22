import { parse } from "csv-parse";
import { type ReplayOptions, ReplayUsageError } from "./options";

/** A time as date and time of day, without a zone. */
const ZONELESS = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?$/;

type CsvOptions = Pick<ReplayOptions, "mapping" | "deviceName" | "columns" | "zone" | "delimiter">;

/**
 * Reads CSV with a header line into messages in Fieldwatch's own shape, one a row.
 * @throws ReplayUsageError if the header lacks a column that is needed.
 */
export async function* readCsv(
  chunks: AsyncIterable<Buffer>,
  options: CsvOptions,
  tabs: boolean,
): AsyncGenerator<object> {
  const parser = parse({
    bom: true,
    delimiter: options.delimiter ?? (tabs ? "\t" : ","),
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: true,
    trim: true,
    max_record_size: 1024 * 1024,
  });
  const feeding = feed(chunks, parser);
  let toMessage: ((row: readonly string[]) => object) | null = null;
  try {
    for await (const row of parser as AsyncIterable<string[]>) {
      if (toMessage === null) toMessage = rowReader(row, options);
      else yield toMessage(row);
    }
    await feeding;
  } finally {
    parser.destroy();
  }
}

/** Back-pressure by hand, so that a reader that stops early leaves no stream open. */
async function feed(chunks: AsyncIterable<Buffer>, parser: ReturnType<typeof parse>): Promise<void> {
  try {
    for await (const chunk of chunks) {
      if (parser.destroyed) return;
      if (!parser.write(chunk)) await Promise.race([once(parser, "drain"), once(parser, "close")]);
    }
    parser.end();
  } catch (error) {
    parser.destroy(error as Error);
  }
}

function once(parser: ReturnType<typeof parse>, event: string): Promise<void> {
  return new Promise((resolve) => parser.once(event, () => resolve()));
}

function rowReader(header: readonly string[], options: CsvOptions): (row: readonly string[]) => object {
  const { mapping, deviceName, columns, zone } = options;
  const place = (column: string, option: string): number => {
    const index = header.indexOf(column);
    if (index !== -1) return index;
    const example = option === "--device" ? "--device-name machine-1" : `${option} ${header[0]}`;
    throw new ReplayUsageError(
      `The file has no column ${JSON.stringify(column)} (${option}). Its columns are: ${header.join(", ").slice(0, 500)}. For example: ${example}`,
    );
  };
  const time = place(mapping.time, "--time");
  const device = deviceName === null ? place(mapping.device, "--device") : -1;
  const labels = (["site", "type"] as const).flatMap((label) =>
    header.includes(label) ? [[label, header.indexOf(label)] as const] : [],
  );
  const taken = new Set([time, device, ...labels.map(([, index]) => index)]);
  const metrics: (readonly [string, number])[] =
    columns === null
      ? header.flatMap((column, index) => (taken.has(index) || column === "" ? [] : [[column, index] as const]))
      : [...columns].map(([column, metric]) => [metric, place(column, "--columns")] as const);

  return (row) => ({
    device: deviceName ?? row[device] ?? "",
    time: readTime(row[time] ?? "", zone),
    ...Object.fromEntries(labels.filter(([, index]) => row[index]).map(([label, index]) => [label, row[index]])),
    readings: Object.fromEntries(
      metrics.flatMap(([metric, index]) => (row[index] ? [[metric, readValue(row[index])]] : [])),
    ),
  });
}

function readTime(text: string, zone: string): string | number {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text);
  const match = ZONELESS.exec(text);
  if (!match) return text;
  return `${text}${match[1] === undefined ? ":00" : ""}${zone}`;
}

/** A field is a number or a boolean if it reads like one, else a text. */
function readValue(text: string): number | boolean | string {
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,3})?$/i.test(text)) {
    const number = Number(text);
    return Number.isFinite(number) ? number : text;
  }
  if (/^true$/i.test(text)) return true;
  if (/^false$/i.test(text)) return false;
  return text;
}
