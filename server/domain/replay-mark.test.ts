import { describe, expect, test } from "vitest";
import { markHeaders, readMark, type ReplayMark } from "./replay-mark";

const LETTER = "5L6g3nShT-eMCtK--X86sw/iot.telemetry/0/3/9007199254740991/m";
const headers = (letter: string, attempt: string) => ({
  "fieldwatch-replay-of": letter,
  "fieldwatch-replays": attempt,
});

test("a mark is read as it was written", () => {
  const marks: ReplayMark[] = [
    { letter: LETTER, attempt: 1, edited: false },
    { letter: "5f2c/iot.telemetry/12/0/0/63", attempt: 1_000_000, edited: true },
  ];
  for (const mark of marks) expect(readMark(markHeaders(mark))).toEqual(mark);
});

describe("what Fieldwatch wouldn't write is no mark", () => {
  test.each([
    "3000000000",
    "2147483647",
    "1000001",
    "0",
    "-1",
    "1.5",
    "1e3",
    "0x10",
    `0x${"f".repeat(1000)}`,
    "01",
    " 1",
    "1\0",
    "",
    "NaN",
    "Infinity",
    "\ufffd",
    "٣",
    "9".repeat(1_048_576),
  ])("attempt %j", (attempt) => {
    expect(readMark(headers(LETTER, attempt))).toBeNull();
  });

  test.each([
    "",
    "abc",
    "a\0b",
    `${LETTER}\0`,
    `\0${LETTER}`,
    `${LETTER}\n`,
    `\ufffd/iot.telemetry/0/0/1/m`,
    "c/iot.telemetry/0/-1/1/m",
    "c/iot.telemetry/0/0/1/x",
    `c/iot.telemetry/0/0/${"1".repeat(40)}/m`,
    "/".repeat(1_048_576),
    `${"c".repeat(1_048_576)}/0/1/m`,
  ])("letter %#", (letter) => {
    expect(readMark(headers(letter, "1"))).toBeNull();
  });

  test("one half of it", () => {
    expect(readMark({ "fieldwatch-replay-of": LETTER })).toBeNull();
    expect(readMark({ "fieldwatch-replays": "1" })).toBeNull();
    expect(readMark({})).toBeNull();
  });
});
