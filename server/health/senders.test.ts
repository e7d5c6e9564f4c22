import { expect, test } from "vitest";
import { judgeSenders, type SenderSeen, sendersProbe, snapshotOf } from "./senders";

const NOW = 1_800_000_000_000;
const MINUTE = 60_000;
const sender = (source: string, more: Partial<SenderSeen> = {}): SenderSeen => ({
  ...{ source, received: 1000, accepted: 1000, refused: 0, lastError: null, updatedAt: NOW - 60 * MINUTE },
  ...{ firstSeen: NOW - 1000 * MINUTE, lastSeen: NOW - MINUTE, longestPauseMs: MINUTE },
  ...more,
});
const error = { at: NOW - MINUTE, path: "when", reason: "noTime", detail: "there is no time" };

test("sources that send as usual pass, as do none", () => {
  expect(judgeSenders([], null, NOW)).toEqual({ status: "pass", summary: "No source has sent anything yet." });
  expect(judgeSenders([sender("barn"), sender("yard")], null, NOW)).toMatchObject({
    summary: "2 sources send as usual.",
  });
});

test("a share that is refused of late warns, with the last reason and where to mend it", () => {
  const before = snapshotOf([sender("barn"), sender("yard")], NOW - 5 * MINUTE);
  const refusing = sender("barn", { accepted: 1080, refused: 20, lastError: error });
  expect(judgeSenders([refusing, sender("yard")], before, NOW)).toEqual({
    status: "warn",
    summary: "barn sends what can't be read.",
    cause: "20 refusals of barn in the last minutes, 20 % of what it sent; the last: when: noTime, there is no time",
    fix:
      "See its last payload and mend its mapping: `/sources/barn`. What was kept waits as dead letters, to be resent by the mended mapping: " +
      "`/dead-letters?source=barn`.",
  });
  const own = snapshotOf([sender("fieldwatch")], NOW - 5 * MINUTE);
  expect(judgeSenders([{ ...refusing, source: "fieldwatch" }], own, NOW)).toMatchObject({
    fix: expect.stringContaining("give it a source") as string,
  });
  // Too few, too small a share, of before the window, or of before somebody mended it.
  for (const one of [
    sender("barn", { accepted: 1001, refused: 9, lastError: error }),
    sender("barn", { accepted: 1200, refused: 20, lastError: error }),
    { ...refusing, updatedAt: NOW },
  ])
    expect(judgeSenders([one], before, NOW).status).toBe("pass");
  expect(judgeSenders([refusing], snapshotOf([refusing], NOW - MINUTE), NOW).status).toBe("pass");
  expect(judgeSenders([refusing], null, NOW).status).toBe("pass");
});

test("a source that was steady and is silent warns, by its own rhythm", () => {
  const silent = sender("barn", { lastSeen: NOW - 8 * MINUTE });
  expect(judgeSenders([silent, sender("yard")], null, NOW)).toMatchObject({
    ...{ status: "warn", summary: "Nothing comes from barn." },
    cause: "barn sent last 8 minutes ago; by its rhythm 5 minutes would be long.",
    fix: expect.stringContaining("`/sources/barn`") as string,
  });
  // Of the route's own its devices tell.
  expect(judgeSenders([{ ...silent, source: "fieldwatch" }], null, NOW).status).toBe("pass");
  expect(judgeSenders([{ ...silent, longestPauseMs: 10 * MINUTE }], null, NOW).status).toBe("pass");
  expect(judgeSenders([{ ...silent, longestPauseMs: null, received: 2 }], null, NOW).status).toBe("pass");
});

test("compares with the counts of ten minutes ago at most", async () => {
  let [now, seen] = [NOW, [sender("barn")]];
  const probe = sendersProbe(
    async () => seen,
    () => now,
  );
  expect((await probe.run()).status).toBe("pass");
  const late = (minutes: number) => {
    now = NOW + minutes * MINUTE;
    const at = now - 1000;
    seen = [sender("barn", { refused: 50, lastSeen: at, lastError: { ...error, at: NOW + MINUTE } })];
    return probe.run();
  };
  expect((await late(2)).status).toBe("warn");
  expect((await late(9)).status).toBe("warn");
  expect((await late(11)).status).toBe("pass");
});
