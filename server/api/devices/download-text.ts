import type { ExportRow } from "@/server/readings/reading-export";
import type { SeriesPoint } from "@/server/readings/reading-queries";
import type { MetricKind } from "@/server/domain/terms";
import { csvLine } from "../csv";
import { toInstant } from "../instant";

/** One metric of a download. */
export interface SheetColumn {
  readonly name: string;
  readonly unit: string | null;
  readonly kind: MetricKind;
  readonly resolution: "raw" | "minute" | "hour";
  /** Width of a point in ms; 0 for the readings themselves. */
  readonly bucketMs: number;
}

/** Readings of a device, ready to be written: a cell a column in every row. Times in epoch milliseconds. */
export interface Sheet {
  readonly device: string;
  readonly from: number;
  readonly to: number;
  readonly columns: readonly SheetColumn[];
  readonly chunks: AsyncIterable<readonly ExportRow[]>;
}

const FIGURES = ["mean", "min", "max", "last", "count"] as const;

/**
 * The sheet as CSV (RFC 4180), in pieces: a time column, then a column for each metric of single readings and five for
 * one in buckets.
 */
export async function* csvOf({ columns, chunks }: Sheet): AsyncGenerator<string> {
  const heads = columns.flatMap(({ name, unit, bucketMs }) => {
    const named = (figure: string, unit: string | null) =>
      [name, figure, unit && `(${unit})`].filter(Boolean).join(" ");
    return bucketMs === 0
      ? [named("", unit)]
      : FIGURES.map((figure) => named(figure, figure === "count" ? null : unit));
  });
  yield csvLine(["time", ...heads]);
  for await (const rows of chunks) {
    let text = "";
    for (const { time, cells } of rows) {
      text += toInstant(time);
      columns.forEach((column, i) => {
        const cell = cells[i] ?? null;
        if (column.bucketMs === 0) text += `,${cell === null ? "" : String(single(column, cell))}`;
        else for (const figure of FIGURES) text += `,${cell === null ? "" : cell[figure]}`;
      });
      text += "\r\n";
    }
    if (text !== "") yield text;
  }
}

/** The sheet as one JSON object, a row a line, in pieces. A metric without a reading at a time is left out of its row. */
export async function* jsonOf({ device, from, to, columns, chunks }: Sheet): AsyncGenerator<string> {
  const head = JSON.stringify({ device, from: toInstant(from), to: toInstant(to), metrics: columns });
  yield `${head.slice(0, -1)},"rows":[`;
  let isFirst = true;
  for await (const rows of chunks) {
    let text = "";
    for (const { time, cells } of rows) {
      const row: Record<string, unknown> = { time: toInstant(time) };
      columns.forEach((column, i) => {
        const cell = cells[i] ?? null;
        if (cell !== null) row[column.name] = column.bucketMs === 0 ? single(column, cell) : figuresOf(cell);
      });
      text += `${isFirst ? "\n" : ",\n"}${JSON.stringify(row)}`;
      isFirst = false;
    }
    if (text !== "") yield text;
  }
  yield "\n]}\n";
}

function single({ kind }: SheetColumn, { last }: SeriesPoint): number | boolean {
  return kind === "boolean" ? last !== 0 : last;
}

function figuresOf(cell: SeriesPoint): Record<(typeof FIGURES)[number], number> {
  const { mean, min, max, last, count } = cell;
  return { mean, min, max, last, count };
}
