import { expect, test } from "vitest";
import type { DeadLetterJob } from "@/server/contracts/dead-letters";
import { actionWord, effectOf, previewOf, progressOf, secondsOf, stateOf } from "./job-words";

const job: DeadLetterJob = {
  ...{ id: "1", action: "resend", filter: {}, perSecond: 50, status: "running", total: 214, done: 120, skipped: 4 },
  ...{ stored: 90, refused: 6, createdAt: "2026-11-23T21:10:00.000Z", finishedAt: null, error: null },
};
const run = (count: number, checked: number, wouldPass: number) =>
  previewOf({ count, checked, wouldPass, wouldFail: [], seconds: 0 });

test("a button says exactly what it does", () => {
  expect(effectOf("resend", 214, 50)).toBe("Resend 214 messages at 50/s");
  expect(effectOf("resend", 1, 1000)).toBe("Resend 1 message at 1,000/s");
  expect(effectOf("discard", 2, 50)).toBe("Discard 2 dead letters");
});

test("a dry run in words, and of how many it is", () => {
  expect(run(214, 214, 190)).toBe("214 dead letters: 190 would be stored now, 24 would be refused again.");
  expect(run(2, 2, 2)).toBe("2 dead letters: all would be stored now.");
  expect(run(1, 1, 0)).toBe("1 dead letter: it would be refused again.");
  expect(run(9000, 200, 200)).toBe("The newest 200 of 9,000 dead letters were looked at: all would be stored now.");
});

test("progress counts what was sent, what came of it, and what somebody else took", () => {
  expect(progressOf(job)).toBe(
    "120 of 214 sent · 90 stored · 6 refused again · 20 being handled · 4 skipped, taken by someone else · 2 s left",
  );
  expect(progressOf({ ...job, action: "discard", status: "done", done: 214, skipped: 0 })).toBe("214 of 214");
  expect(secondsOf(6250, 50)).toBe("2 min 5 s");
});

test("says how a job ended unless it is plain", () => {
  expect([actionWord(job), stateOf(job)]).toEqual(["Resending", null]);
  expect(actionWord({ ...job, status: "stopped" })).toBe("Resent");
  expect(stateOf({ ...job, status: "failed", error: "the log is gone" })).toBe("failed: the log is gone");
});
