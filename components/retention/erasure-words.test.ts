import { expect, test } from "vitest";
import { droppedWords, erasureTitle, erasureWords, personWords, requestWords } from "./erasure-words";

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

test("says what erasing a person would take out, and how far it is", () => {
  const device = { name: "watch-1", site: "Home 4", messages: 3, by: "site" } as const;
  expect(personWords({ devices: [], sites: [], readings: 0 })).toBe("No device is theirs.");
  expect(personWords({ devices: [device], sites: ["Home 4"], readings: 1200 })).toBe(
    "1 device with 1,200 readings is erased from every store, with a proof of each. Home 4 loses the name.",
  );
  expect(personWords({ devices: [device, device], sites: ["A", "B"], readings: null })).toBe(
    "2 devices with all their readings are erased from every store, with a proof of each. A, B lose the name.",
  );
  expect(requestWords([{ state: "proven" }, { state: "waiting" }])).toBe("2 devices of one person, 1 proven");
  expect(requestWords([{ state: "proven" }])).toBe("1 device of one person, all proven");
});
