import { expect, it } from "vitest";
import { z } from "zod";
import { mappingSchema } from "@/server/domain/mapping/mapping";
import { issueWords } from "./issue-words";

const GOOD = { decode: "json", device: ["{id}"], readings: [{ root: "" }] };

function wordsOf(schema: z.ZodType, value: unknown): string[] {
  const { error } = schema.safeParse(value, { error: issueWords });
  return (error?.issues ?? []).map(({ path, message }) => `${path.join(".")}: ${message}`);
}

it.each([
  [{ device: ["{x"] }, ["device.0: has a { without its }"]],
  [{ device: [{ name: "{a}", when: [] }] }, ["device.0.when: must not be empty"]],
  [{ when: [{ value: "{a}" }] }, ["when.0: equals: is missing: it must be a list"]],
  [{ device: [7] }, ["device.0: must be text or an object, not 7"]],
])("says of a mapping with %j what is wrong in the way that was meant", (wrong, words) => {
  expect(wordsOf(mappingSchema, { ...GOOD, ...wrong })).toEqual(words);
});

it("names all kinds where it is none of them", () => {
  expect(wordsOf(z.union([z.string(), z.number(), z.null()]), [])).toEqual([
    ": must be text or a number or null, not a list",
  ]);
  expect(wordsOf(z.union([z.literal("on"), z.number()]), "off")).toEqual([
    ': must be on or a number, not the text "off"',
  ]);
});

it.each([
  [z.string().min(1), "", "must not be empty"],
  [z.string().min(3), "ab", "must have at least 3 characters, not 2"],
  [z.string().max(1), "ab", "must have at most 1 character, not 2"],
  [z.string().length(4), "ab", "must have exactly 4 characters, not 2"],
  [z.array(z.number()).max(2), [1, 2, 3], "must have at most 2 entries, not 3"],
  [z.number().min(0), -1, "must be at least 0, not -1"],
  [z.number().gt(0), 0, "must be more than 0, not 0"],
  [z.int().max(10), 11, "must be at most 10, not 11"],
  [z.number().lt(1), 1, "must be less than 1, not 1"],
])("says by which bound a value is too small or too large (%#)", (schema, value, words) => {
  expect(wordsOf(schema, value)).toEqual([`: ${words}`]);
});
