import type { EpochMs } from "@/server/domain/terms";
import { type ColdStore, ColdUnavailableError, notWhole } from "@/server/ports/cold-store";
import { withoutEmpty } from "../block-changes";
import type { Block, Stretch } from "../blocks";
import { checkedRead } from "./checked-bytes";
import type { ColdFile, ColdRows } from "./manifest";
import { type PartFooter, type PartGroup, type ReadBytes, readFooter, readGroup } from "./part-file";

/** Reads readings in cold storage, with a small cache. One a process. */
export interface ColdReader {
  /** Nothing from this time on is in cold storage: the month it is now began then. */
  noneFrom(): EpochMs;
  /** Reads what findColdRows has found of a stretch, in order of time; without `metrics`, all of them. Blocks may be longer than an hour. @throws ColdFileMissingError when a file was removed since, or is damaged; ColdUnavailableError when cold storage is away. */
  read(rows: readonly ColdRows[], stretch: Stretch, metrics?: readonly number[]): Promise<Block[]>;
}

/** Bytes of columns held: some 20,000 readings each, so that a chart that is moved, or late data, reads little twice. */
const CACHE_BYTES = 32 * 1024 * 1024;
/** The place of a group's times, before those of its columns. */
const TIMES = -1;
/** A file whose end was read, and how more of it is. */
interface OpenFile {
  readonly footer: PartFooter;
  readonly read: ReadBytes;
}

/** Ends of files held. */
const FOOTERS = 50;

/** @param store null: this process has no cold storage, which is a problem only once something is asked for that lies there. */
export function createColdReader(store: ColdStore | null, now: () => EpochMs = Date.now): ColdReader {
  const files = new Map<number, Promise<OpenFile>>();
  const columns = new Map<string, { bytes: number; column: Promise<Float64Array> }>();
  let held = 0;

  const bytesOf = (file: ColdFile) => {
    if (store === null)
      throw new ColdUnavailableError(
        `Readings of this time are in cold storage, of which this process knows nothing: ${file.url}`,
        `Set COLD_URL, which was ${file.url} when they were moved there.`,
      );
    return (from: number, to: number) => store.read(file.name, from, to);
  };

  function opened(file: ColdFile): Promise<OpenFile> {
    let found = files.get(file.id);
    if (found === undefined) {
      found = open(file).catch(damaged(file, store));
      files.set(file.id, found);
      found.catch(() => files.delete(file.id));
      if (files.size > FOOTERS) files.delete(files.keys().next().value!);
    }
    return found;
  }

  async function open(file: ColdFile): Promise<OpenFile> {
    const read = await checkedRead(file, bytesOf(file));
    return { footer: await readFooter(file.bytes, read), read };
  }

  /** The times and columns of a group, from the cache where they are in it; who asks for what is being read waits for that. */
  function groupOf(
    file: ColdFile,
    { footer, read: bytes }: OpenFile,
    group: PartGroup,
    places: readonly number[],
  ): Promise<Float64Array[]> {
    const keyOf = (place: number) => `${file.id}/${group.first}/${place}`;
    const wanted = [TIMES, ...places].map(keyOf);
    const missing = places.filter((place) => !columns.has(keyOf(place)));
    const size = group.rows * 8;
    if (missing.length > 0 || !columns.has(keyOf(TIMES))) {
      const read = readGroup(footer, group, missing, bytes).catch(damaged(file, store));
      hold(
        keyOf(TIMES),
        size,
        read.then(({ times }) => times),
      );
      missing.forEach((place, i) =>
        hold(
          keyOf(place),
          size,
          read.then(({ values }) => values[i]!),
        ),
      );
    }
    const found = wanted.map((key) => {
      // What was used last is at the end.
      const { column } = columns.get(key)!;
      hold(key, size, column);
      return column;
    });
    for (const [oldest, { bytes }] of columns) {
      if (held <= CACHE_BYTES) break;
      columns.delete(oldest);
      held -= bytes;
    }
    return Promise.all(found);
  }

  function hold(key: string, bytes: number, column: Promise<Float64Array>): void {
    if (columns.delete(key)) held -= bytes;
    columns.set(key, { bytes, column });
    held += bytes;
    column.catch(() => {
      if (columns.get(key)?.column === column && columns.delete(key)) held -= bytes;
    });
  }

  return {
    noneFrom() {
      const date = new Date(now());
      return Date.UTC(date.getUTCFullYear(), date.getUTCMonth());
    },
    async read(found, { device, from, to }, wanted) {
      const blocks: Block[] = [];
      for (const { file, firstRow, rows, counts } of found) {
        const metrics = file.metrics.filter(
          (metric, place) => counts[place]! > 0 && (wanted === undefined || wanted.includes(metric)),
        );
        if (metrics.length === 0) continue;
        const places = metrics.map((metric) => file.metrics.indexOf(metric));
        const open = await opened(file);
        for (const group of open.footer.groups) {
          const first = Math.max(firstRow, group.first) - group.first;
          const end = Math.min(firstRow + rows, group.first + group.rows) - group.first;
          if (first >= end || group.to < from || group.from >= to) continue;
          const [times, ...values] = await groupOf(file, open, group, places);
          const start = lowerBound(times!, from, first, end);
          const stop = lowerBound(times!, to, start, end);
          if (start >= stop) continue;
          const block = blockOf(device, metrics, times!, values, start, stop);
          // A moment may have had hidden metrics alone.
          const whole = wanted === undefined ? withoutEmpty(block) : block;
          if (whole !== null) blocks.push(whole);
        }
      }
      return blocks;
    },
  };
}

function blockOf(
  device: number,
  metrics: readonly number[],
  times: Float64Array,
  columns: readonly Float64Array[],
  start: number,
  stop: number,
): Block {
  const order = metrics.map((_, i) => i).sort((a, b) => metrics[a]! - metrics[b]!);
  const values = new Float64Array((stop - start) * metrics.length);
  order.forEach((i, at) => values.set(columns[i]!.subarray(start, stop), at * (stop - start)));
  return { device, times: times.slice(start, stop), metrics: order.map((i) => metrics[i]!), values };
}

/** The first place in [start, end) whose time isn't before `time`. */
function lowerBound(times: Float64Array, time: number, start: number, end: number): number {
  while (start < end) {
    const middle = (start + end) >>> 1;
    if (times[middle]! < time) start = middle + 1;
    else end = middle;
  }
  return start;
}

/** Whatever decoding makes of bytes that aren't those that were written, it is the file that isn't whole. */
function damaged(file: ColdFile, store: ColdStore | null): (error: unknown) => never {
  return (error) => {
    if (error instanceof ColdUnavailableError) throw error;
    throw notWhole(file, store, error);
  };
}
