import { expect, it } from "vitest";
import { qualityOf, share } from "./quality-counts";

it("sums stretches, whatever the reasons", () => {
  const stretch = {
    messages: 10,
    readings: 40,
    duplicates: 5,
    conflicts: 1,
    late: 2,
    rejected: { a: 1, b: 2 },
    deadLetters: { c: 3 },
  };
  expect(qualityOf([stretch, { ...stretch, rejected: {}, deadLetters: {} }])).toEqual({
    messages: 20,
    readings: 92,
    repeats: 10,
    conflicts: 2,
    late: 4,
    refused: 3,
    deadLetters: 3,
  });
  expect(qualityOf([]).messages).toBe(0);
});

it("never rounds something to nothing", () => {
  expect(share(0, 0)).toBe("0 %");
  expect(share(1, 100_000)).toBe("< 0.1 %");
  expect(share(1, 40)).toBe("2.5 %");
  expect(share(1, 2)).toBe("50 %");
  expect(share(3, 0)).toBe("unknown");
});
