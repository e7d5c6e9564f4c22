import type { Pool, PoolClient } from "pg";
import type { ArchivedMessage, MessageArchive } from "@/server/ports/message-archive";
import type { EpochMs } from "@/server/domain/terms";
import { withTransaction } from "@/server/postgres/transaction";
import { dayOf, packBlocks, unpackBlock } from "../archive/block";
import { type BlockHead, type BlockStore, mergeBlocks } from "../archive/merge";
import { takeNewest } from "../archive/newest";
import { BLOCKS_AT_ONCE, blocksOf, insertFresh, keepFresh, roundsOf, takeBlocks } from "./archive-blocks";
import { createArchiveDays } from "./archive-days";
import { findFormer, removeFormer, shrinkFormer, takeFormer } from "./former-archive";

/** Fresh blocks of one group looked at together. */
const HEADS = 1000;
/** Messages of versions before that are packed at a time, and removed at a time. */
const FORMER = 5000;
/** Blocks removed at a time. */
const OLD_BLOCKS = 200;
const SNAPSHOT = ["SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"];

/**
 * The message archive in PostgreSQL: blocks are stored in archive_fresh, and merged into archive_block, which has a partition a day.
 * @param keptDays days for which messages are kept, which decides how the days are divided.
 */
export function createPostgresMessageArchive(pool: Pool, keptDays = 30): MessageArchive {
  const days = createArchiveDays(pool, keptDays);
  return {
    store: (messages) => insertFresh(pool, packBlocks(messages)),

    async find(query) {
      const now = Date.now();
      // Former rows first: what is packed meanwhile is found twice, and told once.
      const former = await findFormer(pool, query);
      // The newest blocks mostly have it all, and one statement sees one moment; only what goes on needs a transaction around.
      let goesOn = false;
      const first = async function* () {
        for await (const round of roundsOf(pool, query, now)) {
          yield round;
          goesOn = true;
          return;
        }
      };
      const found = await takeNewest(query, former, first());
      if (!goesOn) return found;
      return withTransaction(
        pool,
        async (client) => takeNewest(query, await findFormer(client, query), roundsOf(client, query, now)),
        SNAPSHOT,
      );
    },

    merge: (now) =>
      mergeBlocks(
        blockStore(pool, (day) => days.ensure(day, now)),
        now,
      ),

    async *removeBefore(before) {
      for (const table of ["archive_block_other", "archive_fresh"]) {
        for (let blocks = OLD_BLOCKS; blocks === OLD_BLOCKS;) {
          const removed = await removeBlocks(pool, table, before);
          blocks = removed.blocks;
          yield removed.messages;
        }
      }
      for (let removed = FORMER; removed === FORMER;) yield (removed = await removeFormer(pool, before, FORMER));
      // Last, as it may have to come again.
      yield* days.dropBefore(dayOf(before));
    },

    async *erase(device) {
      for (let after = 0; ;) {
        const { last, messages } = await withTransaction(pool, (tx) => eraseFromBlocks(tx, device, after));
        yield messages;
        if (last === null) break;
        after = last;
      }
      const { rowCount } = await pool.query("DELETE FROM message_archive WHERE device = $1", [device]);
      yield rowCount ?? 0;
    },

    async count(device) {
      const { rows } = await pool.query<{ n: number }>(
        "SELECT count(*)::integer AS n FROM message_archive WHERE device = $1",
        [device],
      );
      let found = rows[0]!.n;
      for (let after = 0; ;) {
        const blocks = await blocksOf(pool, device, after);
        for (const block of blocks) found += unpackBlock(block, device).length;
        if (blocks.length < BLOCKS_AT_ONCE) return found;
        after = blocks.at(-1)!.id;
      }
    },
  };
}

