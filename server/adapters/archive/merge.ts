import type { EpochMs } from "@/server/domain/terms";
import type { Block } from "./block";

/** A block as far as merging has to know it. */
export interface BlockHead extends Pick<Block, "first" | "last" | "messages" | "size" | "lastIngest"> {
  readonly id: number | string;
  /** True while merging has still to deal with it. */
  readonly fresh: boolean;
}

/** The blocks of one log, partition and day. */
export type BlockGroup = Pick<Block, "log" | "partition" | "day">;

/** A step of merging, of one group. */
export interface MergeStep {
  /** keep: they may stay as they are · merge: they become one, or the few that their messages fit in. */
  readonly kind: "keep" | "merge";
  readonly blocks: readonly BlockHead[];
}

/** The means by which blocks are merged. Each call may be the last of a process that is killed, and that must be harmless. */
export interface BlockStore {
  /** Moves some of what earlier versions kept in another form into fresh blocks. @returns the messages moved; 0: there are none left. */
  moveFormer(): Promise<number>;
  /** Every group that has fresh blocks. */
  freshGroups(): Promise<readonly BlockGroup[]>;
  /** The first fresh blocks of a group, and others that lie in their stretch of offsets; in any order. */
  heads(group: BlockGroup): Promise<readonly BlockHead[]>;
  /** Lets blocks stay as they are, those that are still there. */
  keep(group: BlockGroup, blocks: readonly BlockHead[]): Promise<void>;
  /** Puts fresh blocks with the same messages, each position once, in the place of these, those that are still there. */
  merge(group: BlockGroup, blocks: readonly BlockHead[]): Promise<void>;
}

/** Units of text from which a block is good as it is: about 5,000 messages. */
const GOOD_SIZE = 1024 * 1024;
/** Units of text merged or kept at a time. */
const STEP_SIZE = 16 * 1024 * 1024;
/** Small blocks of one group that are merged even though they are young. */
const MANY = 32;
/** After this small blocks are merged, however few they are, and stay. */
const OLD_MS = 3_600_000;
/** Small blocks further apart aren't merged: the stretch would have the blocks between them in it. */
const GAP = 10_000;

/** Merges what is due, step by step. Yields the messages dealt with in each. */
export async function* mergeBlocks(store: BlockStore, now: EpochMs): AsyncGenerator<number> {
  for (let moved = 1; moved > 0;) {
    for (const group of await store.freshGroups()) {
      for (;;) {
        const steps = planMerge(await store.heads(group), now);
        for (const { kind, blocks } of steps) {
          await store[kind](group, blocks);
          yield blocks.reduce((sum, { messages }) => sum + messages, 0);
        }
        if (steps.length === 0) break;
      }
    }
    moved = await store.moveFormer();
    if (moved > 0) yield moved;
  }
}

/** The steps that are due for blocks of one group; none has a block of another. */
export function planMerge(heads: readonly BlockHead[], now: EpochMs): MergeStep[] {
  const steps: MergeStep[] = [];
  let small: BlockHead[] = [];
  const endRun = () => {
    const isOld = small.some(({ lastIngest }) => now - lastIngest >= OLD_MS);
    if (small.length > 1 && (isOld || small.length >= MANY || sizeOf(small) >= GOOD_SIZE))
      steps.push({ kind: "merge", blocks: small });
    else if (small.length === 1 && isOld) steps.push({ kind: "keep", blocks: small });
    small = [];
  };
  for (const cluster of clustersOf(heads)) {
    const [block] = cluster;
    if (cluster.length === 1 && block!.fresh && block!.size < GOOD_SIZE) {
      const before = small.at(-1);
      if (before !== undefined && block!.first - before.last > GAP) endRun();
      small.push(block!);
      if (sizeOf(small) >= GOOD_SIZE) endRun();
      continue;
    }
    endRun();
    if (!cluster.some(({ fresh }) => fresh)) continue;
    if (cluster.length > 1) steps.push({ kind: "merge", blocks: firstOf(cluster) });
    else keep(steps, block!);
  }
  endRun();
  return steps;
}

/** Adds a block to the step before if that keeps blocks too and is not too large. */
function keep(steps: MergeStep[], block: BlockHead): void {
  const step = steps.at(-1);
  if (step?.kind === "keep" && sizeOf(step.blocks) + block.size <= STEP_SIZE)
    steps[steps.length - 1] = { kind: "keep", blocks: [...step.blocks, block] };
  else steps.push({ kind: "keep", blocks: [block] });
}

/** Blocks by offset, those together whose stretches overlap: they may have positions in common. */
function clustersOf(heads: readonly BlockHead[]): BlockHead[][] {
  const clusters: BlockHead[][] = [];
  let end = -Infinity;
  for (const head of [...heads].sort((a, b) => a.first - b.first || a.last - b.last)) {
    if (head.first <= end) clusters.at(-1)!.push(head);
    else clusters.push([head]);
    end = Math.max(end, head.last);
  }
  return clusters;
}

/** The first two blocks at least, as many as can be merged at a time. */
function firstOf(cluster: readonly BlockHead[]): readonly BlockHead[] {
  let [count, size] = [0, 0];
  while (count < cluster.length && (count < 2 || size + cluster[count]!.size <= STEP_SIZE))
    size += cluster[count++]!.size;
  return cluster.slice(0, count);
}

function sizeOf(blocks: readonly BlockHead[]): number {
  return blocks.reduce((sum, { size }) => sum + size, 0);
}
