import { expect, test } from "vitest";
import { keptByKey, keptFor } from "./kept-for";

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

test("the same question is answered once in a while, whoever asks; another, or a failure, anew", async () => {
  const asked: string[] = [];
  let away = false;
  const ask = keptByKey(1000, async ({ site }: { site: string }, now) => {
    asked.push(`${site} ${now}`);
    if (away) throw new Error("away");
    return now;
  });
  expect(await Promise.all([ask({ site: "a" }, 0), ask({ site: "a" }, 5), ask({ site: "b" }, 5)])).toEqual([0, 0, 5]);
  expect(await ask({ site: "a" }, 999)).toBe(0);
  expect(await ask({ site: "a" }, 1000)).toBe(1000);
  // A clock that was set back says nothing about an answer's age.
  expect(await ask({ site: "a" }, 500)).toBe(500);
  away = true;
  await expect(ask({ site: "c" }, 0)).rejects.toThrow("away");
  away = false;
  expect(await ask({ site: "c" }, 1)).toBe(1);
  expect(asked).toEqual(["a 0", "b 5", "a 1000", "a 500", "c 0", "c 1"]);
});
