import fc from "fast-check";
import { expect, test } from "vitest";
import { isHeld } from "@/server/domain/json";
import { readDecimal } from "./decimal";

function read(token: string): number {
  const point = token.indexOf(".");
  return readDecimal(Buffer.from(token), 0, token.length, point < 0 ? 0 : token.length - point - 1);
}

/** Digits with a point at some place, or none. */
const token = fc.tuple(fc.stringMatching(/^[0-9]{1,18}$/), fc.nat(24)).map(([digits, fraction]) => {
  const all = digits.padStart(fraction + 1, "0");
  return fraction === 0 ? digits.replace(/^0+(?=.)/, "") : `${all.slice(0, -fraction)}.${all.slice(-fraction)}`;
});

test("what is read is the nearest double, of which nothing was lost", () => {
  fc.assert(
    fc.property(token, (one) => {
      const value = read(one);
      if (!Number.isNaN(value)) expect([value, isHeld(one)], one).toEqual([Number(one), true]);
    }),
    { numRuns: 100_000 },
  );
});

test("a digit halfway between two doubles is left to others, and so is what has other digits", () => {
  for (const one of [
    "9007199254740993",
    "90071992547409921",
    "0.50000000000000001",
    "9999999999999999",
    "0.10000000000000000",
    "99999999999999999",
  ]) {
    const value = read(one);
    if (!Number.isNaN(value)) expect([value, isHeld(one)], one).toEqual([Number(one), true]);
  }
  expect(read("9007199254740993")).toBeNaN();
});

test("nearly all doubles as JavaScript writes them are read", () => {
  let read17 = 0;
  for (let i = 0; i < 10_000; i++) {
    const value = ((i * 7919) % 10_007) / 997 + 20;
    const text = String(value);
    const found = read(text);
    if (!Number.isNaN(found)) {
      expect(found, text).toBe(value);
      read17++;
    }
  }
  expect(read17).toBeGreaterThan(8000);
});
