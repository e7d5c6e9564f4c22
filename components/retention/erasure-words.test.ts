import { expect, test } from "vitest";
import { droppedWords, erasureTitle, erasureWords } from "./erasure-words";

const store = (name: string, erased: number, left: number | null) => ({ store: name, erased, left });

test("says how far an erasure is", () => {
  expect(erasureTitle({ id: 3, name: "pump-1" })).toBe("pump-1");
  expect(erasureTitle({ id: 3, name: null })).toBe("Erasure 3");
  const words = (state: "erasing" | "waiting" | "proven", ...stores: ReturnType<typeof store>[]) =>
    erasureWords({ state, stores, readings: 80 });
  expect(words("erasing", store("Event log", 1, null))).toBe("Being erased, store by store");
  expect(words("waiting", store("Event log", 1, 0), store("Cold files", 0, 2))).toBe(
    "Still found in Cold files: erased again each minute",
  );
  expect(words("proven", store("Event log", 1, 0))).toBe(
    "Nothing found in 1 store; 80 readings and 1 other thing taken out",
  );
  expect(droppedWords({ dropped: 0, allowedAt: null })).toBe("No message has come since");
  expect(droppedWords({ dropped: 2, allowedAt: "2026-01-01T00:00:00Z" })).toBe("2 messages dropped since; taken again");
});
