import { getEventListeners } from "node:events";
import { expect, test } from "vitest";
import { withinAborting } from "./timeout";

const late = () => new Error("late");
const forever = () => new Promise<never>(() => {});

test("work that has no end is given up after its time, and told so", async () => {
  const stop = new AbortController();
  let given: AbortSignal | undefined;
  const work = withinAborting(10, [stop.signal], (signal) => ((given = signal), forever()), late);
  await expect(work).rejects.toThrow("late");
  expect(given?.reason).toEqual(late());
  expect(getEventListeners(stop.signal, "abort")).toEqual([]);
});

test("work is told when one of the signals aborts, or had already, and leaves nothing with them", async () => {
  const [one, other] = [new AbortController(), new AbortController()];
  const untilAborted = (signal: AbortSignal) =>
    new Promise((resolve) =>
      signal.aborted ? resolve(signal.reason) : signal.addEventListener("abort", () => resolve(signal.reason)),
    );
  const work = withinAborting(10_000, [one.signal, other.signal], untilAborted, late);
  other.abort("stop");
  expect(await work).toBe("stop");
  expect(await withinAborting(10_000, [other.signal], untilAborted, late)).toBe("stop");
  expect(getEventListeners(one.signal, "abort")).toEqual([]);
});
