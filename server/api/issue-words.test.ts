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
  [{ device: [{ name: "{a}", when: [] }] }, ["device.0.when: Too small: expected array to have >=1 items"]],
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
