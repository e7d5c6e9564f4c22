import fc from "fast-check";
import { expect, test } from "vitest";
import { addReading, emptyRollup, mergeRollup, type Rollup } from "./rollup";

const reading = fc.record({ metric: fc.integer({ min: 1, max: 5 }), value: fc.integer({ min: -9, max: 9 }) });

function rollUp(start: number, readings: readonly { metric: number; value: number; at: number }[]): Rollup {
  const rollup = emptyRollup(start);
  for (const { metric, value, at } of readings) addReading(rollup, metric, value, at - start);
  return rollup;
}

test("any order and any division into parts gives the same rollup", () => {
  fc.assert(
    fc.property(fc.array(reading, { minLength: 1 }), fc.infiniteStream(fc.nat(3)), (readings, choices) => {
      const timed = readings.map((one, i) => ({ ...one, at: 60_000 + i }));
      const parts: (typeof timed)[] = [[], [], [], []];
      for (const one of timed) parts[choices.next().value as number]!.unshift(one);
      const merged = emptyRollup(0);
      for (const part of parts) mergeRollup(merged, rollUp(60_000, part));
      expect(merged).toEqual(rollUp(0, timed));
      expect(merged.metrics).toEqual([...merged.metrics].sort((a, b) => a - b));
    }),
  );
});

test("a sum past the range of numbers stays finite", () => {
  const rollup = emptyRollup(0);
  for (let at = 0; at < 3; at++) addReading(rollup, 1, 1.7e308, at);
  expect(rollup.sums).toEqual([Number.MAX_VALUE]);
});
