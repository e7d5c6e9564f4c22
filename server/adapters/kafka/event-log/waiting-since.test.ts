import { expect, test } from "vitest";
import { createWaitingSince } from "./waiting-since";

const NOW = Date.UTC(2026, 10, 28);

/** Asks about a partition of records with these stamps, of which the first wasn't handled. */
async function since(stamps: readonly number[]): Promise<number | undefined> {
  const firstSince = async (time: number) => {
    const offset = stamps.findIndex((stamp) => stamp >= time);
    return new Map([[0, offset === -1 ? stamps.length : offset]]);
  };
  const found = await createWaitingSince(() => NOW)(firstSince, "t", "g", [{ partition: 0, next: 0 }]);
  return found.get(0);
}

test("the age of what waits is found by asking for times", async () => {
  for (const age of [0, 100, 5000, 3_600_000, 30 * 86_400_000]) {
    const found = await since([NOW - age, NOW]);
    expect(Math.abs(NOW - age - found!), String(age)).toBeLessThanOrEqual(Math.max(50, age * 0.06));
  }
});

test("stamps that are no time of the log's leave it unknown, and are neither 0 nor 56 years", async () => {
  for (const stamp of [0, NOW / 1000, NOW * 1000, NOW * 1e6])
    expect(await since([stamp]), String(stamp)).toBeUndefined();
});