function blockStore(pool: Pool, ensureDay: (day: number) => Promise<void>): BlockStore {
  let lastFormer: ArchivedMessage | null = null;
  return {
    moveFormer: () =>
      withTransaction(pool, async (tx) => {
        const messages = await takeFormer(tx, lastFormer, FORMER);
        if (messages.length === 0) await shrinkFormer(tx);
        else await insertFresh(tx, packBlocks(messages));
        lastFormer = messages.at(-1) ?? null;
        return messages.length;
      }),

    async freshGroups() {
      const { rows } = await pool.query<{ log: string; partition: number; day: number }>(
        "SELECT DISTINCT log, partition, day FROM archive_fresh ORDER BY log, partition, day",
      );
      return rows;
    },

    async heads({ log, partition, day }) {
      const { rows } = await pool.query<HeadRow>(
        `WITH fresh AS (SELECT ${HEAD} FROM archive_fresh WHERE log = $1 AND partition = $2 AND day = $3 ORDER BY first_offset LIMIT $4)
         SELECT *, true AS fresh FROM fresh
         UNION ALL SELECT ${HEAD}, false FROM archive_block
         WHERE log = $1 AND partition = $2 AND day = $3
           AND last_offset >= (SELECT min(first_offset) FROM fresh) AND first_offset <= (SELECT max(last_offset) FROM fresh)`,
        [log, partition, day, HEADS],
      );
      return rows.map(headOf);
    },

    async keep({ day }, blocks) {
      await ensureDay(day);
      await keepFresh(pool, idsOf(blocks));
    },

    merge: ({ day }, blocks) =>
      withTransaction(pool, async (tx) => {
        const taken = await takeBlocks(tx, day, idsOf(blocks));
        await insertFresh(tx, packBlocks(taken.flatMap((block) => unpackBlock(block))));
      }),
  };
}

/** Takes a device's messages out of the next blocks that may have any. What is packed anew has greater ids. @returns the last block; null: there was none */
async function eraseFromBlocks(
  tx: PoolClient,
  device: string,
  after: number,
): Promise<{ last: number | null; messages: number }> {
  const blocks = await blocksOf(tx, device, after);
  let messages = 0;
  for (const block of blocks) {
    // Marks are shared: a block may have none of it.
    if (unpackBlock(block, device).length === 0) continue;
    // What was merged meanwhile comes again under a greater id.
    const taken = await takeBlocks(tx, block.day, [block.id]);
    const all = taken.flatMap((one) => unpackBlock(one));
    const others = all.filter((message) => message.device !== device);
    await insertFresh(tx, packBlocks(others));
    messages += all.length - others.length;
  }
  return { last: blocks.at(-1)?.id ?? null, messages };
}

/** Removes some of a table's blocks that have nothing but messages from before `before`. */
async function removeBlocks(pool: Pool, table: string, before: EpochMs): Promise<{ blocks: number; messages: number }> {
  const { rows } = await pool.query<{ messages: number }>(
    `DELETE FROM ${table} WHERE ctid = ANY (ARRAY (
       SELECT ctid FROM ${table} WHERE last_ingest < to_timestamp($1::float8 / 1000)::timestamptz(3) LIMIT ${OLD_BLOCKS}))
     RETURNING messages`,
    [before],
  );
  return { blocks: rows.length, messages: rows.reduce((sum, { messages }) => sum + messages, 0) };
}

const HEAD = "id, first_offset, last_offset, messages, size, last_ingest";

interface HeadRow {
  readonly id: string;
  readonly first_offset: string;
  readonly last_offset: string;
  readonly messages: number;
  readonly size: number;
  readonly last_ingest: Date;
  readonly fresh: boolean;
}

function headOf({ id, first_offset, last_offset, messages, size, last_ingest, fresh }: HeadRow): BlockHead {
  return {
    ...{ id: Number(id), first: Number(first_offset), last: Number(last_offset) },
    ...{ messages, size, lastIngest: last_ingest.getTime(), fresh },
  };
}

function idsOf(blocks: readonly BlockHead[]): number[] {
  return blocks.map(({ id }) => Number(id));
}
