import type { Pool, PoolClient } from "pg";
import type { EpochMs } from "@/server/domain/terms";
import type { BinaryRows } from "@/server/postgres/copy";
import { timeText } from "@/server/postgres/time-text";

export const HOUR = 3_600_000;

/** The start of the hour that a time is in: no block goes beyond it. */
export function hourOf(time: EpochMs): EpochMs {
  return time - (time % HOUR);
}

/** Moments of one device within one hour of event time, metric after metric: a row of `sample`, or several of one hour together. */
export interface Block {
  readonly device: number;
  /** Event times, ascending, none twice. */
  readonly times: Float64Array;
  /** Ids, ascending. */
  readonly metrics: readonly number[];
  /** The value of metrics[m] at times[i] is values[m * times.length + i]; NaN: the moment has no such metric. */
  readonly values: Float64Array;
}

/** A device's stretch of event time, [from, to). */
export interface Stretch {
  readonly device: number;
  readonly from: EpochMs;
  readonly to: EpochMs;
}

/** One hour of one device, by its start. */
export interface DeviceHour {
  readonly device: number;
  readonly hour: EpochMs;
}

/** Arrays come as their binary form in base64, which is quicker than text on both sides and keeps every bit. */
export const bytesOf = (array: string) => `encode(array_send(${array}), 'base64')`;
/** Milliseconds of a time: by date_part, whose doubles are quicker than the decimals of extract, and which is off by less than half of one. */
const msOf = (time: string) => `round(date_part('epoch', ${time}) * 1000)`;

/**
 * Reads the blocks whose last moment is within one of `stretches`, by stretch and time. A stretch of whole hours has all their moments
 * and no others.
 */
export async function readBlocks(client: Pool | PoolClient, stretches: readonly Stretch[]): Promise<Block[]> {
  const columns = ["metrics", "values"].map((column) => `${bytesOf(column)} AS ${column}`);
  return (await select(client, stretches, columns)).map(([device, last, offsets, metrics, values]) => {
    return { device, times: timesOf(last, offsets), metrics: integersOf(metrics!), values: doublesOf(values!) };
  });
}

/** Reads the times of the same blocks, which is cheaper. */
export async function readBlockTimes(
  client: Pool | PoolClient,
  stretches: readonly Stretch[],
): Promise<Pick<Block, "device" | "times">[]> {
  return (await select(client, stretches, [])).map(([device, last, offsets]) => {
    return { device, times: timesOf(last, offsets) };
  });
}

type BlockRow = [device: number, last: number, offsets: string | null, ...columns: string[]];

async function select(
  client: Pool | PoolClient,
  stretches: readonly Stretch[],
  columns: readonly string[],
): Promise<BlockRow[]> {
  if (stretches.length === 0) return [];
  const all = [`${msOf("time")} AS last`, `${bytesOf("offsets")} AS offsets`, ...columns];
  const { rows } = await client.query<BlockRow>({
    rowMode: "array",
    text: `SELECT k.device_id, s.* FROM ${rowsOf(all.join(", "))} ORDER BY k.i, s.last`,
    values: keysOf(stretches),
  });
  return rows;
}

/**
 * Stretches k and their rows s, looked up in the key one stretch after the other, whatever the planner thinks. OFFSET 0 keeps the inner query
 * apart, so that what it computes is computed once a row.
 */
function rowsOf(columns: string, where = ""): string {
  return `unnest($1::integer[], $2::timestamptz[], $3::timestamptz[]) WITH ORDINALITY AS k (device_id, first, until, i)
    CROSS JOIN LATERAL (
      SELECT ${columns} FROM sample WHERE device_id = k.device_id AND time >= k.first AND time < k.until
        AND time >= $4::timestamptz AND time < $5::timestamptz ${where} ORDER BY time OFFSET 0) AS s`;
}

/** The stretches, and the span of all, which lets the planner leave out partitions. */
function keysOf(
  stretches: readonly Stretch[],
): [devices: number[], from: string[], to: string[], first: string, end: string] {
  let first = Infinity;
  let end = -Infinity;
  for (const { from, to } of stretches) {
    if (from < first) first = from;
    if (to > end) end = to;
  }
  return [
    stretches.map(({ device }) => device),
    stretches.map(({ from }) => timeText(from)),
    stretches.map(({ to }) => timeText(to)),
    timeText(first),
    timeText(end),
  ];
}

/** The readings of one metric, by time. */
export interface Column {
  readonly times: Float64Array;
  readonly values: Float64Array;
}

/**
 * Reads the readings of some metrics of a device within [from, to), ascending in time; metrics without any have empty columns.
 * Takes 16 bytes of memory a reading: ask for stretches of bounded length.
 */
export async function readColumns(
  client: Pool | PoolClient,
  { metrics, ...stretch }: Stretch & { readonly metrics: readonly number[] },
): Promise<ReadonlyMap<number, Column>> {
  const [columns] = await readColumnsOf(client, metrics, [stretch]);
  return columns!;
}

