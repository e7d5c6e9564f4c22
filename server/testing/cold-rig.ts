import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Pool } from "pg";
import { createFolderColdStore } from "@/server/adapters/cold/folder";
import type { ColdStore } from "@/server/ports/cold-store";
import { binaryRows, copyBinary } from "@/server/postgres/copy";
import { makeMonth, monthOf, readDivided } from "@/server/postgres/months";
import { withTransaction } from "@/server/postgres/transaction";
import { addBlock, type Block, BLOCK_TARGET } from "@/server/readings/blocks";
import { coldJobs } from "@/server/readings/cold/jobs";
import { readAllBlocks } from "@/server/readings/cold/hot-and-cold";
import { type ColdReader, createColdReader } from "@/server/readings/cold/reader";
import { freshDatabase, type TestDatabase } from "./database";
import { jobContext } from "./job-context";

/** A database with readings of August 2026 and a folder they are moved to. */
export interface ColdRig {
  readonly db: TestDatabase;
  readonly folder: string;
  readonly store: ColdStore;
  readonly cold: ColdReader;
  /** Runs the job of cold readings once. @param store stands in for the folder. */
  move(store?: ColdStore): Promise<void>;
  /** Every reading of a device in August and September, as text. */
  readings(device: number): Promise<readonly string[]>;
  close(): Promise<void>;
}

/** The start of the month that is moved. */
export const AUGUST = Date.UTC(2026, 7, 1);
const HOUR = 3_600_000;

/** @param storage where readings are moved to, instead of the folder. */
export async function coldRig(storage?: ColdStore): Promise<ColdRig> {
  const db = await freshDatabase();
  const folder = mkdtempSync(path.join(tmpdir(), "fieldwatch-cold-"));
  const store = storage ?? createFolderColdStore(folder);
  const now = () => Date.UTC(2026, 10, 28);
  const cold = createColdReader(store, now);
  return {
    ...{ db, folder, store, cold },
    async move(other = store) {
      const jobs = coldJobs({ store: other, cold, afterDays: 30 });
      for (const job of jobs) await job.run(jobContext(db.pool, { now: now() }));
    },
    async readings(device) {
      const stretches = Array.from({ length: 61 * 24 }, (_, hour) => {
        return { device, from: AUGUST + hour * HOUR, to: AUGUST + (hour + 1) * HOUR };
      });
      return (await readAllBlocks(db.pool, cold, stretches)).flatMap((block) => (block ? textOf(block) : []));
    },
    async close() {
      rmSync(folder, { recursive: true });
      await db.drop();
    },
  };
}

/** Adds devices and metrics, all with ids from 1 on, whose hours before `rolledUntil` count as merged. */
export async function addCatalog(
  pool: Pool,
  { devices, metrics, rolledUntil }: { devices: readonly string[]; metrics: readonly string[]; rolledUntil: number },
): Promise<void> {
  await pool.query(`INSERT INTO device (name, last_event_time, rolled_until) SELECT unnest($1::text[]), $2, $2`, [
    devices,
    new Date(rolledUntil),
  ]);
  await pool.query(`INSERT INTO metric (name, kind) SELECT unnest($1::text[]), 'number'`, [metrics]);
}

/** Adds blocks as they are. */
export async function addBlocks(pool: Pool, blocks: readonly Block[]): Promise<void> {
  const months = new Set(blocks.map(({ times }) => monthOf(times[0]!)));
  // Also in a database of an earlier version, where fewer tables are divided.
  const tables = (await readDivided(pool)).filter((table) => table !== "dead_letter");
  await withTransaction(pool, async (tx) => {
    for (const month of months) for (const table of tables) await makeMonth(tx, { table, month });
  });
  const rows = binaryRows();
  for (const block of blocks) addBlock(rows, block);
  await withTransaction(pool, (tx) => copyBinary(tx, BLOCK_TARGET, rows));
}

/** A block of one hour with a value at each of `count` moments of it. */
export function hourOf(
  device: number,
  hour: number,
  { count = 60, metrics = [1, 2], value = (m: number, i: number): number => Math.sin(device + hour + m + i) } = {},
): Block {
  const start = AUGUST + hour * HOUR;
  const times = Float64Array.from({ length: count }, (_, i) => start + Math.floor((i * HOUR) / count));
  const values = Float64Array.from(metrics.flatMap((metric) => Array.from(times, (_, i) => value(metric, i))));
  return { device, times, metrics, values };
}

function textOf({ times, metrics, values }: Block): string[] {
  return Array.from(times).flatMap((time, i) =>
    metrics.flatMap((metric, m) => {
      const value = values[m * times.length + i]!;
      return Number.isNaN(value) ? [] : [`${time} ${metric} ${Object.is(value, -0) ? "-0" : value}`];
    }),
  );
}
