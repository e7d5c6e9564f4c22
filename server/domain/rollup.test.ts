import fc from "fast-check";
import { expect, test } from "vitest";
import { addReading, emptyRollup, meanOf, mergeRollup, type Rollup } from "./rollup";

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

test("any finite values have a mean between their extremes, in whatever order and parts they come", () => {
  const MAX = Number.MAX_VALUE;
  const value = fc.oneof(
    fc.constantFrom(MAX, -MAX, MAX / 2, 1.7e308, 5e-324, -5e-324, 0, 1, 1e290),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
  );
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 50 }), fc.nat(), (values, cut) => {
      const readings = values.map((value, i) => ({ metric: 1, value, at: 60_000 + i }));
      const whole = rollUp(0, readings);
      const at = cut % values.length;
      const merged = rollUp(60_000, readings.slice(at));
      if (at > 0) mergeRollup(merged, rollUp(60_000, readings.slice(0, at).reverse()));
      const expected = exactMean(values);
      for (const { counts, sums, mins, maxs } of [whole, merged]) {
        const mean = meanOf(counts[0]!, sums[0]!, mins[0]!, maxs[0]!);
        const size = Math.max(...values.map(Math.abs));
        expect(Math.abs(mean / 2 - expected / 2)).toBeLessThanOrEqual(size * 1e-14);
        expect([mean >= mins[0]!, mean <= maxs[0]!]).toEqual([true, true]);
      }
    }),
  );
});

/** Returns the mean of a few values, scaled down so that nothing overflows and up again. */
function exactMean(values: readonly number[]): number {
  return Math.max(...values.map(Math.abs)) > 1e300
    ? values.reduce((sum, value) => sum + value / 64, 0) * (64 / values.length)
    : values.reduce((sum, value) => sum + value, 0) / values.length;
}

test("what cancels out is not lost on the way", () => {
  for (const order of [
    [1.7e308, 1.7e308, -1.7e308],
    [1.7e308, -1.7e308, 1.7e308],
  ]) {
    const { counts, sums, mins, maxs } = rollUp(
      0,
      order.map((value, at) => ({ metric: 1, value, at })),
    );
    expect(meanOf(counts[0]!, sums[0]!, mins[0]!, maxs[0]!)).toBeCloseTo(1.7e308 / 3, -295);
  }
});
