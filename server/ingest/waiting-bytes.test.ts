import { expect, test } from "vitest";
import { newUse } from "./sender";
import { createWaitingBytes, type Share } from "./waiting-bytes";

/** Shares of senders by name. */
function named(maxBytes: number) {
  const [waiting, uses] = [createWaitingBytes(maxBytes), new Map<string, ReturnType<typeof newUse>>()];
  const share = (sender: string) => {
    if (!uses.has(sender)) uses.set(sender, newUse());
    return waiting.share(uses.get(sender)!);
  };
  return { share };
}

const taken = (share: Share, bytes: number) => {
  try {
    share.take(bytes);
    return true;
  } catch (error) {
    expect(error).toMatchObject({ kind: "too-busy", more: { retryAfterSeconds: 1 } });
    return false;
  }
};

test("bodies that wait for the log are bounded, in all and by address, and one alone always fits", () => {
  const waiting = named(100);
  const whole = (address: string, bytes: number) => {
    const share = waiting.share(address);
    share.received();
    return { share, taken: taken(share, bytes) };
  };
  const first = whole("a", 40);
  expect([first.taken, whole("a", 20).taken, whole("b", 50).taken, whole("c", 20).taken]).toEqual([
    ...[true, false, true, false],
  ]);
  first.share.release();
  expect(whole("c", 20).taken).toBe(true);
  expect(taken(named(100).share("a"), 500)).toBe(true);
});

test("half-sent bodies give way to another's, the largest of the address with the most first", () => {
  const waiting = named(100);
  const stalled = ["a", "a", "b"].map((address, i) => {
    const share = waiting.share(address);
    share.take([20, 29, 48][i]!);
    return share;
  });
  expect(taken(waiting.share("c"), 5)).toBe(true);
  expect(stalled.map(({ gaveWay }) => gaveWay.aborted)).toEqual([false, true, false]);
  expect(taken(stalled[1]!, 1)).toBe(false);
  const whole = waiting.share("d");
  whole.received();
  expect(taken(whole, 40)).toBe(true);
  expect(stalled.map(({ gaveWay }) => gaveWay.aborted)).toEqual([false, true, true]);
});

test("a small body finds room among its own address's half-sent ones, a larger one than those doesn't", () => {
  const waiting = named(100);
  const stalled = Array.from({ length: 5 }, () => waiting.share("a"));
  stalled.forEach((share) => share.take(10));
  expect(taken(waiting.share("a"), 30)).toBe(false);
  expect(stalled.filter(({ gaveWay }) => gaveWay.aborted)).toHaveLength(0);
  expect(taken(waiting.share("a"), 5)).toBe(true);
  expect(stalled.filter(({ gaveWay }) => gaveWay.aborted)).toHaveLength(1);
});

test("what is let go of is free again, once", () => {
  const waiting = named(100);
  const share = waiting.share("a");
  share.take(50);
  share.release();
  share.release();
  share.take(10);
  const other = waiting.share("b");
  expect([taken(other, 50), taken(waiting.share("c"), 40), taken(waiting.share("d"), 1)]).toEqual([true, true, true]);
});
