import { expect, test } from "vitest";
import fc from "fast-check";
import { bytesOf, hexDump, piecesOfBytes, piecesOfText, textOf } from "./bytes";

const shown = (bytes: readonly number[]) =>
  piecesOfBytes(Uint8Array.from(bytes)).map(({ text, kind }) => (kind === "hidden" ? `<${text}>` : text));

test("bytes that aren't UTF-8 are written out, and what is around them stays", () => {
  expect(shown([0x61, 0xff, 0x62])).toEqual(["a", "<\\xff>", "b"]);
  expect(shown([0xc3, 0xa9])).toEqual(["é"]);
  expect(shown([0x61, 0xc3])).toEqual(["a", "<\\xc3>"]);
  expect(shown([0xed, 0xa0, 0x80, 0x00])).toEqual(["<\\xed\\xa0\\x80>", "<\\x00>"]);
  expect(shown([0xf0, 0x9f, 0x98, 0x80, 0xf0, 0x9f])).toEqual(["😀", "<\\xf0\\x9f>"]);
});

test("agrees with the platform on what UTF-8 is", () => {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const byte = fc.oneof(fc.constantFrom(0x41, 0x80, 0x9f, 0xa0, 0xbf, 0xc2, 0xe0, 0xe1, 0xed, 0xf0, 0xf4), fc.nat(255));
  fc.assert(
    fc.property(fc.array(byte, { maxLength: 6 }), (bytes) => {
      const isText = piecesOfBytes(Uint8Array.from(bytes)).every(({ length }) => length > 0);
      expect(isText).toBe(isUtf8(decoder, bytes));
    }),
    { numRuns: 3000 },
  );
});

test("characters that can't be seen are written out; line breaks are not", () => {
  expect(piecesOfText("a\u0000\u0001b\n\ufeff")).toEqual([
    { text: "a", start: 0, length: 1, kind: "text" },
    { text: "\\x00\\x01", start: 1, length: 2, kind: "hidden" },
    { text: "b\n", start: 3, length: 2, kind: "text" },
    { text: "\\ufeff", start: 5, length: 1, kind: "hidden" },
  ]);
});

test("valid text comes out the same, whichever way it is read", () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 40 }), (text) => {
      expect(piecesOfBytes(new TextEncoder().encode(text))).toEqual(piecesOfText(text));
    }),
  );
});

test("base64 and text give the same bytes", () => {
  expect([...bytesOf({ raw: "Yf9i", encoding: "base64" })]).toEqual([0x61, 0xff, 0x62]);
  expect(textOf({ raw: "Yf9i", encoding: "base64" })).toBe("a\ufffdb");
  expect([...bytesOf({ raw: "é", encoding: "utf-8" })]).toEqual([0xc3, 0xa9]);
});

test("a dump tells offset, bytes and ASCII", () => {
  const lines = hexDump(Uint8Array.from({ length: 18 }, (_, i) => i + 0x40)).split("\n");
  expect(lines[0]).toBe("000000  40 41 42 43 44 45 46 47 48 49 4a 4b 4c 4d 4e 4f  @ABCDEFGHIJKLMNO");
  expect(lines[1]).toMatch(/^000010 {2}50 51 +PQ$/);
});

function isUtf8(decoder: TextDecoder, bytes: readonly number[]): boolean {
  try {
    decoder.decode(Uint8Array.from(bytes));
    return true;
  } catch {
    return false;
  }
}
