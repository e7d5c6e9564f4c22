import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { murmur2, partitionOf } from "./partitioner";

describe("partitions", () => {
  it("are chosen as Kafka's default partitioner does", () => {
    // The test vectors of Kafka's own UtilsTest.
    const vectors: Record<string, number> = {
      "21": -973932308,
      foobar: -790332482,
      "a-little-bit-long-string": -985981536,
      "a-little-bit-longer-string": -1486304829,
      lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8: -58897971,
      abc: 479470107,
    };
    for (const [text, hash] of Object.entries(vectors)) expect(murmur2(text)).toBe(hash);
  });

  it("are always there", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.integer({ min: 1, max: 256 }), (key, partitions) => {
        const partition = partitionOf(key, partitions);
        expect(Number.isInteger(partition) && partition >= 0 && partition < partitions).toBe(true);
      }),
    );
  });
});
