import { expect, test, vi } from "vitest";
import { createPace, ENOUGH_RECORDS } from "./pace";

test("begins at once after a rest, then together and seldom, or when enough waits, or when told to end", async () => {
  vi.useFakeTimers();
  try {
    const pace = createPace(200);
    const begun: string[] = [];
    const never = new AbortController().signal;
    const begin = (name: string, signal = never) => void pace.begin(signal).then(() => begun.push(name));
    begin("first");
    await vi.advanceTimersByTimeAsync(1);
    expect(begun).toEqual(["first"]);
    begin("a");
    await vi.advanceTimersByTimeAsync(100);
    begin("b");
    const ending = new AbortController();
    begin("ending", ending.signal);
    ending.abort();
    await vi.advanceTimersByTimeAsync(0);
    expect(begun).toEqual(["first", "ending"]);
    await vi.advanceTimersByTimeAsync(100);
    expect(begun).toEqual(["first", "ending", "a", "b"]);
    begin("c");
    pace.note(ENOUGH_RECORDS - 1);
    await vi.advanceTimersByTimeAsync(10);
    expect(begun.at(-1)).toBe("b");
    pace.note(1);
    await vi.advanceTimersByTimeAsync(0);
    expect(begun.at(-1)).toBe("c");
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});
