import { expect, test } from "vitest";
import fc from "fast-check";
import { lineAndColumn, readJsonText } from "./json-text";

test("reads exactly the texts that are JSON", () => {
  const pieces = fc.constantFrom(...'{}[]",:\\u00e5 \n\t\u00001-.eE+0aé', "true", "null", '"k":', "1e5", "\\n", "01");
  fc.assert(
    fc.property(
      fc.oneof(
        fc.json(),
        fc.array(pieces).map((all) => all.join("")),
      ),
      (text) => {
        expect(readJsonText(text).ok).toBe(isJson(text));
      },
    ),
    { numRuns: 2000 },
  );
});

test("tells where each value lies", () => {
  const text = '{ "a\\"b": 1.50, "readings": {"t": [1, 2], "on": true} }';
  const reading = readJsonText(text);
  if (!reading.ok) throw new Error(reading.why);
  const [first, second] = reading.value.members;
  expect(first?.key).toBe('a"b');
  expect(text.slice(first!.value.start, first!.value.end)).toBe("1.50");
  expect(second!.value.members.map(({ key, value }) => [key, text.slice(value.start, value.end)])).toEqual([
    ["t", "[1, 2]"],
    ["on", "true"],
  ]);
});

test.each([
  ["", 0, /nothing/],
  ['{"a":Nan1}', 5, /value is expected/],
  ['{"a":1', 6, /too early/],
  ['{"a":1,}', 7, /name/],
  ['{"a" 1}', 5, /colon/],
  ["[1 2]", 3, /comma/],
  ['"abc', 4, /closing double quote/],
  ['"a\\q"', 2, /escape/],
  ['"a\nb"', 2, /line break/],
  ["1 2", 2, /follow/],
  ["[".repeat(300_000), 256, /nested/],
])("finds the fault in %j", (text, at, why) => {
  const reading = readJsonText(text);
  expect(reading).toMatchObject({ ok: false, at });
  expect((reading as { why: string }).why).toMatch(why);
});

test("counts lines and columns from one", () => {
  expect(lineAndColumn("ab\ncd", 4)).toEqual({ line: 2, column: 2 });
  expect(lineAndColumn("ab", 0)).toEqual({ line: 1, column: 1 });
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
