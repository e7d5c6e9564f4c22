import fc from "fast-check";
import { expect, test } from "vitest";
import { isTopic, isTopicFilter } from "@/server/domain/topics";
import { createPacketWalk, TOO_LARGE, topicTest } from "./protocol";

test.each([
  ["a/b", "a/b", true],
  ["a/+", "a/b", true],
  ["a/+", "a/b/c", false],
  ["a/+", "a", false],
  ["a/#", "a", true],
  ["a/#", "a/b/c", true],
  ["+/+", "/a", true],
  ["#", "a//b", true],
  ["+/x", "$SYS/x", false],
  ["$SYS/#", "$SYS/x", true],
])("filter %s on topic %s: %s", (filter, topic, passes) => {
  expect(topicTest([filter])(topic)).toBe(passes);
});

test("filters have + and # as whole levels, # last", () => {
  expect(["#", "+", "a/+/b", "a/#", "/", "+/#"].filter(isTopicFilter)).toHaveLength(6);
  expect(["", "a+", "a/#/b", "a#", "#/a", "a/\u0000"].filter(isTopicFilter)).toEqual([]);
});

test("topics have no wildcards, no broken text and at most 100 levels", () => {
  expect(isTopic("a/".repeat(99) + "a")).toBe(true);
  expect(["", "a/+", "#", "a\uFFFD", "a\u0000", "a/".repeat(100) + "a", "x".repeat(1025)].filter(isTopic)).toEqual([]);
});

test("a walk finds the first end, however the bytes are cut, and no packet is too large but those that are", () => {
  const packet = fc.integer({ min: 0, max: 40_000 }).map((size) => {
    const length: number[] = [];
    for (let left = size, more = true; more; left = left >> 7) {
      more = left > 127;
      length.push((left & 127) | (more ? 128 : 0));
    }
    return Buffer.concat([Buffer.from([0x30, ...length]), Buffer.alloc(size)]);
  });
  fc.assert(
    fc.property(
      fc.array(packet, { minLength: 1, maxLength: 5 }),
      fc.infiniteStream(fc.integer({ min: 1, max: 30_000 })),
      (packets, sizes) => {
        const all = Buffer.concat(packets);
        const walk = createPacketWalk();
        let at = 0;
        let first = -1;
        for (const size of sizes) {
          const end = walk(all.subarray(at, at + size), 40_000);
          expect(end).not.toBe(TOO_LARGE);
          if (first === -1 && end !== -1) first = at + end;
          at += size;
          if (at >= all.length) break;
        }
        expect(first).toBe(packets[0]!.length);
        const most = Math.max(...packets.map((each) => each.length - headOf(each)));
        if (most > 0) expect(createPacketWalk()(all, most - 1)).toBe(TOO_LARGE);
      },
    ),
    { numRuns: 200 },
  );
});

test("a length of more than four bytes is too large at its fifth", () => {
  expect(createPacketWalk()(Buffer.from([0x10, 0xff, 0xff, 0xff, 0xff]), Infinity)).toBe(TOO_LARGE);
});

function headOf(packet: Buffer): number {
  let i = 1;
  while (packet[i]! > 127) i += 1;
  return i + 1;
}
