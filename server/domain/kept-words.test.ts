import { expect, test } from "vitest";
import { type KeptWay, keptWords, shortestFirst, spanWords, waysWords } from "./kept-words";

const general: KeptWay = { rule: null, raw: 90, minutes: 730, hours: null };
const plant: KeptWay = { rule: { selects: "site", pattern: "Plant 2" }, raw: 30, minutes: 730, hours: 3650 };

test("days are told as people say them", () => {
  expect([null, 1, 90, 365, 730, 400].map(keptWords)).toEqual([
    "for ever",
    "1 day",
    "90 days",
    "1 year",
    "2 years",
    "400 days",
  ]);
});

test("how long a metric is kept is one sentence; where rules differ, from the shortest to the longest with what each goes by", () => {
  expect(waysWords([general])).toBe("readings 90 days, minutes 2 years, hours for ever");
  expect(waysWords([plant])).toBe("readings 30 days, minutes 2 years, hours 10 years, by the rule for site Plant 2");
  expect(waysWords(shortestFirst([general, plant]))).toBe(
    "readings 30 days (site Plant 2) to 90 days (generally), minutes 2 years, hours 10 years (site Plant 2) to for ever (generally)",
  );
  expect(spanWords([general, plant], "raw")).toBe("30 days to 90 days");
  expect(spanWords([general, plant], "minutes")).toBe("2 years");
  const ever = { ...general, raw: null };
  expect(shortestFirst([ever, general, plant])).toEqual([plant, general, ever]);
});
