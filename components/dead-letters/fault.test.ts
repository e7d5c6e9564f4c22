import { expect, test } from "vitest";
import { DEAD_LETTER_REASONS, type DeadLetterReason } from "@/server/domain/reasons";
import { faultIn, partAtFault } from "./fault";

const message = '{"device":"press 07","time":"noon","readings":{"t":"hot","a b":1}}';
const at = (reason: DeadLetterReason, field: string | null = null, text = message) => {
  const span = faultIn(text, { reason, field });
  return span && text.slice(span.start, span.end);
};

test("points at the value a reason speaks of", () => {
  expect(at("badDevice")).toBe('"press 07"');
  expect(at("badTime")).toBe('"noon"');
  expect(at("typeDrift", "t")).toBe('"hot"');
  expect(at("badName", "a b")).toBe('"a b"');
  expect(at("badLabel", "site", '{"readings":{"site":1},"site":7}')).toBe("7");
  expect(at("tooManyReadings")).toBe('{"t":"hot","a b":1}');
});

test("points at where it stops being JSON, and at a value that is no object", () => {
  expect(at("notJson", null, '{"t":None}')).toBe("None");
  expect(at("notFinite", "t", '{"readings":{"a":"NaN","t":-Infinity}}')).toBe("-Infinity");
  expect(faultIn('{"t":1', { reason: "notJson", field: null })).toEqual({ start: 6, end: 6 });
  expect(at("notJson", null, " 42 ")).toBe("42");
});

test("points at nothing where nothing is there", () => {
  expect(at("noTime", null, '{"device":"a"}')).toBeNull();
  expect(at("typeDrift", "missing")).toBeNull();
  expect(at("tooLarge")).toBeNull();
});

test("every field reason speaks of a field, and no other does", () => {
  for (const [reason, { scope }] of Object.entries(DEAD_LETTER_REASONS))
    expect(partAtFault(reason as DeadLetterReason) === "field", reason).toBe(scope === "field");
});
