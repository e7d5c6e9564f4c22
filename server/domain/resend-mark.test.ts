import { describe, expect, test } from "vitest";
import { markHeaders, readMark, type ResendMark } from "./resend-mark";

const LETTER = "5L6g3nShT-eMCtK--X86sw/iot.telemetry/0/3/9007199254740991/m";
const headers = (letter: string, attempt: string) => ({
  "fieldwatch-resend-of": letter,
  "fieldwatch-resends": attempt,
});

test("a mark is read as it was written", () => {
  const marks: ResendMark[] = [
    { letter: LETTER, attempt: 1, edited: false },
    { letter: "5f2c/iot.telemetry/12/0/0/63", attempt: 1_000_000, edited: true },
  ];
  for (const mark of marks) expect(readMark(markHeaders(mark))).toEqual(mark);
});

test("a mark written when a resend was still called a replay is read like any other", () => {
  const older = { "fieldwatch-replay-of": LETTER, "fieldwatch-replays": "3" };
  expect(readMark(older)).toEqual({ letter: LETTER, attempt: 3, edited: false });
  const edited = { "fieldwatch-replay-edited": "true" };
  expect(readMark({ ...older, ...edited })).toEqual({ letter: LETTER, attempt: 3, edited: true });
  expect(readMark({ ...older, ...headers("c/iot.telemetry/0/0/1/m", "1") })?.attempt).toBe(1);
  expect(readMark({ "fieldwatch-replay-of": LETTER, "fieldwatch-resends": "1" })).toBeNull();
  expect(readMark({ ...older, "fieldwatch-replays": "3000000000" })).toBeNull();
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
    expect(readMark({ "fieldwatch-resend-of": LETTER })).toBeNull();
    expect(readMark({ "fieldwatch-resends": "1" })).toBeNull();
    expect(readMark({})).toBeNull();
  });
});
