import { expect, test } from "vitest";
import { createPace } from "./pace";
import { newUse } from "./sender";

const seconds = (work: () => void): number => {
  try {
    work();
  } catch (error) {
    expect(error).toMatchObject({ kind: "too-fast" });
    return (error as { more: { retryAfterSeconds: number } }).more.retryAfterSeconds;
  }
  return 0;
};

test("a minute's worth may come at once, and what is beyond has to be earned", () => {
  let now = 0;
  const pace = createPace({ messagesPerSecond: 10, bytesPerSecond: 0 }, () => now);
  const [a, b] = [newUse(), newUse()];
  const wait = (of: typeof a) => seconds(() => pace.check(of));
  pace.spend(a, { messages: 600, bytes: 1e12 });
  expect([wait(a), wait(b)]).toEqual([0, 0]);
  pace.spend(a, { messages: 30 });
  expect([wait(a), wait(b)]).toEqual([3, 0]);
  now = 3000;
  expect(wait(a)).toBe(0);
  // However long a sender is silent, it saves no more than a minute's worth.
  now = 1e9;
  expect(wait(a)).toBe(0);
  pace.spend(a, { messages: 601 });
  expect(wait(a)).toBe(1);
});

test("rates of a sender's own hold from when they are told, whatever held before", () => {
  let now = 0;
  const pace = createPace({ messagesPerSecond: 0, bytesPerSecond: 0 }, () => now);
  const a = newUse();
  const wait = () => seconds(() => pace.check(a, { messagesPerSecond: 2, bytesPerSecond: 0 }));
  pace.spend(a, { messages: 1e6 });
  expect(wait()).toBe(0);
  pace.spend(a, { messages: 124 });
  expect(wait()).toBe(2);
  now = 2000;
  expect(wait()).toBe(0);
  pace.spend(a, { messages: 1e6 });
  expect(seconds(() => pace.check(a))).toBe(0);
});

test("bytes are held to their own rate", () => {
  const pace = createPace({ messagesPerSecond: 0, bytesPerSecond: 100 }, () => 0);
  const a = newUse();
  pace.spend(a, { messages: 1e9, bytes: 6200 });
  expect(seconds(() => pace.check(a))).toBe(2);
});
