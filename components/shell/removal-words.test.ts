import { expect, test } from "vitest";
import { removalsWords } from "./removal-words";

const door = { name: "door", into: null, share: 0.456 };
const temp = { name: "temp", into: "temperature", share: 0 };
const device = { name: "press-07", into: null, share: null };

test("what is being removed, how far it is, and what holds it up", () => {
  const running = { state: "running" } as const;
  expect(removalsWords([], running)).toBeNull();
  expect(removalsWords([door], running)).toEqual({ text: "Deleting door · 45 % done", isHeldUp: false });
  expect(removalsWords([temp, door, device], running)?.text).toBe(
    "Moving temp to temperature · 0 % done · 2 others after it",
  );
  expect(removalsWords([device], { state: "waiting" })?.text).toBe("Deleting press-07");
  expect(removalsWords([door], { state: "paused" })).toEqual({
    ...{ text: "Deleting door · paused", isHeldUp: true },
  });
  expect(removalsWords([door], null)?.isHeldUp).toBe(true);
});
