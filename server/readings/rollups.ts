import type { PoolClient } from "pg";
import { addReading, bucketStart, emptyRollup, mergeRollup, ROLLUP_WIDTHS, type Rollup } from "@/server/domain/rollup";
import type { EpochMs } from "@/server/domain/terms";
import { copyRows, isoOf, parseNumbers } from "@/server/postgres/copy";
import type { Sample } from "@/server/ports/commit-batch";
import { InconsistencyError } from "@/server/postgres/transaction";

/** One device's rollup of one bucket. */
interface DeviceRollup {
  readonly deviceId: number;
  readonly rollup: Rollup;
}

/** The arrays of a rollup, side by side. */
export const COLUMNS = ["metrics", "counts", "sums", "mins", "maxs", "firsts", "first_at", "lasts", "last_at"] as const;
type Column = (typeof COLUMNS)[number];

const TYPES: Record<Column, string> = {
  metrics: "integer[]",
  counts: "integer[]",
  sums: "double precision[]",
  mins: "double precision[]",
  maxs: "double precision[]",
  firsts: "double precision[]",
  first_at: "integer[]",
  lasts: "double precision[]",
  last_at: "integer[]",
};

/**
 * Brings new readings into the minute and hour rollups, so that these stay equal to a recount.
 * @param added new readings only, by device and time, as {@link import("./samples").writeSamples} returns them.
 * @param latest last event time of each device before this batch, its row locked: later buckets can't be there yet.
 */
export async function writeRollups(
  client: PoolClient,
  added: readonly Sample[],
  latest: ReadonlyMap<number, EpochMs | null>,
): Promise<void> {
  if (added.length === 0) return;
  const minutes = rollUp(added);
  const hours = rollUpFurther(minutes);
  await merge(client, "rollup_minute", ROLLUP_WIDTHS.minute, minutes, latest);
  await merge(client, "rollup_hour", ROLLUP_WIDTHS.hour, hours, latest);
}

/** The minute rollups of samples that are in order of device and time. */
function rollUp(samples: readonly Sample[]): DeviceRollup[] {
  const result: DeviceRollup[] = [];
  let current: DeviceRollup | undefined;
  for (const { deviceId, time, metrics, values } of samples) {
    const start = bucketStart(time, ROLLUP_WIDTHS.minute);
    if (!current || current.deviceId !== deviceId || current.rollup.start !== start) {
      result.push((current = { deviceId, rollup: emptyRollup(start) }));
    }
    for (let i = 0; i < metrics.length; i++) addReading(current.rollup, metrics[i]!, values[i]!, time - start, i);
  }
  return result;
}

function rollUpFurther(minutes: readonly DeviceRollup[]): DeviceRollup[] {
  const result: DeviceRollup[] = [];
  let current: DeviceRollup | undefined;
  for (const { deviceId, rollup } of minutes) {
    const start = bucketStart(rollup.start, ROLLUP_WIDTHS.hour);
    if (!current || current.deviceId !== deviceId || current.rollup.start !== start) {
      result.push((current = { deviceId, rollup: emptyRollup(start) }));
    }
    mergeRollup(current.rollup, rollup);
  }
  return result;
}

async function merge(
  client: PoolClient,
  table: "rollup_minute" | "rollup_hour",
  widthMs: number,
  fresh: readonly DeviceRollup[],
  latest: ReadonlyMap<number, EpochMs | null>,
): Promise<void> {
  const mayExist = fresh.filter(({ deviceId, rollup }) => {
    const last = latest.get(deviceId) ?? null;
    return last !== null && rollup.start <= bucketStart(last, widthMs);
  });
  const stored = mayExist.length > 0 ? await read(client, table, mayExist) : new Map<DeviceRollup, Rollup>();
  const inserts = fresh.filter((row) => !stored.has(row));
  if (inserts.length > 0) await insert(client, table, inserts);
  if (stored.size === 0) return;
  const updates: DeviceRollup[] = [];
  for (const [row, rollup] of stored) {
    mergeRollup(rollup, row.rollup);
    updates.push({ deviceId: row.deviceId, rollup });
  }
  await update(client, table, updates);
}

