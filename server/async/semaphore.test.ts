import { expect, test } from "vitest";
import { createSemaphore } from "./semaphore";

test("lets in as much as there is room for, in the order they came, and nobody past one who needs more", async () => {
  const room = createSemaphore(10);
  const entered: string[] = [];
  const enter = async (name: string, weight: number, signal?: AbortSignal) => {
    const taken = await room.acquire(signal, () => weight);
    if (taken > 0) entered.push(`${name} ${taken}`);
  };
  const turns = () => new Promise((resolve) => setImmediate(resolve));
  const leaving = new AbortController();
  void enter("a", 6);
  void enter("b", 4);
  void enter("whole", 99);
  void enter("gives up", 1, leaving.signal);
  void enter("c", 1);
  await turns();
  expect(entered).toEqual(["a 6", "b 4"]);
  room.release(4);
  leaving.abort();
  await turns();
  expect(entered).toEqual(["a 6", "b 4"]);
  room.release(6);
  await turns();
  expect(entered).toEqual(["a 6", "b 4", "whole 10"]);
  room.release(10);
  await turns();
  expect(entered).toEqual(["a 6", "b 4", "whole 10", "c 1"]);
});

test("gives no room for less than nothing, and takes no more in after it", async () => {
  const room = createSemaphore(10);
  expect(await room.acquire(undefined, () => -5)).toBe(0);
  expect(await room.acquire(undefined, () => 99)).toBe(10);
});
