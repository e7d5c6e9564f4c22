import { gunzipSync, gzipSync } from "node:zlib";
import { type FileMetaData, parquetMetadata, parquetRead } from "hyparquet";
import { ByteWriter, ParquetWriter } from "hyparquet-writer";
import type { EpochMs } from "@/server/domain/terms";
import type { Block } from "../blocks";

/** A metric's column. */
export interface PartColumn {
  readonly metric: number;
  /** As {@link columnNames} has it. */
  readonly name: string;
}

/** The rows of a device in a part: `firstRow` and those after it, ascending in time. */
export interface DeviceRows {
  readonly device: number;
  readonly firstRow: number;
  rows: number;
  readonly from: EpochMs;
  /** Time of the last. */
  to: EpochMs;
  /** Readings, and the sum of their values in order of time, by column. */
  readonly counts: number[];
  readonly sums: number[];
}

export interface PartWriter {
  /** Readings so far. */
  readonly readings: number;
  /** Adds moments of a device, later than all of it before. Devices come one after the other, and their blocks without moments twice. */
  add(name: string, block: Block): void;
  finish(): { readonly bytes: Uint8Array; readonly rows: number; readonly devices: readonly DeviceRows[] };
}

/** Rows compressed and read together: more make files smaller, and the reading of a few minutes slower. */
const GROUP_ROWS = 20_000;
/** Most cells of such a group, so that many columns take no more memory. */
const GROUP_CELLS = 2_000_000;

/** Names that our own columns, and the month of the folder for whoever reads all of them, have. */
const OWN_COLUMNS = new Set(["device", "time", "month"]);

/**
 * The names of metrics' columns: a metric's own, or `metric time` where that is one of ours, as in downloads. DuckDB and Spark don't tell upper case
 * from lower: a metric whose name another had before, but for that, is told by its id as well, as `Temperature (metric 7)`.
 * @param metrics all there are, those discovered first first.
 */
export function columnNames(metrics: readonly { readonly id: number; readonly name: string }[]): Map<number, string> {
  const taken = new Set<string>();
  return new Map(
    metrics.map(({ id, name }) => {
      const plain = OWN_COLUMNS.has(name.toLowerCase()) ? `metric ${name}` : name;
      if (taken.has(plain.toLowerCase())) return [id, `${name} (metric ${id})`];
      taken.add(plain.toLowerCase());
      return [id, plain];
    }),
  );
}

/** Writes a file of docs/cold-readings.md, held in memory. */
export function createPartWriter(columns: readonly PartColumn[]): PartWriter {
  const writer = new ByteWriter();
  const names = columns.map(({ name }) => name);
  const file = new ParquetWriter({
    writer,
    codec: "GZIP",
    compressors: { GZIP: (bytes) => gzipSync(bytes) },
    createdBy: "fieldwatch",
    schema: [
      { name: "reading", num_children: columns.length + 2 },
      { name: "device", type: "BYTE_ARRAY", repetition_type: "REQUIRED", ...TEXT },
      { name: "time", type: "INT64", repetition_type: "REQUIRED", ...MOMENT },
      ...names.map((name) => ({ name, type: "DOUBLE" as const, repetition_type: "OPTIONAL" as const })),
    ],
  });
  const groupRows = Math.max(1000, Math.min(GROUP_ROWS, Math.floor(GROUP_CELLS / (columns.length + 2))));
  const at = new Map(columns.map(({ metric }, i) => [metric, i]));
  const devices: DeviceRows[] = [];
  let rows = 0;
  let readings = 0;
  let group = emptyGroup();

  function emptyGroup() {
    return {
      rows: 0,
      devices: new Array<string>(groupRows),
      times: new BigInt64Array(groupRows),
      cells: columns.map(() => new Array<number | null>(groupRows).fill(null)),
    };
  }
  function flush(): void {
    if (group.rows === 0) return;
    const { rows: count } = group;
    void file.write({
      rowGroupSize: count,
      columnData: [
        { name: "device", data: group.devices.slice(0, count) },
        { name: "time", data: group.times.slice(0, count), encoding: "DELTA_BINARY_PACKED" },
        ...names.map((name, i) => ({
          name,
          data: group.cells[i]!.slice(0, count),
          encoding: "BYTE_STREAM_SPLIT" as const,
        })),
      ],
    });
    group = emptyGroup();
  }

  return {
    get readings() {
      return readings;
    },
    add(name, { device, times, metrics, values }) {
      let current = devices.at(-1);
      if (current?.device !== device) {
        const first = times[0]!;
        const zeros = () => columns.map(() => 0);
        current = { device, firstRow: rows, rows: 0, from: first, to: first, counts: zeros(), sums: zeros() };
        devices.push(current);
      }
      const places = metrics.map((metric) => at.get(metric)!);
      for (let i = 0; i < times.length; i++) {
        if (group.rows === groupRows) flush();
        group.devices[group.rows] = name;
        group.times[group.rows] = BigInt(times[i]!);
        for (let m = 0; m < places.length; m++) {
          const value = values[m * times.length + i]!;
          if (Number.isNaN(value)) continue;
          const place = places[m]!;
          group.cells[place]![group.rows] = value;
          current.counts[place]!++;
          current.sums[place]! += value;
          readings++;
        }
        group.rows++;
      }
      rows += times.length;
      current.rows += times.length;
      current.to = times[times.length - 1]!;
    },
    finish() {
      flush();
      void file.finish();
      return { bytes: writer.getBytes(), rows, devices };
    },
  };
}

