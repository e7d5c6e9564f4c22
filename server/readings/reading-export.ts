import type { Pool, PoolClient } from "pg";
import type { Sites } from "@/server/domain/access";
import { ROLLUP_WIDTHS } from "@/server/domain/rollup";
import type { EpochMs } from "@/server/domain/terms";
import { withTransaction } from "@/server/postgres/transaction";
import { readAllColumnsOf } from "./cold/hot-and-cold";
import { type ColdReader, createColdReader } from "./cold/reader";
import { pointsOf, type SeriesPoint } from "./buckets";
import { endOfPart, findHeldDevice, type HeldDevice } from "./held-hours";
import { type ColdUse, ONE_MOMENT, readBuckets } from "./reading-queries";

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

/** Rows handed out at once, and moments read at once: enough to be quick, few enough to be held for a slow reader. */
const CHUNK = 5000;
const ROWS_AN_HOUR = { raw: Infinity, minute: 60, hour: 1 } as const;

/**
 * Every reading or rollup in order of time, a chunk at a time, however many there are. Each part is a transaction of its own,
 * begun when the one before was taken: a slow reader holds neither a connection nor a transaction.
 */
export async function* exportRows(
  pool: Pool,
  source: "raw" | "minute" | "hour",
  query: ExportQuery,
  reader: ColdReader = createColdReader(null),
): AsyncGenerator<readonly ExportRow[]> {
  const cold = { reader, isRead: false };
  const width = source === "raw" ? 1 : ROLLUP_WIDTHS[source];
  // A bucket belongs to the range if it begins in it.
  const whole = (time: EpochMs) => Math.ceil(time / width) * width;
  const to = whole(query.to);
  for (let from = whole(query.from); from < to;) {
    const part = await withTransaction(
      pool,
      async (client) => {
        const device = await findHeldDevice(client, query.device, query.sites);
        if (device === null) return { end: to, rows: [] };
        const end = await endOfPart(client, device, { from, to, most: CHUNK, anHour: ROWS_AN_HOUR[source] });
        return { end, rows: await readRows(client, source, { ...query, device, cold, from, to: whole(end) }) };
      },
      ONE_MOMENT,
    );
    for (let at = 0; at < part.rows.length; at += CHUNK) yield part.rows.slice(at, at + CHUNK);
    from = part.end;
  }
}

async function readRows(
  client: PoolClient,
  source: "raw" | "minute" | "hour",
  query: Omit<ExportQuery, "device" | "sites"> & { readonly device: HeldDevice; readonly cold: ColdUse },
): Promise<ExportRow[]> {
  const { device, metrics } = query;
  const series: (readonly SeriesPoint[])[] = [];
  if (source === "raw") {
    const { from, to, cold } = query;
    const { columns } = await readAllColumnsOf(client, cold.reader, metrics, [{ device: device.key, from, to }]);
    for (const metric of metrics) series.push(pointsOf(columns[0]!.get(metric)!));
  } else
    for (const metric of metrics)
      series.push((await readBuckets(client, { ...query, metric }, ROLLUP_WIDTHS[source])).points);
  return besideEachOther(series);
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
