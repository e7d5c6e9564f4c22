import type { PoolClient } from "pg";
import { holdMonths } from "@/server/postgres/months";
import { replaceBlocks } from "../block-writes";
import { partOf } from "../block-changes";
import { type Block, HOUR, hourOf, readBlocks } from "../blocks";
import { union } from "./hot-and-cold";
import type { ColdFile } from "./manifest";
import type { ColdReader } from "./reader";

/** Which rows of a device to bring back: of a file, or of one that has readings of a metric. */
export type Wanted = { readonly file: number } | { readonly metric: number };

/**
 * Brings a device's rows of one file back into PostgreSQL, from whose commit on they are read there. The device's row is locked. Rollups
 * stay as they are: the readings are the same. Until the transaction ends nothing goes the other way.
 * @returns false when there are none.
 */
export async function bringBack(tx: PoolClient, cold: ColdReader, device: number, wanted: Wanted): Promise<boolean> {
  await holdMonths(tx);
  const isFile = "file" in wanted;
  const { rows } = await tx.query<
    ColdFile & { first_row: number; rows: number; counts: number[]; from: Date; to: Date }
  >(
    `SELECT f.id, f.name, f.url, f.bytes::float8 AS bytes, f.sha256, f.crcs, f.metrics, d.first_row, d.rows, d.counts, d.min_time AS from, d.max_time AS to
     FROM cold_device d JOIN cold_file f ON f.id = d.file_id AND f.state = 'kept'
     WHERE d.device_id = $1 AND ${isFile ? "f.id = $2" : "d.counts[array_position(f.metrics, $2::integer)] > 0"}
     ORDER BY f.id LIMIT 1`,
    [device, isFile ? wanted.file : wanted.metric],
  );
  const found = rows[0];
  if (found === undefined) return false;
  const { id, first_row: firstRow, rows: count, counts } = found;
  const stretch = { device, from: hourOf(found.from.getTime()), to: hourOf(found.to.getTime()) + HOUR };
  const blocks = await cold.read([{ file: found, firstRow, rows: count, counts }], stretch);
  const hot = await readBlocks(tx, [stretch]);
  const whole = union([...blocks, ...hot]);
  if (whole !== null) await replaceBlocks(tx, hot, hoursOf(whole));
  await tx.query("DELETE FROM cold_device WHERE device_id = $1 AND file_id = $2", [device, id]);
  return true;
}

/** A block for each hour of a longer one. */
function hoursOf({ device, times, metrics, values }: Block): Block[] {
  const hours: Block[] = [];
  for (let from = 0; from < times.length;) {
    const end = hourOf(times[from]!) + HOUR;
    let to = from + 1;
    while (to < times.length && times[to]! < end) to++;
    const some = new Float64Array((to - from) * metrics.length);
    for (let m = 0; m < metrics.length; m++)
      some.set(values.subarray(m * times.length + from, m * times.length + to), m * (to - from));
    hours.push(partOf({ device, times: times.slice(from, to), metrics, values: some }, () => true)!);
    from = to;
  }
  return hours;
}
