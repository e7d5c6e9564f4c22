import type { Pool } from "pg";
import { meanOf } from "@/server/domain/rollup";
import type { Sites } from "@/server/domain/access";
import type { EpochMs } from "@/server/domain/terms";
import type { SeriesPoint } from "./reading-queries";

/** The selection to write out: metrics of one device within [from, to), epoch milliseconds. */
export interface ExportQuery {
  /** Only of a device at one of these; of one that is moved elsewhere meanwhile nothing more comes. */
  readonly sites: Sites;
  readonly device: number;
  /** Ids of metrics; a row has a cell for each, in this order. */
  readonly metrics: readonly number[];
  readonly from: EpochMs;
  readonly to: EpochMs;
}

/** One moment or bucket: a cell a metric, null where there is none. */
export interface ExportRow {
  readonly time: EpochMs;
  readonly cells: readonly (SeriesPoint | null)[];
}

/** Rows read at once: large enough to be quick, small enough to be held for a slow reader. */
const CHUNK = 5000;

/**
 * Every reading or rollup in order of time, a chunk at a time, however many there are. Each chunk is a query of its own,
 * asked for when the one before was taken: a slow reader holds neither a connection nor a transaction.
 */
export async function* exportRows(
  pool: Pool,
  source: "raw" | "minute" | "hour",
  query: ExportQuery,
): AsyncGenerator<readonly ExportRow[]> {
  const [table, key] = source === "raw" ? ["sample", "time"] : [`rollup_${source}`, "bucket"];
  const columns = query.metrics.map((_, i) => `array_position(metrics, $${i + 6})`);
  const arrays = source === "raw" ? ["values"] : ["counts", "sums", "mins", "maxs", "lasts"];
  const some = query.sites === "all" ? [] : [query.sites];
  const within = some.map(
    () => `AND EXISTS (SELECT FROM device WHERE id = $1 AND site_id = ANY ($${query.metrics.length + 6}::integer[]))`,
  );
  const text = `SELECT ${[key, ...columns.flatMap((at) => arrays.map((array) => `${array}[${at}]`))].join(", ")}
    FROM ${table} WHERE device_id = $1 AND ${key} >= $2 AND ${key} < $3 AND metrics && $4::integer[] ${within.join("")}
    ORDER BY ${key} LIMIT $5`;
  let from = query.from;
  for (;;) {
    const { rows } = await pool.query<[Date, ...(number | null)[]]>({
      rowMode: "array",
      text,
      values: [
        query.device,
        new Date(from),
        new Date(query.to),
        `{${query.metrics.join(",")}}`,
        CHUNK,
        ...query.metrics,
        ...some,
      ],
    });
    if (rows.length > 0) yield rows.map((row) => toRow(row, arrays.length));
    const last = rows.at(-1);
    if (rows.length < CHUNK || last === undefined) return;
    from = last[0].getTime() + 1;
  }
}

function toRow([at, ...figures]: [Date, ...(number | null)[]], width: number): ExportRow {
  const time = at.getTime();
  const cells: (SeriesPoint | null)[] = [];
  for (let i = 0; i < figures.length; i += width) {
    const first = figures[i] ?? null;
    if (first === null) cells.push(null);
    else if (width === 1) cells.push({ time, count: 1, mean: first, min: first, max: first, last: first });
    else {
      const [sum, min, max, last] = figures.slice(i + 1, i + width) as [number, number, number, number];
      cells.push({ time, count: first, mean: meanOf(first, sum, min, max), min, max, last });
    }
  }
  return { time, cells };
}

/** Series side by side: a row for each time that any of them has, in order. */
export function besideEachOther(series: readonly (readonly SeriesPoint[])[]): ExportRow[] {
  const byTime = new Map<EpochMs, (SeriesPoint | null)[]>();
  series.forEach((points, i) => {
    for (const point of points) {
      let cells = byTime.get(point.time);
      if (!cells) byTime.set(point.time, (cells = series.map(() => null)));
      cells[i] = point;
    }
  });
  return [...byTime].sort(([a], [b]) => a - b).map(([time, cells]) => ({ time, cells }));
}
