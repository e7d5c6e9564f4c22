import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createTally } from "./tally";

beforeEach(() => vi.useFakeTimers({ now: 1_000_000_002_000 }));
afterEach(() => vi.useRealTimers());

const FIRST = 1_000_000_000_000;

function open(write: (buckets: readonly { bucket: number; counts: { n: number } }[]) => Promise<void>) {
  const errors: unknown[] = [];
  const tally = createTally({ empty: () => ({ n: 0 }), write, now: Date.now, onError: (error) => errors.push(error) });
  return { tally, errors };
}

test("a bucket is written once, when it has ended; the rest at the end", async () => {
  const written: [number, number][] = [];
  const { tally } = open(
    async (buckets) =>
      void written.push(...buckets.map(({ bucket, counts }) => [bucket, counts.n] as [number, number])),
  );
  tally.current().n += 2;
  await vi.advanceTimersByTimeAsync(2000);
  tally.current().n += 3;
  expect(written).toEqual([]);
  await vi.advanceTimersByTimeAsync(5000);
  expect(written).toEqual([[FIRST, 5]]);
  tally.current().n += 1;
  await tally.stop();
  expect(written).toEqual([
    [FIRST, 5],
    [FIRST + 5000, 1],
  ]);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(written).toHaveLength(2);
});

test("what can't be written is tried again, and the oldest of two minutes is given up", async () => {
  let away = true;
  const written: number[] = [];
  const { tally, errors } = open(async (buckets) => {
    if (away) throw new Error("away");
    written.push(...buckets.map(({ bucket }) => bucket));
  });
  for (let i = 0; i < 30; i++) {
    tally.current().n++;
    await vi.advanceTimersByTimeAsync(5000);
  }
  expect(errors.length).toBe(30);
  away = false;
  await tally.stop();
  expect(written.length).toBeLessThanOrEqual(25);
  expect(written.at(-1)).toBe(FIRST + 29 * 5000);
});
