import fc from "fast-check";
import { expect, it } from "vitest";
import { prettyJson } from "./pretty-json";

it("keeps every figure and string as it was written", () => {
  expect(prettyJson('{"a":1.0,"big":12345678901234567890,"s":"x, {y}: \\"z\\"","e":[],"n":[1,{ }]}')).toBe(
    `{
  "a": 1.0,
  "big": 12345678901234567890,
  "s": "x, {y}: \\"z\\"",
  "e": [],
  "n": [
    1,
    {}
  ]
}`,
  );
});

it("looks like JSON.stringify's own indents for whatever that can write", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => prettyJson(JSON.stringify(value)) === JSON.stringify(value, null, 2)),
  );
});

it("loses no character of what isn't JSON", () => {
  const bare = (text: string) => text.replace(/\s/g, "");
  fc.assert(fc.property(fc.string(), (text) => bare(prettyJson(text)) === bare(text)));
});
