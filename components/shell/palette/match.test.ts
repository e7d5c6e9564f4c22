import { describe, expect, it } from "vitest";
import { match } from "./match";

const best = (typed: string, texts: readonly string[]) =>
  texts
    .map((text) => ({ text, found: match(typed, text) }))
    .filter(({ found }) => found !== null)
    .sort((a, b) => b.found!.score - a.found!.score)
    .map(({ text }) => text);

describe("match", () => {
  it("puts the beginning of a text before that of a word, and that before the middle", () => {
    expect(best("press", ["compressor-01", "unit press-07", "press-07"])).toEqual([
      "press-07",
      "unit press-07",
      "compressor-01",
    ]);
  });

  it("finds words in any order", () => {
    expect(match("letters dead", "Dead letters")).not.toBeNull();
    expect(match("letters live", "Dead letters")).toBeNull();
  });

  it("finds the first letters of words, and letters in a row", () => {
    expect(match("dl", "Dead letters")?.at).toEqual([0, 5]);
    expect(match("kh", "Keyboard help")?.at).toEqual([0, 9]);
    expect(match("p07", "press-07")?.at).toEqual([0, 6, 7]);
  });

  it("does not take letters strewn by chance for a match", () => {
    expect(match("zone", "Messages of the last hour")).toBeNull();
    expect(match("tae", "Dead letters")).toBeNull();
    expect(match("meter", "Dead letters: time in the future")).toBeNull();
  });

  it("tells which letters matched, whatever their case", () => {
    expect(match("HEAL", "Health")?.at).toEqual([0, 1, 2, 3]);
  });

  it("matches everything alike when nothing is typed", () => {
    expect(match("  ", "anything")).toEqual({ score: 0, at: [] });
  });
});
