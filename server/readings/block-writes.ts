import type { PoolClient } from "pg";
import { binaryRows, copyBinary } from "@/server/postgres/copy";
import { InconsistencyError } from "@/server/postgres/transaction";
import { partOf } from "./block-changes";
import { addBlock, type Block, BLOCK_TARGET } from "./blocks";
import { timeText } from "@/server/postgres/time-text";

/** Values of a row at most: the hour of a device that sends a thousand times a second takes several, each read in a moment. */
const MOST_VALUES = 250_000;

/** Puts blocks in the place of others, or just adds them. The devices' rows are locked. */
export async function replaceBlocks(tx: PoolClient, gone: readonly Block[], fresh: readonly Block[]): Promise<void> {
  if (gone.length > 0) await remove(tx, gone);
  if (fresh.length === 0) return;
  const rows = binaryRows();
  for (const block of fresh) for (const part of partsOf(block)) addBlock(rows, part);
  await copyBinary(tx, BLOCK_TARGET, rows);
}

async function remove(tx: PoolClient, blocks: readonly Block[]): Promise<void> {
  const ends = blocks.map(({ times }) => times.at(-1)!);
  const { rowCount } = await tx.query(
    `DELETE FROM sample s USING unnest($1::integer[], $2::timestamptz[]) AS k (device_id, time)
     WHERE s.device_id = k.device_id AND s.time = k.time AND s.time BETWEEN $3::timestamptz AND $4::timestamptz`,
    [
      blocks.map(({ device }) => device),
      ends.map((end) => timeText(end)),
      timeText(ends.reduce((a, b) => Math.min(a, b))),
      timeText(ends.reduce((a, b) => Math.max(a, b))),
    ],
  );
  if (rowCount !== blocks.length) throw new InconsistencyError(`${rowCount} of ${blocks.length} blocks were removed`);
}

function partsOf(block: Block): Block[] {
  if (block.values.length <= MOST_VALUES) return [block];
  const size = Math.max(1, Math.floor(MOST_VALUES / block.metrics.length));
  const parts: Block[] = [];
  for (let from = 0; from < block.times.length; from += size)
    parts.push(partOf(block, (i) => i >= from && i < from + size)!);
  return parts;
}
