import { expect, test } from "vitest";
import type { Verdict } from "@/server/domain/notifications/verdict";
import { nobodyTold, untoldOf } from "./untold";

const verdict = (event: number, kind: string, said: Verdict | null, by: string | null = null) => ({
  ...{ event, kind, verdict: said, by, at: "2026-11-29T10:00:00Z" },
  ...{ route: null, decidedAt: null },
});

test("what nobody was told of is said with why, once for what goes on alike", () => {
  const verdicts = [
    verdict(1, "fired", "told"),
    verdict(2, "acknowledged", "no-route"),
    verdict(3, "flapping", "silenced", "being mended"),
    verdict(4, "flapping", "silenced", "being mended"),
    verdict(5, "resolved", "maintenance", "Saturdays"),
    verdict(6, "note", "kept"),
  ];
  expect(untoldOf(verdicts)).toEqual([
    { event: 3, what: "flapping", why: "silenced by “being mended”", more: 1 },
    { event: 5, what: "over", why: "in maintenance “Saturdays”", more: 0 },
  ]);
});

test("without a message it is said whether anything was decided", () => {
  expect(nobodyTold([verdict(1, "fired", null)])).toBe("Nothing is decided yet about whom to tell.");
  expect(nobodyTold([verdict(1, "fired", "grouped")])).toBe("Nothing is decided yet about whom to tell.");
  expect(nobodyTold([verdict(1, "fired", "no-route")])).toBe("Nobody was told.");
});
