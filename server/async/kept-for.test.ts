import { expect, test } from "vitest";
import { keptFor } from "./kept-for";

test("asks again when it is old, and when the clock was set back", async () => {
  let now = 1_000_000;
  let asked = 0;
  const ask = keptFor(
    1000,
    () => now,
    async () => ++asked,
  );
  expect(await ask()).toBe(1);
  now += 999;
  expect(await ask()).toBe(1);
  now += 1;
  expect(await ask()).toBe(2);
  now -= 3_600_000;
  expect(await ask()).toBe(3);
  expect(await ask()).toBe(3);
});
