import { type Options, parse } from "csv-parse/sync";
import {
  asWindows1252,
  breaksIn,
  csvParserOptions,
  csvSettings,
  doubledName,
  rowReader,
} from "@/server/domain/mapping/csv";
import type { Part } from "@/server/domain/mapping/delivery";
import { checkCount, type Decoder, textOf, UnreadableError } from "./decoder";

const DEFAULTS = csvSettings.parse({});

/** Rows of CSV as flat objects of texts, a part each. */
export const decodeCsv: Decoder = (delivery, { csv = DEFAULTS } = {}) => {
  const text =
    csv.encoding === "latin1" ? asWindows1252(Buffer.from(delivery.body).toString("latin1")) : textOf(delivery);
  const rows: { readonly fields: string[]; readonly line: number }[] = [];
  let breaks = 0;
  const options: Options = {
    ...csvParserOptions(csv),
    on_record(fields: string[], { lines }) {
      breaks += breaksIn(fields);
      rows.push({ fields, line: lines - breaks });
      return null;
    },
  };
  try {
    parse(text, options);
  } catch (error) {
    throw new UnreadableError(`it cannot be read as CSV: ${(error as Error).message.slice(0, 200)}`);
  }
  checkCount(rows.length);
  const [first, ...others] = rows.slice(csv.skip);
  const header = csv.header ?? first?.fields.map((name) => name.trim());
  if (header === undefined) throw new UnreadableError("it has no rows");
  const doubled = doubledName(header);
  if (doubled !== null) throw new UnreadableError(`its header names ${JSON.stringify(doubled)} twice`);
  const read = rowReader(header);
  return (csv.header && first ? [first, ...others] : others).flatMap(({ fields, line }): Part[] => {
    const value = read(fields);
    return value === null ? [] : [{ value, path: `line ${line}`, beside: {} }];
  });
};