async function read(
  client: PoolClient,
  table: string,
  rows: readonly DeviceRollup[],
): Promise<Map<DeviceRollup, Rollup>> {
  const columns = COLUMNS.map((column) => `r.${column}::text AS ${column}`).join(", ");
  const found = await client.query<{ i: number | string } & Record<Column, string>>(
    `SELECT k.i, r.*
     FROM unnest($1::integer[], $2::timestamptz[]) WITH ORDINALITY AS k (device_id, bucket, i)
     CROSS JOIN LATERAL (
       SELECT ${columns} FROM ${table} r
       WHERE r.device_id = k.device_id AND r.bucket = k.bucket
         AND r.bucket BETWEEN $3::timestamptz AND $4::timestamptz OFFSET 0
     ) AS r`,
    keysOf(rows),
  );
  return new Map(
    found.rows.map((stored) => {
      const row = rows[Number(stored.i) - 1]!;
      const rollup: Rollup = {
        start: row.rollup.start,
        metrics: parseNumbers(stored.metrics),
        counts: parseNumbers(stored.counts),
        sums: parseNumbers(stored.sums),
        mins: parseNumbers(stored.mins),
        maxs: parseNumbers(stored.maxs),
        firsts: parseNumbers(stored.firsts),
        firstAt: parseNumbers(stored.first_at),
        lasts: parseNumbers(stored.lasts),
        lastAt: parseNumbers(stored.last_at),
      };
      return [row, rollup];
    }),
  );
}

async function insert(client: PoolClient, table: string, rows: readonly DeviceRollup[]): Promise<void> {
  let lines = "";
  for (const { deviceId, rollup } of rows) {
    lines += `${deviceId}\t${isoOf(rollup.start)}`;
    for (const text of textsOf(rollup)) lines += `\t${text}`;
    lines += "\n";
  }
  const written = await copyRows(client, `${table} (device_id, bucket, ${COLUMNS.join(", ")})`, lines);
  if (written !== rows.length)
    throw new InconsistencyError(`${written} of ${rows.length} rows of ${table} were written`);
}

async function update(client: PoolClient, table: string, rows: readonly DeviceRollup[]): Promise<void> {
  const texts = rows.map(({ rollup }) => textsOf(rollup));
  const { rowCount } = await client.query(
    `UPDATE ${table} r SET ${COLUMNS.map((column) => `${column} = k.${column}::${TYPES[column]}`).join(", ")}
     FROM unnest($1::integer[], $2::timestamptz[], ${COLUMNS.map((_, i) => `$${i + 5}::text[]`).join(", ")})
       AS k (device_id, bucket, ${COLUMNS.join(", ")})
     WHERE r.device_id = k.device_id AND r.bucket = k.bucket
       AND r.bucket BETWEEN $3::timestamptz AND $4::timestamptz`,
    [...keysOf(rows), ...COLUMNS.map((_, i) => texts.map((row) => row[i]!))],
  );
  if (rowCount !== rows.length)
    throw new InconsistencyError(`${rowCount} of ${rows.length} rows of ${table} were updated`);
}

/** The arrays of a rollup in the order of {@link COLUMNS}, as PostgreSQL writes them. */
function textsOf(rollup: Rollup): string[] {
  const { metrics, counts, sums, mins, maxs, firsts, firstAt, lasts, lastAt } = rollup;
  return [metrics, counts, sums, mins, maxs, firsts, firstAt, lasts, lastAt].map((column) => `{${column.join(",")}}`);
}

function keysOf(rows: readonly DeviceRollup[]): [devices: string, buckets: string, from: string, to: string] {
  let from = Infinity;
  let to = -Infinity;
  for (const { start } of rows.map((row) => row.rollup)) {
    if (start < from) from = start;
    if (start > to) to = start;
  }
  const devices = rows.map((row) => row.deviceId).join(",");
  const buckets = rows.map((row) => isoOf(row.rollup.start)).join(",");
  return [`{${devices}}`, `{${buckets}}`, isoOf(from), isoOf(to)];
}
