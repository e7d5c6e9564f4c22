import { type Collection, type Db, type Document, ObjectId } from "mongodb";
import type { MessageArchive } from "@/server/ports/message-archive";
import { packBlocks, unpackBlock } from "../archive/block";
import { type BlockHead, type BlockStore, mergeBlocks } from "../archive/merge";
import { takeNewest } from "../archive/newest";
import {
  type BlockDocument,
  type Blocks,
  blocksOf,
  freshGroups,
  headsOf,
  insertFresh,
  isMore,
  removeOldBlocks,
  removeReplaced,
  replaceBlocks,
  roundsOf,
} from "./archive-blocks";
import { COLLECTIONS, MAX_TIME_MS, openCollection } from "./collections";
import { withDocumentErrors } from "./errors";
import { findFormer, type FormerDocument, oldestFormer } from "./former-archive";
import { removeOlder } from "./writes";

/** Messages of versions before that are packed at a time, and removed at a time. */
const FORMER = 5000;

/** The message archive in MongoDB, a document a block. Needs the indexes of {@link import("./prepare").prepareMongo}. */
export function createMongoMessageArchive(db: Db): MessageArchive {
  const blocks = openCollection<BlockDocument>(db, COLLECTIONS.archive);
  const former = openCollection<FormerDocument>(db, COLLECTIONS.messages);
  return {
    store: (messages) => withDocumentErrors(() => insertFresh(blocks, packBlocks(messages))),

    find: (query) =>
      withDocumentErrors(async () => {
        // First, as they are in blocks before they are gone from here.
        const others = await findFormer(former, query);
        return takeNewest(query, others, roundsOf(blocks, query));
      }),

    async *merge(now) {
      await withDocumentErrors(() => removeReplaced(blocks));
      yield* mergeBlocks(blockStore(blocks, former), now);
    },

    async *removeBefore(before) {
      const date = new Date(before);
      for (let more = true; more;) {
        const removed = await withDocumentErrors(() => removeOldBlocks(blocks, date));
        yield removed.messages;
        more = isMore(removed);
      }
      const documents = openCollection<Document>(db, COLLECTIONS.messages);
      for (let removed = FORMER; removed >= FORMER;)
        yield (removed = await withDocumentErrors(() => removeOlder(documents, date, FORMER)));
    },

    async *erase(device) {
      for (let after: ObjectId | null = null; ;) {
        const [block] = await withDocumentErrors(() => blocksOf(blocks, device, after));
        if (block === undefined) break;
        after = block._id;
        if (unpackBlock(block, device).length === 0) continue;
        const all = unpackBlock(block);
        const others = all.filter((message) => message.device !== device);
        await withDocumentErrors(async () => {
          // Others have the messages of a replaced one already.
          if (block.state !== "replaced") await insertFresh(blocks, packBlocks(others));
          // At once, not after a while as when merging: who is reading just now may miss messages of others once.
          await blocks.deleteOne({ _id: block._id });
        });
        yield all.length - others.length;
      }
      yield (await withDocumentErrors(() => former.deleteMany({ device }))).deletedCount;
    },

    async count(device) {
      let found = await withDocumentErrors(() => former.countDocuments({ device }, { maxTimeMS: MAX_TIME_MS }));
      for (let after: ObjectId | null = null; ;) {
        const [block] = await withDocumentErrors(() => blocksOf(blocks, device, after));
        if (block === undefined) return found;
        after = block._id;
        found += unpackBlock(block, device).length;
      }
    },
  };
}

/** There are no transactions: what is new is written first, and who reads both drops the repeats. */
function blockStore(blocks: Blocks, former: Collection<FormerDocument>): BlockStore {
  return {
    moveFormer: () =>
      withDocumentErrors(async () => {
        const { ids, messages } = await oldestFormer(former, FORMER);
        if (ids.length === 0) return 0;
        await insertFresh(blocks, packBlocks(messages));
        await former.deleteMany({ _id: { $in: ids } });
        return messages.length;
      }),

    freshGroups: () => withDocumentErrors(() => freshGroups(blocks)),

    heads: (group) => withDocumentErrors(() => headsOf(blocks, group)),

    keep: (_group, heads) =>
      withDocumentErrors(async () => {
        await blocks.updateMany({ _id: { $in: idsOf(heads) }, state: "fresh" }, { $set: { state: "kept" } });
      }),

    merge: (_group, heads) =>
      withDocumentErrors(async () => {
        const parts = await blocks
          .find(
            { _id: { $in: idsOf(heads) }, state: { $ne: "replaced" } },
            { sort: { _id: 1 }, maxTimeMS: MAX_TIME_MS },
          )
          .toArray();
        await insertFresh(blocks, packBlocks(parts.flatMap((part) => unpackBlock(part))));
        await replaceBlocks(
          blocks,
          parts.map(({ _id }) => _id),
        );
      }),
  };
}

function idsOf(heads: readonly BlockHead[]): ObjectId[] {
  return heads.map(({ id }) => new ObjectId(String(id)));
}
