import { expect, it } from "vitest";
import { lagNote } from "./lag-note";

it("tells waiting, clearing, and what isn't known", () => {
  expect(lagNote({ lag: 0, lagSeconds: 0, clearSeconds: 0 })).toBe("nothing waits");
  expect(lagNote({ lag: 4, lagSeconds: 0.3, clearSeconds: 0 })).toBe("oldest waits less than 1 s");
  expect(lagNote({ lag: 40, lagSeconds: 3.21, clearSeconds: 12.4 })).toBe("oldest waits 3.2 s; clear in 12 s");
  expect(lagNote({ lag: 40, lagSeconds: 90, clearSeconds: null })).toBe("oldest waits 1 min 30 s; not getting less");
  expect(lagNote({ lag: 40, lagSeconds: null, clearSeconds: 4000 })).toBe("oldest: unknown; clear in 1 h 6 min");
  expect(lagNote({ lag: null, lagSeconds: null, clearSeconds: null })).toBe("oldest: unknown");
});
