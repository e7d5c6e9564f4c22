import type { ExportRow } from "@/server/readings/reading-export";
import type { SeriesPoint } from "@/server/readings/buckets";
import { meanWithoutDust } from "@/server/domain/dust";
import type { MetricKind } from "@/server/domain/terms";
import { csvLines, type CsvValue, metricHeading } from "../csv";
import { toInstant } from "../instant";

/** One metric of a download. */
export interface SheetColumn {
  readonly name: string;
  readonly unit: string | null;
  readonly kind: MetricKind;
  /** Event time of the latest number that no double holds as it was sent; null without one. */
  readonly rounded: string | null;
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
 * Writes the sheet as CSV (RFC 4180), in pieces: a time column, a column for each metric of single readings and five for
 * one in buckets. If a series has rounded numbers, a last column names the metrics that may be rounded in the row. A metric
 * called like one of our columns is headed "metric time".
 */
export async function* csvOf({ columns, chunks }: Sheet): AsyncGenerator<string> {
  const heads = columns.flatMap(({ name, unit, bucketMs }) => {
    const named = (figure: string, unit: string | null) =>
      [name, figure, unit && `(${unit})`].filter(Boolean).join(" ");
    return bucketMs === 0
      ? [named("", unit)]
      : FIGURES.map((figure) => named(figure, figure === "count" ? null : unit));
  });
  const marks = columns.some(({ rounded }) => rounded !== null) ? ["rounded"] : [];
  yield csvLines([["time", ...heads.map((head) => metricHeading(head, ["time", "rounded"])), ...marks]]);
  for await (const rows of chunks) {
    const lines = rows.map(({ time, cells }) => [
      toInstant(time),
      ...columns.flatMap((column, i): CsvValue[] => {
        const cell = cells[i] ?? null;
        if (column.bucketMs === 0) return [cell && single(column, cell)];
        return FIGURES.map((figure) => cell && cell[figure]);
      }),
      ...marks.map(() => maybeRounded(columns, time, cells)),
    ]);
    if (lines.length > 0) yield csvLines(lines);
  }
}

/** Names the metrics of a row that may be rounded, with spaces between: the catalog knows only the latest such time of a series. */
function maybeRounded(columns: readonly SheetColumn[], time: number, cells: ExportRow["cells"]): string {
  return columns
    .filter(({ rounded }, i) => cells[i] && rounded !== null && time <= Date.parse(rounded))
    .map(({ name }) => name)
    .join(" ");
}

/**
 * Writes the sheet as one JSON object, in pieces, with a row per line. Metrics are by name in `readings`, so that none is
 * taken for another member of the row; one without a reading at its time is left out.
 */
export async function* jsonOf({ device, from, to, columns, chunks }: Sheet): AsyncGenerator<string> {
  const head = JSON.stringify({ device, from: toInstant(from), to: toInstant(to), metrics: columns });
  yield `${head.slice(0, -1)},"rows":[`;
  let isFirst = true;
  for await (const rows of chunks) {
    let text = "";
    for (const { time, cells } of rows) {
      const readings = columns.flatMap((column, i) => {
        const cell = cells[i] ?? null;
        return cell === null
          ? []
          : [[column.name, column.bucketMs === 0 ? single(column, cell) : figuresOf(cell)] as const];
      });
      const row = { time: toInstant(time), readings: Object.fromEntries(readings) };
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
  return { mean: meanWithoutDust({ mean, min, max }), min, max, last, count };
}
