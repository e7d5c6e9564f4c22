import type { Collection, Document, Filter, WithId } from "mongodb";
import { ObjectId } from "mongodb";
import type { MessageQuery } from "@/server/ports/message-archive";
import { type Block, dayOf, deviceMark, startOfDay } from "../archive/block";
import type { BlockGroup, BlockHead } from "../archive/merge";
import type { BlockPart, Round } from "../archive/newest";
import { MAX_TIME_MS } from "./collections";
import { insertNew } from "./writes";

/** A block as a document. */
export interface BlockDocument extends Omit<Block, "firstIngest" | "lastIngest"> {
  readonly _id: ObjectId;
  /**
   * fresh: merging has still to deal with it · kept: it stays · replaced: others have its messages, and it is removed once nobody can
   * be reading who didn't find those.
   */
  readonly state: "fresh" | "kept" | "replaced";
  readonly firstIngest: Date;
  readonly lastIngest: Date;
  readonly replacedAt?: Date;
}

export type Blocks = Collection<BlockDocument>;

/** Longer than any question takes, however many times it asks. */
const REPLACED_MS = 120_000;
/** Blocks looked at together. */
const HEADS = 1000;
const REMOVED = 200;
const FIRST_ROUND = 2;
const LARGEST_ROUND = 32;
const OVERHEAD_BYTES = 512;
const DEVICE_BYTES = 10;

export async function insertFresh(blocks: Blocks, packed: readonly Block[]): Promise<void> {
  const documents = packed.map((block): BlockDocument => ({
    ...block,
    _id: new ObjectId(),
    state: "fresh",
    firstIngest: new Date(block.firstIngest),
    lastIngest: new Date(block.lastIngest),
  }));
  await insertNew(
    blocks,
    documents,
    ({ sections, devices }) => sections.length + devices.length * DEVICE_BYTES + OVERHEAD_BYTES,
  );
}

/** The next block by id, replaced ones too, that may hold messages of a device; none: there is none. */
export function blocksOf(blocks: Blocks, device: string, after: ObjectId | null): Promise<WithId<BlockDocument>[]> {
  return blocks
    .find(
      { devices: deviceMark(device), ...(after !== null && { _id: { $gt: after } }) },
      { sort: { _id: 1 }, limit: 1, maxTimeMS: MAX_TIME_MS },
    )
    .toArray();
}

/** Blocks that may hold a device's messages, newest first. */
export async function* roundsOf(
  blocks: Blocks,
  { device, after }: Pick<MessageQuery, "device" | "after">,
): AsyncGenerator<Round> {
  const bounds: Filter<BlockDocument>[] = [{ devices: deviceMark(device) }];
  if (after !== undefined) {
    // No block has messages of two days.
    bounds.push({ lastIngest: { $lt: new Date(startOfDay(dayOf(after.ingestTime) + 1)) } });
    bounds.push({ firstIngest: { $lte: new Date(after.ingestTime) } });
  }
  let place: Filter<BlockDocument>[] = [];
  for (let count = FIRST_ROUND; ; count = Math.min(2 * count, LARGEST_ROUND)) {
    const found = await blocks
      .find(
        { $and: [...bounds, ...place] },
        {
          projection: { log: 1, partition: 1, lastIngest: 1, sectionDevices: 1, sectionEnds: 1, sections: 1 },
          sort: { lastIngest: -1, _id: -1 },
          limit: count,
          batchSize: count,
          maxTimeMS: MAX_TIME_MS,
        },
      )
      .toArray();
    const last = found.length === count ? found.at(-1) : undefined;
    yield { parts: found.map(partOf), rest: last?.lastIngest.getTime() ?? -Infinity };
    if (last === undefined) return;
    const { lastIngest, _id } = last;
    place = [{ $or: [{ lastIngest: { $lt: lastIngest } }, { lastIngest, _id: { $lt: _id } }] }];
  }
}

function partOf({ _id, log, partition, sectionDevices, sectionEnds, sections }: BlockDocument): BlockPart {
  return { stored: _id.toHexString(), log, partition, sectionDevices, sectionEnds, sections };
}

export async function freshGroups(blocks: Blocks): Promise<readonly BlockGroup[]> {
  const groups = await blocks
    .aggregate<{ _id: BlockGroup }>(
      [{ $match: { state: "fresh" } }, { $group: { _id: { log: "$log", partition: "$partition", day: "$day" } } }],
      { maxTimeMS: MAX_TIME_MS },
    )
    .toArray();
  return groups.map(({ _id }) => _id);
}

/** The first fresh blocks of a group, and those kept that lie in their stretch. */
export async function headsOf(blocks: Blocks, { log, partition, day }: BlockGroup): Promise<readonly BlockHead[]> {
  const options = {
    projection: { first: 1, last: 1, messages: 1, size: 1, lastIngest: 1, state: 1 },
    maxTimeMS: MAX_TIME_MS,
  };
  const fresh = await blocks
    .find({ state: "fresh", log, partition, day }, { ...options, sort: { last: 1 }, limit: HEADS })
    .toArray();
  if (fresh.length === 0) return [];
  const first = Math.min(...fresh.map((block) => block.first));
  const last = Math.max(...fresh.map((block) => block.last));
  const kept = await blocks
    .find({ state: "kept", log, partition, day, last: { $gte: first }, first: { $lte: last } }, options)
    .toArray();
  return [...fresh, ...kept].map(headOf);
}

function headOf({ _id, first, last, messages, size, lastIngest, state }: WithId<Document>): BlockHead {
  return {
    ...{ id: (_id as ObjectId).toHexString(), first: first as number, last: last as number },
    ...{ messages: messages as number, size: size as number, lastIngest: (lastIngest as Date).getTime() },
    fresh: state === "fresh",
  };
}

/** Marks blocks that others have taken the place of. */
export async function replaceBlocks(blocks: Blocks, ids: readonly ObjectId[]): Promise<void> {
  await blocks.updateMany({ _id: { $in: ids } }, { $set: { state: "replaced", replacedAt: new Date() } });
}

/** Removes blocks that were replaced a while ago. */
export async function removeReplaced(blocks: Blocks): Promise<void> {
  await blocks.deleteMany({ state: "replaced", replacedAt: { $lt: new Date(Date.now() - REPLACED_MS) } });
}

/** Removes some blocks that have nothing but messages from before `before`. @returns how many blocks, and their messages. */
export async function removeOldBlocks(blocks: Blocks, before: Date): Promise<{ blocks: number; messages: number }> {
  const old = await blocks
    .find(
      { lastIngest: { $lt: before } },
      { projection: { messages: 1, state: 1 }, limit: REMOVED, maxTimeMS: MAX_TIME_MS },
    )
    .toArray();
  if (old.length > 0) await blocks.deleteMany({ _id: { $in: old.map(({ _id }) => _id) } });
  const messages = old.reduce((sum, block) => sum + (block.state === "replaced" ? 0 : block.messages), 0);
  return { blocks: old.length, messages };
}

/** True if that may not have been all. */
export function isMore({ blocks }: { readonly blocks: number }): boolean {
  return blocks === REMOVED;
}