/** Reads the same of several stretches at once. @returns the columns of each. */
export async function readColumnsOf(
  client: Pool | PoolClient,
  metrics: readonly number[],
  stretches: readonly Stretch[],
): Promise<ReadonlyMap<number, Column>[]> {
  const parts = stretches.map(() => metrics.map(() => [] as Column[]));
  if (metrics.length > 0 && stretches.length > 0) {
    const places = metrics.map((_, i) => `array_position(metrics, $${i + 7}::integer) AS p${i}`).join(", ");
    const columns = `${msOf("time")} AS time, offsets, values, cardinality(offsets) AS n, ${places}`;
    const [single, many] = ["s.offsets IS NULL", "s.offsets IS NOT NULL"];
    const timesWhere = (which: string) => bytesOf(`array_agg(s.time) FILTER (WHERE ${which})`);
    const own = metrics.flatMap((_, i) => [
      bytesOf(`array_agg(s.values[p${i}]) FILTER (WHERE ${single})`),
      `string_agg(coalesce(${bytesOf(`s.values[(p${i} - 1) * n + 1 : p${i} * n]`)}, ''), ',') FILTER (WHERE ${many})`,
    ]);
    const offsets = `string_agg(${bytesOf("s.offsets")}, ',')`;
    // One row a stretch: those of the hour under way may have as many blocks as moments, and a row each takes several times as long.
    const { rows } = await client.query<[i: number, ...(string | null)[]]>({
      rowMode: "array",
      text: `SELECT k.i::integer, ${[timesWhere(single), timesWhere(many), offsets, ...own].join(", ")}
             FROM ${rowsOf(columns, "AND metrics && $6::integer[]")} GROUP BY k.i`,
      values: [
        // The blocks that begin before the end of a stretch end within its hour.
        ...keysOf(stretches.map((stretch) => ({ ...stretch, to: Math.ceil(stretch.to / HOUR) * HOUR }))),
        `{${metrics.join(",")}}`,
        ...metrics,
      ],
    });
    for (const [i, alone, last, offsets, ...values] of rows) {
      const lasts = last == null ? [] : doublesOf(last);
      const at = listOf(offsets).map((one, block) => timesOf(lasts[block]!, one));
      for (const [m, columns] of parts[i - 1]!.entries()) {
        const [gathered, slices] = values.slice(2 * m);
        if (alone != null) columns.push({ times: doublesOf(alone), values: doublesOf(gathered!) });
        for (const [block, slice] of listOf(slices).entries())
          if (slice !== "") columns.push({ times: at[block]!, values: doublesOf(slice) });
      }
    }
  }
  return parts.map((of, i) => new Map(metrics.map((metric, m) => [metric, joined(of[m]!, stretches[i]!)])));
}

const listOf = (joined: string | null | undefined) => joined?.split(",") ?? [];

/** Joins columns into one, without absent values and what is outside of [from, to). Columns may interleave. */
function joined(columns: readonly Column[], { from, to }: Pick<Stretch, "from" | "to">): Column {
  let size = 0;
  for (const { times } of columns) size += times.length;
  const times = new Float64Array(size);
  const values = new Float64Array(size);
  let count = 0;
  let isAscending = true;
  for (const column of columns) {
    for (let i = 0; i < column.times.length; i++) {
      const time = column.times[i]!;
      const value = column.values[i]!;
      if (time < from || time >= to || Number.isNaN(value)) continue;
      if (count > 0 && time < times[count - 1]!) isAscending = false;
      times[count] = time;
      values[count++] = value;
    }
  }
  const column = { times: times.subarray(0, count), values: values.subarray(0, count) };
  if (isAscending) return column;
  const order = Uint32Array.from({ length: count }, (_, i) => i).sort((a, b) => times[a]! - times[b]!);
  return {
    times: Float64Array.from(order, (i) => times[i]!),
    values: Float64Array.from(order, (i) => values[i]!),
  };
}

/** The columns of {@link addBlock}. */
export const BLOCK_TARGET = "sample (device_id, time, metrics, values, offsets)";

/** Adds a block as a row of {@link BLOCK_TARGET}. */
export function addBlock(rows: BinaryRows, { device, times, metrics, values }: Block): void {
  const last = times[times.length - 1]!;
  rows.begin(5);
  rows.integer(device);
  rows.time(last);
  rows.integers(metrics);
  rows.doubles(values);
  if (times.length === 1) rows.nothing();
  else rows.integers(times.map((time) => last - time));
}

function timesOf(last: EpochMs, offsets: string | null): Float64Array {
  if (offsets === null) return Float64Array.of(last);
  const times = Float64Array.from(integersOf(offsets));
  for (let i = 0; i < times.length; i++) times[i] = last - times[i]!;
  return times;
}

/** Bytes of an array before its elements: dimensions, flags, type, length and lower bound. */
const HEADER = 20;

function integersOf(base64: string): number[] {
  const bytes = Buffer.from(base64, "base64");
  const integers = new Array<number>(lengthOf(bytes));
  for (let i = 0, at = HEADER + 4; i < integers.length; i++, at += 8) integers[i] = bytes.readInt32BE(at);
  return integers;
}

/** The numbers of an array that was read by {@link bytesOf}. NULL is NaN, which no reading is. */
export function doublesOf(base64: string): Float64Array {
  const bytes = Buffer.from(base64, "base64");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const doubles = new Float64Array(lengthOf(bytes));
  for (let i = 0, at = HEADER; i < doubles.length; i++) {
    const isThere = view.getInt32(at) === 8;
    doubles[i] = isThere ? view.getFloat64(at + 4) : NaN;
    at += isThere ? 12 : 4;
  }
  return doubles;
}

/** An empty array has no dimension, and so no length. */
function lengthOf(bytes: Buffer): number {
  return bytes.readInt32BE(0) === 0 ? 0 : bytes.readInt32BE(12);
}
