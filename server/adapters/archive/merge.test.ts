import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type BlockHead, type BlockStore, mergeBlocks, planMerge } from "./merge";

const NOW = Date.UTC(2026, 10, 1);
const MEGA = 1024 * 1024;

let ids = 0;
function head(first: number, last: number, over: Partial<BlockHead> = {}): BlockHead {
  return { id: ++ids, first, last, messages: last - first + 1, size: 1000, lastIngest: NOW, fresh: true, ...over };
}
const stepsOf = (heads: readonly BlockHead[]) =>
  planMerge(heads, NOW).map(({ kind, blocks }) => [
    kind,
    blocks.map(({ first, last }) => `${first}-${last}`).join(" "),
  ]);

describe("what is merged", () => {
  it("is nothing while there are few small young ones", () => {
    expect(stepsOf([head(0, 1), head(2, 3), head(4, 5)])).toEqual([]);
  });

  it("is many small ones, old ones, and such as make up a good one", () => {
    const many = Array.from({ length: 32 }, (_, i) => head(i, i));
    expect(stepsOf(many)).toEqual([["merge", many.map(({ first }) => `${first}-${first}`).join(" ")]]);
    const old = { lastIngest: NOW - 3_600_000 };
    expect(stepsOf([head(0, 1, old), head(2, 3)])).toEqual([["merge", "0-1 2-3"]]);
    expect(stepsOf([head(0, 1, { size: MEGA / 2 }), head(2, 3, { size: MEGA / 2 }), head(4, 4)])).toEqual([
      ["merge", "0-1 2-3"],
    ]);
  });

  it("keeps good ones, and a small one that stays alone", () => {
    const good = { size: MEGA };
    expect(stepsOf([head(0, 9, good), head(10, 19, good)])).toEqual([["keep", "0-9 10-19"]]);
    const old = { lastIngest: NOW - 3_600_000 };
    expect(stepsOf([head(0, 1, old), head(2, 9, { fresh: false }), head(10, 11, old)])).toEqual([
      ["keep", "0-1"],
      ["keep", "10-11"],
    ]);
    expect(stepsOf([head(0, 1, old), head(50_000, 50_001, old)])).toEqual([
      ["keep", "0-1"],
      ["keep", "50000-50001"],
    ]);
  });

  it("is whatever may have positions twice", () => {
    expect(stepsOf([head(0, 9, { fresh: false }), head(5, 5)])).toEqual([["merge", "0-9 5-5"]]);
    expect(stepsOf([head(0, 9, { size: MEGA }), head(9, 20, { size: MEGA })])).toEqual([["merge", "0-9 9-20"]]);
    expect(stepsOf([head(0, 9, { fresh: false }), head(5, 12, { fresh: false })])).toEqual([]);
  });
});

it("merging comes to an end with every message in a block that is kept, each once", async () => {
  const stretch = fc.record({ first: fc.nat(300), length: fc.integer({ min: 1, max: 60 }), kept: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(fc.array(stretch, { maxLength: 40 }), fc.integer({ min: 1, max: 400_000 }), async (list, size) => {
      interface Held extends BlockHead {
        readonly offsets: readonly number[];
      }
      const held = (offsets: readonly number[], fresh: boolean): Held => ({
        ...head(Math.min(...offsets), Math.max(...offsets), { fresh, size: offsets.length * size }),
        lastIngest: NOW - 3_600_000,
        offsets,
      });
      const stretchOf = (first: number, length: number) => Array.from({ length }, (_, i) => first + i);
      let blocks = list.map(({ first, length, kept }) => held(stretchOf(first, length), !kept));
      const all = new Set(blocks.flatMap(({ offsets }) => offsets));
      const freshOnes = blocks.filter(({ fresh }) => fresh).flatMap(({ offsets }) => offsets);
      const group = { log: "l", partition: 0, day: 0 };
      const store: BlockStore = {
        moveFormer: async () => 0,
        freshGroups: async () => (blocks.some(({ fresh }) => fresh) ? [group] : []),
        heads: async () => blocks,
        keep: async (_group, kept) => {
          blocks = blocks.map((block) => (kept.some(({ id }) => id === block.id) ? { ...block, fresh: false } : block));
        },
        merge: async (_group, parts) => {
          const gone = blocks.filter((block) => parts.some(({ id }) => id === block.id));
          const offsets = [...new Set(gone.flatMap((block) => block.offsets))].sort((a, b) => a - b);
          const most = Math.max(1, Math.floor((4 * MEGA) / size));
          blocks = blocks.filter((block) => !gone.includes(block));
          for (let at = 0; at < offsets.length; at += most) blocks.push(held(offsets.slice(at, at + most), true));
        },
      };
      for await (const step of mergeBlocks(store, NOW)) expect(step).toBeGreaterThan(0);
      expect(blocks.some(({ fresh }) => fresh)).toBe(false);
      expect(new Set(blocks.flatMap(({ offsets }) => offsets))).toEqual(all);
      for (const offset of freshOnes) expect(blocks.filter(({ offsets }) => offsets.includes(offset))).toHaveLength(1);
    }),
    { numRuns: 200 },
  );
});
