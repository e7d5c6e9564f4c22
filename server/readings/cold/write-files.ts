import { createHash, randomBytes } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import type { Pool, PoolClient } from "pg";
import { monthText } from "@/server/postgres/months";
import type { ColdStore } from "@/server/ports/cold-store";
import { crcsOf } from "./checked-bytes";
import { noteWriting, type WrittenFile } from "./manifest";
import { blocksOfMonth, fileGroups, FILE_READINGS, firstDay, type PlannedDevice } from "./month-plan";
import {
  columnNames,
  createPartWriter,
  type PartColumn,
  type PartWriter,
  readDevices,
  readFooter,
  readGroup,
} from "./part-file";
import type { ColdReader } from "./reader";

export interface WriteDeps {
  readonly client: Pool;
  readonly store: ColdStore;
  readonly cold: ColdReader;
  /** Does a part of the work in a transaction of its own. @throws when it isn't this run's work any more. */
  readonly step: (work: (tx: PoolClient) => Promise<unknown>) => Promise<void>;
  readonly signal: AbortSignal;
}

/** What was read back isn't what was written, or what PostgreSQL has. */
class ColdDifferenceError extends Error {
  override readonly name = "ColdDifferenceError";
}

/** A month has readings of a metric that is in the catalog no more: they are just being removed, or given to another. */
export class MetricGoingError extends Error {
  override readonly name = "MetricGoingError";
}

/**
 * Writes a month to new files, each of which is read back and compared with what it was made of, value by value. Nobody reads them yet.
 * @throws MetricGoingError
 */
export async function writeMonth(
  deps: WriteDeps,
  month: number,
  devices: readonly PlannedDevice[],
): Promise<WrittenFile[]> {
  const names = await metricNames(deps.client);
  // They can't be left out: of a metric that was merged with another they are to be that one's.
  if (devices.some((device) => device.metrics.some((metric) => !names.has(metric))))
    throw new MetricGoingError("readings of a deleted or merged metric are not removed yet");
  const files: WrittenFile[] = [];
  for (const group of fileGroups(devices)) {
    const metrics = [...new Set(group.flatMap((device) => device.metrics))].sort((a, b) => a - b);
    const columns = metrics.map((metric) => ({ metric, name: names.get(metric)! }));
    let part: PartWriter | undefined;
    const written: WrittenFile[] = [];
    const finish = async () => {
      if (part !== undefined && part.readings > 0)
        written.push(await put(deps, month, files.length + written.length + 1, columns, part));
      part = undefined;
    };
    for await (const { name, block } of blocksOfMonth(deps.client, deps.cold, month, group)) {
      deps.signal.throwIfAborted();
      part ??= createPartWriter(columns);
      part.add(name, block);
      if (part.readings >= FILE_READINGS) await finish();
      await setImmediate();
    }
    await finish();
    await compare(deps, month, group, columns, written);
    files.push(...written);
  }
  return files;
}

async function put(
  { store, step }: WriteDeps,
  month: number,
  number: number,
  columns: readonly PartColumn[],
  part: PartWriter,
): Promise<WrittenFile> {
  const { readings } = part;
  const { bytes, rows, devices } = part.finish();
  // Whoever writes has names of its own: what an earlier run left is in nobody's way.
  const token = randomBytes(4).toString("hex");
  const name = `readings/month=${monthText(month)}/part-${String(number).padStart(4, "0")}-${token}.parquet`;
  await step((tx) => noteWriting(tx, firstDay(month), name, store.url));
  await store.put(name, bytes);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  return {
    ...{ name, bytes: bytes.length, sha256, crcs: crcsOf(bytes), rows, readings, devices },
    metrics: columns.map(({ metric }) => metric),
  };
}

/** Reads files back from the store and goes through them beside what they were made of, read again. @throws ColdDifferenceError */
async function compare(
  { client, store, cold, signal }: WriteDeps,
  month: number,
  devices: readonly PlannedDevice[],
  columns: readonly PartColumn[],
  files: readonly WrittenFile[],
): Promise<void> {
  const groups = groupsOf(store, files, columns);
  const places = new Map(columns.map(({ metric }, place) => [metric, place]));
  const expected = new Float64Array(columns.length);
  let group: StoredRows | null = null;
  let at = 0;
  for await (const { name, block } of blocksOfMonth(client, cold, month, devices)) {
    signal.throwIfAborted();
    const { times, metrics, values } = block;
    for (let i = 0; i < times.length; i++) {
      if (group === null || at === group.times.length) {
        group = (await groups.next()).value ?? null;
        at = 0;
      }
      expected.fill(NaN);
      for (const [m, metric] of metrics.entries()) expected[places.get(metric)!] = values[m * times.length + i]!;
      let isSame = group !== null && group.devices[at] === name && group.times[at] === times[i];
      for (let c = 0; isSame && c < expected.length; c++) isSame = Object.is(group!.values[c]![at], expected[c]);
      if (!isSame)
        throw new ColdDifferenceError(
          `What was read back from cold storage isn't what ${name} has at ${new Date(times[i]!).toISOString()} (${files.map((file) => file.name).join(", ")})`,
        );
      at++;
    }
  }
  if ((group !== null && at < group.times.length) || !(await groups.next()).done)
    throw new ColdDifferenceError(`Cold storage holds more than was written to it (${files.at(-1)?.name})`);
}

interface StoredRows {
  readonly devices: readonly string[];
  readonly times: Float64Array;
  readonly values: readonly Float64Array[];
}

/** The rows of files as they are in the store, a group at a time. @throws ColdDifferenceError when a byte is another. */
async function* groupsOf(
  store: ColdStore,
  files: readonly WrittenFile[],
  columns: readonly PartColumn[],
): AsyncGenerator<StoredRows, undefined> {
  for (const { name, bytes: length, sha256 } of files) {
    const bytes = await store.read(name, 0, length);
    if (createHash("sha256").update(bytes).digest("hex") !== sha256)
      throw new ColdDifferenceError(`${name} isn't in cold storage as it was written`);
    const read = async (from: number, to: number) => bytes.subarray(from, to);
    const footer = await readFooter(length, read);
    const places = columns.map((_, place) => place);
    for (const group of footer.groups) {
      const { times, values } = await readGroup(footer, group, places, read);
      yield { devices: await readDevices(footer, group, read), times, values };
    }
  }
}

/** How columns are called, in all files alike: by all metrics there are, not those of one file. */
async function metricNames(client: Pool): Promise<ReadonlyMap<number, string>> {
  const { rows } = await client.query<{ id: number; name: string }>("SELECT id, name FROM metric ORDER BY id");
  return columnNames(rows);
}
