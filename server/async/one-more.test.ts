import { expect, test } from "vitest";
import { oneMore } from "./one-more";

test("asked while it runs, it runs once more, for all who asked", async () => {
  const seen: number[] = [];
  let state = 0;
  const ends: (() => void)[] = [];
  const look = oneMore(async () => {
    seen.push(state);
    await new Promise<void>((resolve) => ends.push(resolve));
  });
  const first = look();
  state = 1;
  const others = [look(), look()];
  expect(seen).toEqual([0]);
  ends[0]!();
  await first;
  await Promise.resolve();
  await Promise.resolve();
  ends[1]!();
  await Promise.all(others);
  expect(seen).toEqual([0, 1]);
  const last = look();
  ends[2]!();
  await last;
  expect(seen.length).toBe(3);
});

test("one that fails doesn't keep the next from running", async () => {
  let runs = 0;
  const look = oneMore(async () => {
    runs += 1;
    if (runs === 1) throw new Error("no");
  });
  const [first, second] = [look(), look()];
  await expect(first).rejects.toThrow("no");
  await second;
  expect(runs).toBe(2);
});