const TEXT = { converted_type: "UTF8", logical_type: { type: "STRING" } } as const;
const MOMENT = {
  converted_type: "TIMESTAMP_MILLIS",
  logical_type: { type: "TIMESTAMP", isAdjustedToUTC: true, unit: "MILLIS" },
} as const;

/** How a part's bytes are got: [from, to). */
export type ReadBytes = (from: number, to: number) => Promise<Uint8Array>;

/** Some rows of a part, from `first` on; the columns of metrics asked for, NaN where there is none. */
export interface PartRows {
  readonly first: number;
  readonly times: Float64Array;
  readonly values: readonly Float64Array[];
}

/** Where a part's groups of rows are, and of when. */
export interface PartGroup {
  readonly first: number;
  readonly rows: number;
  readonly from: EpochMs;
  /** Time of the last. */
  readonly to: EpochMs;
}

/** The end of a part, which says where everything else is. */
export interface PartFooter {
  /** Length of the whole file. */
  readonly bytes: number;
  readonly metadata: FileMetaData;
  readonly groups: readonly PartGroup[];
}

/** Enough for the end of nearly every part. */
const FOOTER_BYTES = 64 * 1024;

export async function readFooter(bytes: number, read: ReadBytes): Promise<PartFooter> {
  let from = Math.max(0, bytes - FOOTER_BYTES);
  let end = await read(from, bytes);
  const length = new DataView(end.buffer, end.byteOffset).getUint32(end.length - 8, true) + 8;
  if (length > end.length) {
    from = bytes - length;
    end = await read(from, bytes);
  }
  const metadata = parquetMetadata(bufferOf(end));
  let first = 0;
  const groups = metadata.row_groups.map(({ num_rows, columns }) => {
    const rows = Number(num_rows);
    const statistics = columns[1]?.meta_data?.statistics;
    const group = {
      first,
      rows,
      from: msOf(statistics?.min_value, -Infinity),
      to: msOf(statistics?.max_value, Infinity),
    };
    first += rows;
    return group;
  });
  return { bytes, metadata, groups };
}

/** Reads a group of rows: the times, and the columns of these places (as they were given to the writer), each in the one part of the file where it lies. */
export async function readGroup(
  { metadata, bytes: size }: PartFooter,
  group: PartGroup,
  columns: readonly number[],
  read: ReadBytes,
): Promise<PartRows> {
  // Before them in the schema come its root, the device and the time.
  const names = columns.map((place) => metadata.schema[place + 3]!.name);
  const found = new Map(["time", ...names].map((name) => [name, new Float64Array(group.rows).fill(NaN)]));
  await parquetRead({
    file: { byteLength: size, slice: async (from, to = size) => bufferOf(await read(from, to)) },
    metadata,
    columns: [...found.keys()],
    rowStart: group.first,
    rowEnd: group.first + group.rows,
    compressors: { GZIP: (bytes) => gunzipSync(bytes) },
    parsers: { timestampFromMilliseconds: Number },
    onChunk({ columnName: name, columnData, rowStart }) {
      const column = found.get(name)!;
      for (let i = 0; i < columnData.length; i++) {
        const value = (columnData as ArrayLike<number | null | undefined>)[i];
        if (value !== null && value !== undefined) column[rowStart - group.first + i] = value;
      }
    },
  });
  return { first: group.first, times: found.get("time")!, values: names.map((name) => found.get(name)!) };
}

/** Reads whose each row of a group is. */
export async function readDevices(
  { metadata, bytes: size }: PartFooter,
  group: PartGroup,
  read: ReadBytes,
): Promise<string[]> {
  const devices = new Array<string>(group.rows);
  await parquetRead({
    file: { byteLength: size, slice: async (from, to = size) => bufferOf(await read(from, to)) },
    metadata,
    columns: ["device"],
    rowStart: group.first,
    rowEnd: group.first + group.rows,
    compressors: { GZIP: (bytes) => gunzipSync(bytes) },
    onChunk({ columnData, rowStart }) {
      for (let i = 0; i < columnData.length; i++)
        devices[rowStart - group.first + i] = (columnData as readonly string[])[i]!;
    },
  });
  return devices;
}

function msOf(value: unknown, otherwise: number): EpochMs {
  return value instanceof Date ? value.getTime() : otherwise;
}

function bufferOf(bytes: Uint8Array): ArrayBuffer {
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
}
