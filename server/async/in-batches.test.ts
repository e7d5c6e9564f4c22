import { expect, test } from "vitest";
import { inBatches } from "./in-batches";

test("what is asked for in one go is one batch, and during one the next, up to so many, and each gets its own answer", async () => {
  const batches: (readonly number[])[] = [];
  const ask = inBatches(3, async (numbers: readonly number[]) => {
    batches.push(numbers);
    await Promise.resolve();
    if (numbers.includes(5)) throw new Error("five");
    return numbers.map((n) => n * 10);
  });
  const answers = await Promise.allSettled([1, 2, 3, 4, 5].map((n) => ask(n)));
  expect(batches).toEqual([
    [1, 2, 3],
    [4, 5],
  ]);
  expect(answers.map((one) => (one.status === "fulfilled" ? one.value : "failed"))).toEqual([
    10,
    20,
    30,
    "failed",
    "failed",
  ]);
  // A failure is of its batch alone.
  const next = ask(6);
  await Promise.resolve();
  expect(await Promise.all([next, ask(7), ask(8)])).toEqual([60, 70, 80]);
  expect(batches.slice(2)).toEqual([[6], [7, 8]]);
});
