import fc from "fast-check";
import { expect, it } from "vitest";
import { createKnownTexts } from "./known-texts";

it("bytes are read as the text they are, whatever was read before", () => {
  const read = createKnownTexts();
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(
          fc.string(),
          fc.string({ unit: "grapheme" }),
          fc.constantFrom("a", "ä", "\u00e4b", "x".repeat(128), "x".repeat(129)),
        ),
      ),
      (texts) => {
        for (const text of [...texts, ...texts]) {
          const bytes = Buffer.from(`<${text}>`);
          expect(read(bytes, 1, bytes.length - 1)).toBe(bytes.toString("utf8", 1, bytes.length - 1));
        }
      },
    ),
  );
});

it("texts of one hash are told apart", () => {
  const hash = (text: string) => Buffer.from(text).reduce((sum, byte) => Math.imul(sum ^ byte, 0x01000193), 0x811c9dc5);
  const pair = ["costarring", "liquid"];
  expect(hash(pair[0]!)).toBe(hash(pair[1]!));
  const read = createKnownTexts();
  for (const text of [...pair, ...pair]) expect(read(Buffer.from(text), 0, text.length)).toBe(text);
});
